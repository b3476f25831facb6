// Which effects of one actor are in flight, and when failed ones may be tried again.
//
// Part of an actor's memory; decide() hears nothing of it but its answers and, through a Sight,
// what the API server refuses. Bounded: entries that say nothing any more are dropped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/effect.hpp"
#include "actors/model/refusal.hpp"
#include "runtime/model/backoff.hpp"

namespace troupe::actors {

class Ledger {
 public:
  // Whether the effect is to be started now; if so it counts as in flight. Otherwise `wake` is
  // moved forward to when it may be, if that is a matter of time.
  bool start(const Effect& effect, TimePoint now, TimePoint& wake);
  void finish(const EffectResult& result, std::uint64_t random);

  bool in_flight(std::string_view key) const;
  std::size_t flights() const;
  // The last failure of an effect that has not succeeded since; null: none.
  const Error* failure(std::string_view key) const;
  // By key: the writes that are refused for good, and those that others have not let through for a
  // while. What fails for want of an answer is not among them: nobody could be told.
  std::vector<Refusal> refusals() const;
  void forget_old(TimePoint now);

 private:
  struct Entry {
    bool in_flight = false;
    std::uint32_t failures = 0;
    std::uint32_t repeats = 0;    // the same effect asked for again although it succeeded
    std::size_t last_done = 0;    // fingerprint
    std::size_t last_failed = 0;  // fingerprint
    bool refused = false;         // `error` is a refusal
    bool told = false;            // as one that lasts, until it succeeds
    TimePoint last;
    TimePoint not_before;
    TimePoint failing_since;
    Error error;
  };
  static void note_failure(Entry& entry, const EffectResult& result);

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace troupe::actors
