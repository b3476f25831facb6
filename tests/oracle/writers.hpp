// Clients that write all the time and remember what was acknowledged to them: the judge of every
// failover, in the demo, in tests and in benchmarks.
//
// Each writer inserts numbered rows over one connection, one after the other, and takes the next
// number for every attempt. So a row whose outcome is unknown may be there or not, but an
// acknowledged one must be there once on every member: missing it is lost, there twice it is
// doubled (the table has no key that would forbid that).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::oracle {

struct Address {
  std::string host;  // an IP address, or the path of a Unix socket
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
};

using Instant = std::chrono::steady_clock::time_point;

struct WriterOptions {
  std::chrono::milliseconds retry_after{2};
  // Connecting and one statement; a primary that hangs is left after this.
  std::chrono::seconds patience{1};
  // Attempts of a writer each second at most, so that disks do not fill.
  int rows_a_second = 200;
  // Of the first writer: Writers that share a table number theirs apart.
  std::size_t first_id = 0;
};

class Writers {
 public:
  // One writer for each address; give the same one several times for more load.
  explicit Writers(std::vector<Address> addresses, WriterOptions options = {});
  // `route` says, to any of their threads, where the next connection goes.
  Writers(std::size_t count, std::function<Address()> route, WriterOptions options = {});
  ~Writers();

  // Makes the table; false with a message if the server does not let us yet.
  static std::optional<std::string> prepare(const Address& address);

  void start();
  void stop();

  std::uint64_t acknowledged() const;
  // The first acknowledgement of what was asked after `t`.
  std::optional<Instant> first_acknowledged_after(Instant t) const;
  // Longest time without any acknowledgement between two instants.
  std::chrono::milliseconds longest_gap(Instant from, Instant to) const;

  // How often an acknowledgement came through another address than the one before it. With an
  // address for each member: how often the right to write moved, were two never writable at once.
  int handovers() const;

  struct Verdict {
    std::uint64_t rows = 0;     // that the member has
    std::uint64_t lost = 0;     // acknowledged and missing
    std::uint64_t doubled = 0;  // there more than once
    std::string error;          // could not be read
  };
  Verdict judge(const Address& member) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::oracle
