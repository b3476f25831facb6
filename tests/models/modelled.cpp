#include "tests/models/modelled.hpp"

namespace troupe::models {
namespace {

using std::chrono::seconds;

// As long as the real ones are given for an order that waits for something.
constexpr seconds kPatience{5};
constexpr seconds kQuiet{10};

// The fleet calls its servers db-0, db-1, ...
std::string fleet_name(const std::string& name) { return "db-" + std::to_string(name[0] - 'a'); }

}  // namespace

Modelled::Modelled(std::uint64_t seed) : timeline_(seed, false), fleet_(timeline_, {}, kMembers) {}

void Modelled::pass(Duration time) {
  const auto end = timeline_.now() + time;
  while (timeline_.now() < end && timeline_.step()) {
  }
}

void Modelled::kill(int member) { fleet_.kill(member, std::chrono::milliseconds(200)); }

void Modelled::make_table(int member) {
  for (int i = 0; i < 2; ++i) {
    fleet_.write(member);
    pass(kQuiet);
  }
}

std::string Modelled::answer(int member, const Command& command) {
  std::optional<mysql_topology::sim::Reply> answered;
  auto told = command;
  if (!told.peer.empty()) told.peer = fleet_name(told.peer);
  fleet_.command(member, {.command = told,
                          .deadline = timeline_.now() + kPatience,
                          .answer = [&](const auto& reply) { answered = reply; }});
  while (!answered && timeline_.step()) {
  }
  return answered->failed ? std::string(to_string(answered->failed->code)) : "done";
}

std::string Modelled::picture() {
  pass(kQuiet);
  Seen all;
  for (int i = 0; i < kMembers; ++i)
    all.push_back(fleet_[i].paused ? std::nullopt : std::optional(fleet_.observe(i)));
  return draw(all, fleet_.acknowledged_writes());
}

}  // namespace troupe::models
