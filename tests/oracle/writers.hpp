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
#include <string>
#include <vector>

#include "tests/oracle/rows.hpp"

namespace troupe::oracle {

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

struct Acknowledged {
  std::size_t writer;
  std::uint64_t number;
  Instant begun;
  Instant at;
};

// How often, at least, the right to write has moved from one writer's server to another's, were two
// never writable at once. Each row was written at some time between its begin and its
// acknowledgement, so a late answer is no second writer. `rows`: in the order of `at`.
int least_handovers(const std::vector<Acknowledged>& rows);

class Writers {
 public:
  // One writer for each address; give the same one several times for more load.
  explicit Writers(std::vector<Address> addresses, WriterOptions options = {});
  // Says, to any of their threads, where the next connection goes.
  using Route = std::function<Address()>;
  Writers(std::size_t count, Route route, WriterOptions options = {});
  // One writer for each.
  Writers(std::vector<Route> routes, WriterOptions options);
  ~Writers();

  // Makes the table; false with a message if the server does not let us yet.
  static std::optional<std::string> prepare(const Address& address);

  void start();
  void stop();

  std::uint64_t acknowledged() const;
  // Waits for that many more acknowledgements.
  bool flow(std::uint64_t more, std::chrono::seconds within = std::chrono::seconds(60)) const;
  // The first acknowledgement of what was begun after `t`.
  std::optional<Instant> first_acknowledged_after(Instant t) const;
  // Longest time without any acknowledgement between two instants.
  std::chrono::milliseconds longest_gap(Instant from, Instant to) const;

  // least_handovers(); with a writer for each member.
  int handovers() const;

  // Acknowledged, and not among these.
  std::uint64_t missing_in(const Rows& rows) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::oracle
