// Three MySQL servers with their agents, that a scenario is played on: the simulator's models
// (modelled.hpp) or real ones (real.hpp). What a scenario saw is a list of lines; the simulation is
// worth believing where both give the same.
//
// One thread. Members are 0, 1, 2 and are called a, b and c; a server that got another UUID is a'.
#pragma once

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

class Servers {
 public:
  virtual ~Servers() = default;

  // --- what befalls them
  // To its end; a line says how it ended.
  void order(int member, Command command);
  // Of the last three, for a cluster that is formed.
  void forms();
  // One row, by a client that waits for its answer for as long as it takes.
  virtual void write(int member) = 0;
  virtual void kill(int member) = 0;  // and it starts again by itself
  virtual void pause(int member, bool paused) = 0;
  // Nothing is applied meanwhile.
  virtual void hold_applier(int member, bool held) = 0;

  // Lines of everything that is to be seen, when all is quiet.
  void look();

  const std::vector<std::string>& lines() const { return lines_; }

 protected:
  virtual std::string answer(int member, const Command& command) = 0;  // "done", or a Code's name
  virtual std::string picture() = 0;                                   // at rest
  // The lines that what was seen of each member, nothing of a paused one, and the number of writes
  // whose clients were told OK make.
  using Seen = std::vector<std::optional<mysql::MemberObservation>>;
  std::string draw(const Seen& seen, std::size_t told);
  // Whom a replica names as its source.
  virtual int member_at(const mysql::ReplicaStatus& replica) const = 0;
  virtual void make_table(int member) = 0;  // two transactions

 private:
  void name(int member, const std::string& uuid);
  std::string text_of(const mysql::GtidSet& set) const;

  std::map<std::string, std::string> names_;  // of members by server UUID
  std::vector<std::string> lines_;
};

std::string name_of(int member);

}  // namespace troupe::models
