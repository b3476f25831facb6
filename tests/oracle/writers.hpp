// Clients that write all the time and remember what was acknowledged to them: the judge of every
// failover, in the demo, in tests and in benchmarks.
//
// Each of them inserts rows with keys of its own, one after the other, through one address (a
// Service), and tries the same row again until it is acknowledged; a row whose outcome is unknown
// may exist once, never twice (the key forbids it). Afterwards every member is read: a row that was
// acknowledged and is missing is lost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::oracle {

struct Address {
  std::string host;  // an IP address
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
};

using Instant = std::chrono::steady_clock::time_point;

struct WriterOptions {
  int writers = 4;
  std::chrono::milliseconds retry_after{2};
  // Connecting and one statement; a primary that hangs is left after this.
  std::chrono::seconds patience{2};
  // Rows a writer tries to write each second at most, so that disks do not fill.
  int rows_a_second = 200;
};

class Writers {
 public:
  explicit Writers(Address address, WriterOptions options = {});
  ~Writers();

  // Makes the table; false with a message if the server does not let us yet.
  static std::optional<std::string> prepare(const Address& address);

  void start();
  void stop();

  std::uint64_t acknowledged() const;
  // The first acknowledgement that no server which died at `t` can have given.
  std::optional<Instant> first_acknowledged_after(Instant t) const;
  // The last acknowledgement before `t`.
  std::optional<Instant> last_acknowledged_before(Instant t) const;
  // Longest time without any acknowledgement between two instants.
  std::chrono::milliseconds longest_gap(Instant from, Instant to) const;

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
