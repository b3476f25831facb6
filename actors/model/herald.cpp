#include "actors/model/herald.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/model/wording.hpp"

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
  decision.effects = std::move(kept);
  for (auto& [type, condition] : conditions_) tell(condition, decision, now);
}

void Herald::tell(Condition& condition, Decision& decision, TimePoint now) {
  for (auto& [rule, told] : condition.told) {
    if (stands(decision, rule))
      told.gone.reset();
    else if (!told.gone)
      told.gone = now;
  }
  for (auto it = condition.waiting.begin(); it != condition.waiting.end();) {
    auto& [effect, since] = it->second;
    if (!stands(decision, it->first)) {
      since.reset();
    } else if (!since || now - *since < kStands) {
      since = since.value_or(now);
      decision.wake_at(*since + kStands);
    } else {
      condition.told[it->first] = {event_of(effect).text, std::nullopt};
      decision.effects.push_back(std::move(effect));
      it = condition.waiting.erase(it);
      continue;
    }
    ++it;
  }
}

bool Herald::hear(Effect& effect, TimePoint now) {
  auto& event = std::get<EmitEvent>(effect.action);
  const auto [found, first] = conditions_.try_emplace(event.condition);
  auto& [waiting, told] = found->second;
  // Told by the process before this one.
  if (first && !event.before.empty()) told[event.before];
  if (!event.warning) {
    waiting.clear();
    event.before.clear();
    for (const auto& [rule, ignored] : told)
      event.before += (event.before.empty() ? "" : ", ") + rule;
    told.clear();
    return !event.before.empty();
  }
  const auto known = told.find(event.reason);
  if (known != told.end() && same_but_for_numbers(known->second.text, event.text) &&
      (!known->second.gone || now - *known->second.gone < kStands)) {
    waiting.erase(event.reason);  // it was away for a moment
    return false;
  }
  auto reason = event.reason;
  waiting[std::move(reason)].effect = std::move(effect);
  return false;
}

}  // namespace troupe::actors
