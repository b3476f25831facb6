#include "actors/model/conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::actors {
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
  if (!told) changed_.push_back({c, before});
  conditions_.push_back(c);
}

void Conditions::held(std::string_view type, const std::vector<Guard>& guards) {
  std::string all;
  for (const auto& g : guards) all += (all.empty() ? "" : "; ") + g.text;
  set(type, false, guards.front().rule, all);
}

void Conditions::reconciled(const std::vector<Guard>& guards) {
  if (guards.empty()) return set(kReconciled, true, "AllApplied", "nothing stands in its way");
  held(kReconciled, guards);
}

std::vector<ConditionNews> news_of(const Conditions& conditions,
                                   std::initializer_list<std::string_view> types,
                                   std::initializer_list<std::string_view> quiet, Warned& warned) {
  const auto is_trouble = [quiet](const k8s::Condition& c) {
    return c.status == k8s::ConditionStatus::False &&
           std::find(quiet.begin(), quiet.end(), c.reason.view()) == quiet.end();
  };
  std::vector<ConditionNews> out;
  for (const auto& [now, before] : conditions.changed()) {
    if (std::find(types.begin(), types.end(), now.type.view()) == types.end()) continue;
    auto& trouble = warned[now.type.str()];
    if (before && is_trouble(*before)) trouble = before->reason.str();
    const bool warning = is_trouble(now);
    if (!warning && now.status != k8s::ConditionStatus::True) continue;
    auto was = std::exchange(trouble, warning ? now.reason.str() : std::string());
    if (warning || !was.empty())
      out.push_back({now.type.str(), warning, now.reason.str(), now.message.str(), std::move(was)});
  }
  return out;
}

}  // namespace troupe::actors
