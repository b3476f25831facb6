// Three MySQL servers with their agents, that a scenario is played on: the simulator's models
// (modelled.hpp) or real ones (real.hpp). What a scenario saw is a list of lines; the simulation is
// worth believing where both give the same.
//
// One thread. Members are 0, 1, 2 and are called a, b and c; a server that got another UUID is a'.
// There may be a fourth server, outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/mysql_topology/topology.hpp"

namespace troupe::models {

using agent::Epoch;
using mysql_topology::Command;
using mysql_topology::Verb;

inline constexpr int kMembers = 3;
// A server that is no member and has no agent; it takes writes as long as it runs.
inline constexpr int kOutside = kMembers;

// An order that waits for something is given this long.
std::chrono::seconds patience(Verb verb);
// All has come to rest by then: a group expels a member after 20 s, and who has no majority leaves
// after 15.
inline constexpr std::chrono::seconds kRest{30};

class Servers {
 public:
  virtual ~Servers() = default;

  // --- what befalls them
  // To its end; a line says how it ended.
  void order(int member, Command command);
  // The same where chance decides how it ends: no line.
  void try_to(int member, Command command);
  // Of these and the next: b and c follow a, which waits for one of them.
  void forms();
  // a has begun a group, b and c have joined it.
  void forms_group();
  // a follows a server outside, b and c follow a.
  void forms_fed_from_outside();
  // One row, by a client that waits for its answer for as long as it takes.
  virtual void write(int member) = 0;
  virtual void kill(int member) = 0;  // and it starts again by itself
  virtual void pause(int member, bool paused) = 0;
  virtual void purge(int member) = 0;  // its binary logs, all that there are
  // Nothing is applied meanwhile.
  virtual void hold_applier(int member, bool held) = 0;

  // Lines of everything that is to be seen, when all is quiet.
  void look() { look_after(kRest); }
  // While something is under way: so long after what came before, and for some seconds more.
  void look_after(Duration so_long);

  const std::vector<std::string>& lines() const { return lines_; }

 protected:
  // `group` names the group, if there is one, and its transactions bear that UUID.
  explicit Servers(std::string group);
  const std::string& group() const { return group_; }
  virtual std::string answer(int member, const Command& command) = 0;  // "done", or a Code's name
  virtual std::string picture(Duration after) = 0;
  int size() const { return has_outside_ ? kMembers + 1 : kMembers; }
  // The lines that what was seen of each server, nothing of one that does not answer, and the
  // number of writes on members whose clients were told OK make.
  using Seen = std::vector<std::optional<mysql::MemberObservation>>;
  std::string draw(const Seen& seen, std::size_t told);
  // Whom a replica names as its source.
  virtual int member_at(const mysql::ReplicaStatus& replica) const = 0;
  virtual void make_table(int server) = 0;  // two transactions
  virtual void add_outside() = 0;

 private:
  void name(int member, const std::string& uuid);
  std::string name_by(const mysql::Uuid& uuid) const;
  std::string text_of(const mysql::GtidSet& set) const;
  std::string text_of(const mysql::GroupStatus& group) const;

  const std::string group_;
  bool has_outside_ = false;
  std::map<std::string, std::string> names_;  // by UUID: members, and the group
  std::vector<std::string> lines_;
};

std::string name_of(int server);

}  // namespace troupe::models
