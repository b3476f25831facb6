#include "tests/models/modelled.hpp"

#include "tests/sim/mysql/group.hpp"

namespace troupe::models {
namespace {

// The fleet calls its servers db-0, db-1, ...
std::string fleet_name(const std::string& name) {
  return name == name_of(kOutside) ? std::string(mysql_topology::kOutside)
                                   : "db-" + std::to_string(name[0] - 'a');
}

}  // namespace

Modelled::Modelled(std::uint64_t seed)
    : Servers(mysql::to_string(mysql_topology::sim::uuid_of_groups())),
      timeline_(seed, false),
      fleet_(timeline_, {}, kMembers) {}

void Modelled::pass(Duration time) {
  const auto end = timeline_.now() + time;
  while (timeline_.now() < end && timeline_.step()) {
  }
}

void Modelled::kill(int member) { fleet_.kill(member, std::chrono::milliseconds(200)); }

void Modelled::make_table(int server) {
  for (int i = 0; i < 2; ++i) {
    fleet_.write(server);
    pass(kRest);
  }
}

std::string Modelled::answer(int member, const Command& command) {
  std::optional<mysql_topology::sim::Reply> answered;
  auto told = command;
  if (!told.peer.empty()) told.peer = fleet_name(told.peer);
  fleet_.command(member, {.command = told,
                          .deadline = timeline_.now() + patience(told.verb),
                          .answer = [&](const auto& reply) { answered = reply; }});
  while (!answered && timeline_.step()) {
  }
  return answered->failed ? std::string(to_string(answered->failed->code)) : "done";
}

std::string Modelled::picture(Duration after) {
  pass(after);
  Seen all;
  for (int i = 0; i < size(); ++i)
    all.push_back(fleet_.answers(i) ? std::optional(fleet_.observe(i)) : std::nullopt);
  return draw(all, fleet_.acknowledged_writes());
}

}  // namespace troupe::models
