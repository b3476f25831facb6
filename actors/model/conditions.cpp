#include "actors/model/conditions.hpp"

namespace troupe::actors {
namespace {

constexpr std::string_view kReconciled = "Reconciled";

}  // namespace

void Conditions::set(std::string_view type, bool status, std::string_view reason,
                     std::string_view message) {
  k8s::Condition c;
  c.type = arena_.text(type);
  c.status = status ? k8s::ConditionStatus::True : k8s::ConditionStatus::False;
  c.observedGeneration = generation_;
  c.reason = arena_.text(reason);
  c.message = arena_.text(message);
  const auto* before = k8s::find_condition(live_, type);
  const bool same_status = before && before->status == c.status;
  // RFC 3339 keeps seconds only; what is compared later must have been cut alike.
  c.lastTransitionTime = same_status ? before->lastTransitionTime
                                     : k8s::Time{std::chrono::floor<std::chrono::seconds>(wall_)};
  const bool told = same_status && before->reason == c.reason &&
                    (type != kReconciled || before->message == c.message);
  if (!told) changed_.push_back(c);
  conditions_.push_back(c);
}

void Conditions::reconciled(const std::vector<Guard>& guards) {
  if (guards.empty()) return set(kReconciled, true, "AllApplied", "everything is as specified");
  std::string all;
  for (const auto& g : guards) all += (all.empty() ? "" : "; ") + g.text;
  set(kReconciled, false, guards.front().rule, all);
}

}  // namespace troupe::actors
