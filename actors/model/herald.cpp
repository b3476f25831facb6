#include "actors/model/herald.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

const EmitEvent& event_of(const Effect& effect) { return std::get<EmitEvent>(effect.action); }

bool stands(const Decision& decision, std::string_view rule) {
  return std::any_of(decision.guards.begin(), decision.guards.end(),
                     [rule](const Guard& g) { return g.rule == rule; });
}

}  // namespace

void Herald::sift(Decision& decision, TimePoint now) {
  std::vector<Effect> kept;
  for (auto& effect : decision.effects) {
    const auto* event = std::get_if<EmitEvent>(&effect.action);
    if (!event || event->condition.empty() || hear(effect, now)) kept.push_back(std::move(effect));
  }
  for (auto& [type, condition] : conditions_) {
    auto& [waiting, rule, text] = condition;
    if (!waiting) continue;
    const auto& event = event_of(waiting->effect);
    if (!stands(decision, event.reason)) {
      waiting.reset();
    } else if (now - waiting->since < kStands) {
      decision.wake_at(waiting->since + kStands);
    } else {
      rule = event.reason;
      text = event.text;
      kept.push_back(std::move(waiting->effect));
      waiting.reset();
    }
  }
  decision.effects = std::move(kept);
}

bool Herald::hear(Effect& effect, TimePoint now) {
  auto& event = std::get<EmitEvent>(effect.action);
  const auto [found, first] = conditions_.try_emplace(event.condition);
  auto& [waiting, rule, text] = found->second;
  if (first) rule = event.before;  // told by the process before this one
  if (!event.warning) {
    waiting.reset();
    event.before = std::exchange(rule, {});
    return !event.before.empty();
  }
  if (rule == event.reason && text == event.text) {
    waiting.reset();  // it was away for a moment
    return false;
  }
  const bool same = waiting && event_of(waiting->effect).reason == event.reason;
  waiting = Waiting{std::move(effect), same ? waiting->since : now};
  return false;
}

}  // namespace troupe::actors
