// What keeps a Pod from running and nobody tells but the Pod itself: people look at the Unit.
#include <fmt/format.h>

#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

// On its way to run.
bool is_course_of_things(k8s::Text reason) {
  return reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing";
}

std::string with_message(k8s::Text reason, k8s::Text message) {
  return message.empty() ? reason.str() : fmt::format("{}: {}", reason, message);
}

}  // namespace

void hold_waiting_pod(const k8s::Pod& pod, Decision& d) {
  const auto* scheduled = pod.status.conditions.find(&k8s::PodCondition::type, "PodScheduled");
  if (scheduled && scheduled->status == "False")
    return d.hold("PodUnscheduled",
                  fmt::format("its Pod has no node: {}",
                              with_message(scheduled->reason, scheduled->message)));
  for (const auto* containers : {&pod.status.initContainerStatuses, &pod.status.containerStatuses})
    for (const auto& container : *containers) {
      const auto& waiting = container.state.waiting;
      if (!waiting || is_course_of_things(waiting->reason)) continue;
      // Those after it wait for it, or for the same.
      return d.hold("ContainerWaits", fmt::format("container {} cannot start: {}", container.name,
                                                  with_message(waiting->reason, waiting->message)));
    }
}

}  // namespace troupe::actors::unit
