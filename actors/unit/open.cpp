// Who opens the database, which boots closed: its replication; and where there is none and never
// was one, the Unit. That needs no Promote: such a server has booted without semi-sync and follows
// nobody, and one that a person has made a replica refuses to be opened while it replicates.
#include <fmt/format.h>

#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

// A former member may hold what others do not, or lack what they have. It is also the epoch of our
// order, so that any replication's goes before it.
constexpr agent::Epoch kNeverAMember{};

bool stands_alone(const World& w) {
  const auto& m = w.object->metadata;
  return !k8s::controller_of(m) && m.labels.get(kOwnerLabel).empty();
}

// Each process of the database has its own, and an agent that starts anew changes nothing in it.
std::string process_life(const agent::AgentObservation& a) {
  const auto started = a.process.started ? a.process.started->time_since_epoch().count() : 0;
  return fmt::format("{}/{}/{}", a.container_id, a.process.pid, started);
}

}  // namespace

Access access_of(const World& w, const Memory& memory) {
  if (!stands_alone(w) || !w.object->spec.startup || !w.agent || !w.agent->connected() ||
      w.agent->process.state != agent::ProcessState::Running)
    return Access::NotOurs;
  if (w.agent->highest_epoch > kNeverAMember) return Access::FormerMember;
  if (memory.opened == process_life(*w.agent)) return Access::Open;
  // It may be open since before this operator started: what was ready stays so until it is known.
  const bool unknown = memory.opened.empty() && memory.open_error.empty();
  return unknown && w.object->status.phase == k8s::UnitPhase::Ready ? Access::Open
                                                                    : Access::Opening;
}

void keep_open(const World& w, const agent::Endpoint& endpoint, const Memory& memory, Decision& d) {
  const auto& a = *w.agent;
  if (!stands_alone(w) || a.highest_epoch > kNeverAMember) return;
  // The agent closes it for the end of its container.
  if (a.process.terminating || a.process.dying) return;
  const auto life = process_life(a);
  if (memory.opened == life) return;
  d.doing = "opening its database";
  d.add(std::string(kOpenKey) + life,
        AskAgent{endpoint, agent::OpenForWrites{.acks = 0, .semi_sync = false}, kNeverAMember},
        std::chrono::seconds(30));
}

}  // namespace troupe::actors::unit
