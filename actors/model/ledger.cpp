#include "actors/model/ledger.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

// A conflict only means that we looked too early: the newer snapshot is on its way.
constexpr Backoff kAfterConflict{std::chrono::milliseconds(5), std::chrono::seconds(1)};
constexpr Backoff kAfterFailure{std::chrono::milliseconds(100), std::chrono::seconds(30)};
// A decision that keeps asking for what was done already is slowed down, not trusted.
constexpr Backoff kAfterRepeat{std::chrono::milliseconds(200), std::chrono::seconds(60)};
constexpr std::uint32_t kRepeatsAllowed = 3;
constexpr Duration kRepeatWindow = std::chrono::seconds(120);
// A refusal that a retry may heal is told when it has not.
constexpr Duration kPatience = std::chrono::seconds(10);
// What was refused for good and is then asked for in another way is a correction, and does not wait
// for the backoff; a decision that asks in another way every time does.
constexpr Duration kBeforeCorrection = std::chrono::seconds(1);
constexpr Duration kForgetAfter = std::chrono::minutes(5);

}  // namespace

bool Ledger::start(const Effect& effect, TimePoint now, TimePoint& wake) {
  auto& entry = entries_[effect.key];
  if (entry.in_flight) return false;
  const auto asked = fingerprint(effect);
  auto not_before = entry.not_before;
  // Another request under the same key has not failed yet.
  if (entry.failures == 0 && entry.last_done != asked) not_before = {};
  if (entry.failures > 0 && is_final(entry.error.code) && entry.last_failed != asked)
    not_before = std::min(not_before, entry.last + kBeforeCorrection);
  if (now < not_before) {
    wake = std::min(wake, not_before);
    return false;
  }
  entry.in_flight = true;
  entry.last = now;
  return true;
}

void Ledger::finish(const EffectResult& result, std::uint64_t random) {
  auto& entry = entries_[result.key];
  entry.in_flight = false;
  const auto before = std::exchange(entry.last, result.finished);
  if (result.failed) {
    note_failure(entry, result);
    const auto& backoff = result.failed->code == Code::Conflict ? kAfterConflict : kAfterFailure;
    entry.not_before = result.finished + backoff.delay(++entry.failures, random);
    return;
  }
  entry.failures = 0;
  entry.refused = entry.told = false;
  const bool again =
      entry.last_done == result.fingerprint && result.finished - before < kRepeatWindow;
  entry.repeats = again ? entry.repeats + 1 : 0;
  entry.last_done = result.fingerprint;
  // An event tells that something happened; saying it again would be untrue.
  if (result.key.starts_with("event ")) {
    entry.not_before = result.finished + kRepeatWindow;
    return;
  }
  entry.not_before =
      entry.repeats < kRepeatsAllowed
          ? TimePoint{}
          : result.finished + kAfterRepeat.delay(entry.repeats - kRepeatsAllowed + 1, random);
}

void Ledger::note_failure(Entry& entry, const EffectResult& result) {
  const bool first = entry.failures == 0;
  if (first) entry.failing_since = result.finished;
  // The same again is no news, and an answer that did not come takes nothing back.
  const bool same =
      entry.last_failed == result.fingerprint && say_the_same(entry.error, *result.failed);
  if (first || (!same && result.refused >= entry.refused)) entry.error = *result.failed;
  entry.refused |= result.refused;
  entry.told |= result.refused && (is_final(result.failed->code) ||
                                   result.finished - entry.failing_since >= kPatience);
  entry.last_failed = result.fingerprint;
}

bool Ledger::in_flight(std::string_view key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.in_flight;
}

std::size_t Ledger::flights() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& e) { return e.second.in_flight; }));
}

const Error* Ledger::failure(std::string_view key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.failures > 0 ? &found->second.error : nullptr;
}

std::vector<Refusal> Ledger::refusals() const {
  std::vector<Refusal> out;
  for (const auto& [key, e] : entries_)
    if (e.told) out.push_back({key, e.error, e.failing_since});
  return out;
}

void Ledger::forget_old(TimePoint now) {
  std::erase_if(entries_, [now](const auto& e) {
    return !e.second.in_flight && now - e.second.last > kForgetAfter;
  });
}

}  // namespace troupe::actors
