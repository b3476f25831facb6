// The server of a source ends after another member has taken its role over: without that, its end
// is an outage for as long as a failover takes.
//
// The wish stands on the Pod, where its replication sees it. How long it has stood there is
// measured by this process alone, since clocks differ from machine to machine: the next operator
// begins to wait anew.
#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

using boost::json::object;

// As long as a candidate may take to catch up; where none lags, a hand-over takes less than a
// second. There may be nobody to hand over to, and whoever ends the Unit does not wait for ever.
constexpr std::chrono::seconds kPatience{60};
// For half of it replicas may catch up; what they lack then, writers wait for.
constexpr std::chrono::seconds kWaitsForCaughtUp{30};

bool has_ended(const World& w) { return w.agent && w.agent->connected() && !process_may_run(w); }

// Until another one takes writes: meanwhile its Pod bears the label of a source no more.
bool holds_role(const World& w) {
  if (is_source(*w.pod)) return true;
  if (!w.replication) return false;
  const auto& status = w.replication->status;
  const auto& name = w.pod->metadata.name;
  return status.currentSource == name || (status.operation && status.operation->from == name);
}

// Without an ending the wish goes.
void note(const World& w, std::string_view ending, bool soon, Decision& d) {
  const auto& has = w.pod->metadata.annotations;
  if (has.get(kHandOverAnnotation) == ending && has.contains(kHandOverSoonAnnotation) == soon)
    return;
  object annotations{{kHandOverAnnotation, nullptr}, {kHandOverSoonAnnotation, nullptr}};
  if (!ending.empty()) annotations[kHandOverAnnotation] = ending;
  if (soon) annotations[kHandOverSoonAnnotation] = "true";
  patch_as_seen(d, "note hand-over", *w.pod,
                {{"metadata", {{"annotations", std::move(annotations)}}}});
}

}  // namespace

bool is_source(const k8s::Pod& pod) {
  const auto& labels = pod.metadata.labels;
  return labels.get(kReadonlyLabel) == "false" && !labels.get(kReplicationLabel).empty();
}

bool may_end(const World& w, std::string_view ending, Memory& memory, TimePoint now, Decision& d) {
  if (!holds_role(w) || has_ended(w)) return true;
  const auto& pod = w.pod->metadata;
  const auto replication = pod.labels.get(kReplicationLabel);
  auto& asked = memory.hand_over;
  if (asked.of != pod.uid) asked = {.of = pod.uid.str(), .at = now};
  const auto waited = now - asked.at;
  if (waited >= kPatience) {
    tell(
        d, *w.object, true, "NotHandedOver",
        fmt::format("{} was asked to hand over its role in MysqlReplication {}, and has not within "
                    "{} s: its server ends all the same",
                    pod.name, replication, kPatience.count()));
    return true;
  }
  const bool soon = pod.annotations.contains(kHandOverSoonAnnotation);
  note(w, ending, soon || waited >= kWaitsForCaughtUp, d);
  d.doing = "handing its role over first";
  d.hold(std::string(kHandsOverFirst),
         fmt::format("{} is {} and is the source of MysqlReplication {}: another member takes over "
                     "first, or its server ends after {} s without that",
                     pod.name, ending, replication, kPatience.count()),
         asked.at);
  d.wake_at(asked.at + (waited < kWaitsForCaughtUp ? kWaitsForCaughtUp : kPatience));
  return false;
}

void take_back_hand_over(const World& w, Memory& memory, Decision& d) {
  memory.hand_over = {};
  note(w, {}, false, d);
}

}  // namespace troupe::actors::unit
