#include "tests/models/modelled.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace troupe::models {
namespace {

using std::chrono::seconds;

// As long as the real ones are given for an order that waits for something.
constexpr seconds kPatience{5};
constexpr seconds kQuiet{10};

std::string thread_text(mysql::ThreadState state) {
  return state == mysql::ThreadState::On    ? "on"
         : state == mysql::ThreadState::Off ? "off"
                                            : "connecting";
}

// The fleet calls its servers db-0, db-1, ...
std::string fleet_name(const std::string& name) { return "db-" + std::to_string(name[0] - 'a'); }
std::string our_name(const std::string& fleet_name) { return name_of(fleet_name.back() - '0'); }

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
  std::vector<Seen> all;
  for (int i = 0; i < kMembers; ++i) {
    Seen seen;
    seen.paused = fleet_[i].paused;
    const auto o = fleet_.observe(i);
    seen.uuid = boost::uuids::to_string(o.server_uuid);
    seen.read_only = o.read_only;
    seen.super_read_only = o.super_read_only;
    seen.offline = o.offline_mode;
    seen.executed = o.gtid_executed;
    seen.waiting = o.semi_sync_source.wait_sessions.value_or(0);
    if (o.semi_sync_source.enabled) seen.attached = o.semi_sync_source.clients.value_or(0);
    if (o.replica) {
      seen.to_apply = subtract(o.replica->retrieved, o.gtid_executed);
      seen.replicates_from = our_name(o.replica->source_host);
      seen.receiver = thread_text(o.replica->io);
      seen.applier = thread_text(o.replica->sql);
    }
    all.push_back(std::move(seen));
  }
  return draw(all, fleet_.acknowledged_writes());
}

}  // namespace troupe::models
