// Three real servers that something else than Troupe fails over, to compare with in the same run.
//
// Used from one thread, which the servers do not outlive; route() from any.
#pragma once

#include <memory>
#include <string>

#include "benches/failover/servers.hpp"

namespace troupe::bench {

class Peer {
 public:
  Peer() = default;
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  virtual mysql::testing::Mysqld& primary() = 0;
  virtual void lose_primary(Loss how) = 0;
  // Where a client that has lost its connection tries next.
  virtual oracle::Address route() = 0;
  // After the primary was lost and another has taken over: it runs again, as a replica.
  virtual void mend() = 0;
};

// What no operator can beat: it looks at the primary's process and link every millisecond, holds a
// connection to each replica, does the least that loses no acknowledged write (stop receivers,
// choose, drain, open), and its clients hear at once where to go. It writes nothing down, so it
// cannot be killed, and asks nobody whether it may.
std::unique_ptr<Peer> ideal_operator();

struct GroupOptions {
  // group_replication_member_expel_timeout, in seconds; the server's default is 5.
  int member_expel_timeout = 5;
};
// The servers' own group replication; its clients try one member after the other.
std::unique_ptr<Peer> group_replication(GroupOptions options);

}  // namespace troupe::bench
