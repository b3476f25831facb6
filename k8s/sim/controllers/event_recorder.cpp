#include "k8s/sim/controllers/event_recorder.hpp"

#include <fmt/format.h>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

// Events whose repetition is still counted; older ones start again at one.
constexpr std::size_t kRememberedEvents = 4096;

}  // namespace

void EventRecorder::record(const json::value& about, EventType type, std::string_view reason,
                           std::string_view message, std::string_view component,
                           std::string_view field) {
  Fingerprint fingerprint{std::string(uid_of(about)), std::string(reason), std::string(message),
                          std::string(field)};
  if (count_again(fingerprint)) return;

  const std::string ns(namespace_of(about).empty() ? "default" : namespace_of(about));
  const WallTime now = clock_.wall();
  const std::string name = fmt::format("{}.{:x}{:04x}", name_of(about),
                                       now.time_since_epoch().count(), ++serial_ & 0xffff);
  json::object reference{{"apiVersion", text(about, {"apiVersion"})},
                         {"kind", text(about, {"kind"})},
                         {"name", name_of(about)},
                         {"namespace", namespace_of(about)},
                         {"resourceVersion", text(about, {"metadata", "resourceVersion"})},
                         {"uid", uid_of(about)}};
  if (!field.empty()) reference["fieldPath"] = field;
  json::object event{{"apiVersion", "v1"},
                     {"kind", "Event"},
                     {"metadata", {{"name", name}, {"namespace", ns}}},
                     {"involvedObject", std::move(reference)},
                     {"type", type == EventType::Normal ? "Normal" : "Warning"},
                     {"reason", reason},
                     {"message", message},
                     {"count", 1},
                     {"firstTimestamp", to_rfc3339(now)},
                     {"lastTimestamp", to_rfc3339(now)},
                     {"source", {{"component", component}}},
                     {"reportingComponent", component},
                     {"reportingInstance", ""}};
  // An event that cannot be written is lost, as on a real cluster.
  if (api_.create("events", ns, std::move(event))) {
    remember(std::move(fingerprint), Known{ns, name, 1, {}});
  }
}

bool EventRecorder::count_again(const Fingerprint& fingerprint) {
  const auto found = known_.find(fingerprint);
  if (found == known_.end()) return false;
  Known& known = found->second;
  ++known.count;
  json::object patch{{"count", known.count}, {"lastTimestamp", to_rfc3339(clock_.wall())}};
  if (api_.merge_patch("events", known.ns, known.name, "", std::move(patch))) return true;
  oldest_first_.erase(known.age);
  known_.erase(found);
  return false;
}

void EventRecorder::remember(Fingerprint fingerprint, Known known) {
  oldest_first_.push_back(fingerprint);
  known.age = std::prev(oldest_first_.end());
  known_.insert_or_assign(std::move(fingerprint), std::move(known));
  if (known_.size() > kRememberedEvents) {
    known_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

}  // namespace troupe::sim
