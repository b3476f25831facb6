// The server of a source ends after another member has taken its role over: without that, its end
// is an outage for as long as a failover takes.
//
// The wish stands on the Pod, where its replication sees it, beside the time of asking: so the next
// operator waits no longer than this one would have.
#include <fmt/format.h>

#include <optional>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

using boost::json::object;

// As long as a candidate may take to catch up; where none lags, a hand-over takes less than a
// second. There may be nobody to hand over to, and whoever ends the Unit does not wait for ever.
constexpr std::chrono::seconds kPatience{60};

bool has_ended(const World& w) { return w.agent && w.agent->connected() && !process_may_run(w); }

k8s::Text wish(const World& w) { return w.pod->metadata.annotations.get(kHandOverAnnotation); }

// Until another one takes writes: meanwhile its Pod bears the label of a source no more.
bool holds_role(const World& w) {
  if (is_source(*w.pod)) return true;
  if (!w.replication) return false;
  const auto& status = w.replication->status;
  const auto& name = w.pod->metadata.name;
  return status.currentSource == name || (status.operation && status.operation->from == name);
}

// Nothing: not yet, or at a time that cannot be.
std::optional<WallTime> asked_at(const World& w) {
  const auto at = k8s::parse_rfc3339(w.pod->metadata.annotations.get(kHandOverSinceAnnotation));
  if (wish(w).empty() || !at || *at > w.wall) return std::nullopt;
  return *at;
}

// Without an ending the wish goes.
void note(const World& w, std::string_view ending, WallTime since, Decision& d) {
  object annotations{{kHandOverAnnotation, nullptr}, {kHandOverSinceAnnotation, nullptr}};
  if (!ending.empty()) {
    annotations[kHandOverAnnotation] = ending;
    annotations[kHandOverSinceAnnotation] = to_rfc3339(since);
  }
  patch_as_seen(d, "note hand-over", *w.pod,
                {{"metadata", {{"annotations", std::move(annotations)}}}});
}

}  // namespace

bool is_source(const k8s::Pod& pod) {
  const auto& labels = pod.metadata.labels;
  return labels.get(kReadonlyLabel) == "false" && !labels.get(kReplicationLabel).empty();
}

bool may_end(const World& w, std::string_view ending, TimePoint now, Decision& d) {
  if (!holds_role(w) || has_ended(w)) return true;
  const auto& name = w.pod->metadata.name;
  const auto replication = w.pod->metadata.labels.get(kReplicationLabel);
  const auto noted = asked_at(w);
  const auto since = noted.value_or(w.wall);
  const auto waited = w.wall - since;
  if (waited >= kPatience) {
    tell(d, *w.object, true, "NotHandedOver",
         fmt::format("{} was asked at {} to hand over its role in MysqlReplication {}, and has not "
                     "within {} s: its server ends all the same",
                     name, to_rfc3339(since), replication, kPatience.count()));
    return true;
  }
  if (!noted || wish(w) != ending) note(w, ending, since, d);
  d.doing = "handing its role over first";
  d.hold(std::string(kHandsOverFirst),
         fmt::format("{} is {} and is the source of MysqlReplication {}: another member takes over "
                     "first, asked for at {}; without that its server ends at {}",
                     name, ending, replication, to_rfc3339(since), to_rfc3339(since + kPatience)),
         now - waited);
  d.wake_at(now + (kPatience - waited));
  return false;
}

void take_back_hand_over(const World& w, Decision& d) {
  if (!wish(w).empty()) note(w, {}, {}, d);
}

}  // namespace troupe::actors::unit
