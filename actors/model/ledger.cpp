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
constexpr Duration kForgetAfter = std::chrono::minutes(5);

}  // namespace

bool Ledger::start(const Effect& effect, TimePoint now, TimePoint& wake) {
  auto& entry = entries_[effect.key];
  if (entry.in_flight) return false;
  // Another request under the same key has not failed yet.
  const bool same = entry.failures > 0 || entry.last_done == fingerprint(effect);
  if (same && now < entry.not_before) {
    wake = std::min(wake, entry.not_before);
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
    entry.error = *result.failed;
    const auto& backoff = entry.error.code == Code::Conflict ? kAfterConflict : kAfterFailure;
    entry.not_before = result.finished + backoff.delay(++entry.failures, random);
    return;
  }
  entry.failures = 0;
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

void Ledger::forget_old(TimePoint now) {
  std::erase_if(entries_, [now](const auto& e) {
    return !e.second.in_flight && now - e.second.last > kForgetAfter;
  });
}

}  // namespace troupe::actors
