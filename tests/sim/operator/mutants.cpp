#include "tests/sim/operator/mutants.hpp"

#include <algorithm>
#include <variant>

#include "actors/host/registered.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"
#include "actors/unit/kind.hpp"
#include "actors/unitset/kind.hpp"
#include "tests/sim/mysql_topology/broken_engines.hpp"

namespace troupe::operator_sim {
namespace {

using namespace actors;
namespace broken = mysql_topology::sim;
using Sound = MysqlReplicationKind;

template <class Mutant>
std::span<const RegisteredKind> with() {
  static constexpr RegisteredKind kKinds[] = {
      registered<UnitSetKind>(),
      registered<UnitKind>(),
      registered<Mutant>(),
  };
  return kKinds;
}

struct LabelsThatStay : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    auto d = Sound::decide(w, memory, now);
    std::erase_if(d.effects, [&w](const Effect& e) {
      const auto* apply = std::get_if<Apply>(&e.action);
      return apply && std::any_of(w.nodes.begin(), w.nodes.end(), [apply](const Node& n) {
               return n.pod && apply->object == ref_to(*n.pod) &&
                      n.pod->metadata.labels.get(kReadonlyLabel) == "false";
             });
    });
    return d;
  }
};

struct BeginsWithAnyone : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    const auto stopped = [](Memory::Steps& steps) -> mysql_topology::Outcome* {
      const auto found = steps.outcomes.find(mysql_topology::Verb::StopGroup);
      return found != steps.outcomes.end() && found->second.ok ? &found->second : nullptr;
    };
    mysql::GtidSet all;
    for (auto& [name, steps] : memory.members)
      if (const auto* o = stopped(steps)) all.add(o->executed);
    for (auto& [name, steps] : memory.members)
      if (auto* o = stopped(steps)) o->executed = all;
    return Sound::decide(w, memory, now);
  }
};

struct BeginsWithoutAskingAll : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    auto told = w;
    for (auto& node : told.nodes) {
      if (w.object->status.currentSource.empty() || !node.pod || !node.agent || !node.probe ||
          !node.probe->observation || (node.agent->connected() && node.probe->ok()))
        continue;
      auto seen = *node.probe->observation;
      seen.group = mysql::GroupStatus{};
      seen.gtid_executed = {};
      seen.seen = now;
      auto probe = *node.probe;
      probe.found(mysql::Reachability::Ok, now, now);
      probe.seen = now;
      probe.observation = std::make_shared<const mysql::MemberObservation>(std::move(seen));
      node.probe = std::make_shared<const mysql::ProbeOutcome>(std::move(probe));
      auto agent = *node.agent;
      agent.stream = agent::StreamState::Connected;
      agent.process.state = agent::ProcessState::Running;
      node.agent = std::make_shared<const agent::AgentObservation>(std::move(agent));
      const mysql_topology::Epoch epoch{static_cast<std::uint64_t>(w.object->status.epoch)};
      auto& steps = memory.members[node.name];
      steps = {.life = pod_life(*node.pod), .outcomes = {}, .follow_order = {}};
      steps.outcomes[mysql_topology::Verb::StopGroup] = {.epoch = epoch, .ok = true, .at = now};
    }
    return Sound::decide(told, memory, now);
  }
};

struct OpensWhoIsFed : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    auto d = Sound::decide(w, memory, now);
    if (!w.object || !w.credentials) return d;
    const auto t = mysqlreplication::topology_of(w, memory);
    const auto plan = broken::opens_who_is_fed(t, now);
    if (t.is_fed() && !t.record.operation && !plan.record)
      mysqlreplication::ask_members(w, plan, *w.credentials, d);
    return d;
  }
};

struct FollowsWhoLacksSomething : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    if (!w.object) return Sound::decide(w, memory, now);
    const auto t = broken::told_outside_has_all(mysqlreplication::topology_of(w, memory));
    for (const auto& m : t.members)
      if (!m.outcomes.empty()) memory.members[m.name].outcomes = m.outcomes;
    return Sound::decide(w, memory, now);
  }
};

}  // namespace

std::span<const RegisteredKind> opens_who_is_fed() { return with<OpensWhoIsFed>(); }
std::span<const RegisteredKind> follows_who_lacks_something() {
  return with<FollowsWhoLacksSomething>();
}
std::span<const RegisteredKind> begins_with_anyone() { return with<BeginsWithAnyone>(); }
std::span<const RegisteredKind> begins_without_asking_all() {
  return with<BeginsWithoutAskingAll>();
}
std::span<const RegisteredKind> labels_that_stay() { return with<LabelsThatStay>(); }

}  // namespace troupe::operator_sim
