// Groups of modelled servers: what MySQL's group replication does in single-primary mode, under the
// settings that the agent pins (engines/agent/model/option_file.cpp).
//
// The facts are those of MySQL's group replication, and compared with real servers (tests/models).
// A write is proposed to the view, decided once a majority of it has received it, numbered then,
// and only then in any binary log; so whoever dies before has nothing that others lack. Members
// that have not heard of another for 5 s see it UNREACHABLE, and 15 s later a majority expels it.
// Who has no majority acknowledges nothing, and after 10 s leaves: read-only and offline. A view
// changes by a majority of the view before it, and whoever stays in it comes to hold all that was
// decided; what the old primary had proposed and somebody of the new view received, is decided
// then. The ONLINE member with the lowest UUID becomes the primary, and opens once it has applied
// all; until then it lets everybody wait who asks it for anything. A joiner is RECOVERING until it
// has what the group had, from a member whose binary logs still tell; one that has what the group
// lacks is a member for a moment, and leaves. Whoever begins a group begins one, whoever else has
// one.
//
// Simpler than real ones: whatever a member has received while ONLINE is on its disk, weights and
// versions are equal, view changes are no transactions of their own, a member never clones by
// itself, a server whose Pod goes does not take its leave, and a StopGroup of a member that has
// left by itself is done at once.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/mysql/fleet.hpp"

namespace troupe::mysql_topology::sim {

// What transactions of a group bear, whatever it is called.
mysql::Uuid uuid_of_groups();

class Groups {
 public:
  explicit Groups(Fleet& fleet) : fleet_(fleet) {}

  // --- what an agent does; nothing: it takes longer
  std::optional<Reply> start(Server& s, Job& job);
  std::optional<Reply> stop(Server& s, Job& job);
  std::optional<Reply> set_primary(Server& s, Job& job);

  // --- servers that have a seat
  void turn(Server& s);
  void propose(Server& s, std::size_t write);
  // A new primary that has still to apply what the old one left: whoever asks it for anything, to
  // write or only to look, waits until then.
  bool holds(const Server& s) const;
  void leave(Server& s);  // and the others go on without it, if they are a majority
  bool can_acknowledge(const Server& s) const;

  // Also of one that has none.
  mysql::GroupStatus observe(const Server& s) const;
  // Two servers that are in groups apart from one another.
  std::optional<Violation> violation() const;

 private:
  struct Proposal {
    std::size_t write = 0;
    int from = 0;
    std::uint64_t number = 0;  // counts the group's proposals
  };
  struct Decided {
    Transaction transaction;
    int from = 0;
  };
  struct Group {
    std::string name;
    std::string prefix;        // of its views' names
    std::uint64_t view = 0;    // the newest
    std::uint64_t news = 0;    // counts views and primaries
    std::vector<int> members;  // of that view
    int primary = -1;          // none
    int heir = -1;             // the primary hands over to it
    std::uint64_t last_proposal = 0;
    std::uint64_t last_number = 0;  // of a transaction
    std::deque<Proposal> pending;
    std::vector<std::uint64_t> acknowledged;  // by server: up to which proposal the primary knows
    std::vector<Decided> log;                 // since it was begun
    mysql::GtidSet all;                       // with what was there before
  };

  Group& group_of(const Server& s) { return groups_[s.seat->group]; }
  const Group& group_of(const Server& s) const { return groups_[s.seat->group]; }
  Server& server(int i);
  const Server& server(int i) const;
  TimePoint now() const;

  bool takes_part(const Server& s, std::size_t group) const;
  bool in_touch(const Server& a, const Server& b) const;
  bool has_majority(const Group& g, const Server& by) const;
  bool is_heard(const Server& s, int other) const;
  std::size_t heard(const Server& s) const;

  void sit_down(Server& s, std::size_t group, mysql::GroupState state);
  void begin(Server& s, const std::string& name);
  std::optional<Reply> join(Server& s, Job& job);
  void hear(Server& s);
  void learn(Server& s);
  bool gives_up(Server& s);
  void expel_the_silent(Server& s);
  void exclude(Server& s, std::string_view why);
  void install(Group& g, const Server& by, std::vector<int> members);
  void adopt(Group& g);
  void elect(Group& g);
  void recover(Server& s);
  void follow(Server& s);
  void deliver(Server& s);
  void acknowledge(Server& s);
  void serve_as_primary(Server& s);
  void hand_over(Server& s);
  void decide(Group& g);
  void decide(Group& g, const Proposal& p);

  Fleet& fleet_;
  std::vector<Group> groups_;
};

}  // namespace troupe::mysql_topology::sim
