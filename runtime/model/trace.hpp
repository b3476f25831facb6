// What an actor did and why, as plain values: causes go in, a record comes out.
//
// A Cause is made on the hot path, once an event, so it renders its text only when somebody keeps
// or shows it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/ids.hpp"
#include "runtime/model/time.hpp"

namespace troupe {

enum class CauseType : std::uint8_t { Start, Watch, Timer, Observation, EffectResult, Manual };
std::string_view to_string(CauseType type);

struct Cause {
  CauseType type = CauseType::Start;
  CausalId id;
  TimePoint at;                         // when it entered the process
  std::uint64_t version = 0;            // of the subject, for describe()
  std::shared_ptr<const void> subject;  // whatever describe() needs; may be null
  std::string (*describe)(const Cause&) = nullptr;
  // A process died, or may have: people follow the chain of that, so it is not lost among others.
  bool alarm = false;

  std::string text() const { return describe ? describe(*this) : std::string(to_string(type)); }
};

// A cause whose text is at hand.
Cause make_cause(CauseType type, CausalId id, TimePoint at, std::string text);

// A rule that held a step back, with its evidence: part of every decision's result, shown in
// status, events and console. `since` is when the rule began to hold, as far as is known.
struct Guard {
  std::string rule;  // CamelCase, stable: a metric label and a condition reason
  std::string text;  // for people, with numbers
  TimePoint since;
  friend bool operator==(const Guard&, const Guard&) = default;
};

// One run of one actor, as kept in its history.
struct Record {
  struct CauseText {
    CauseType type;
    CausalId id;
    std::string text;
    TimePoint at;  // when it entered the process
    friend bool operator==(const CauseText&, const CauseText&) = default;
  };
  struct EffectText {
    std::string key;   // stable name of the effect, e.g. "apply Service default/db-readwrite"
    std::string text;  // what it asks for, without secrets
    friend bool operator==(const EffectText&, const EffectText&) = default;
  };
  ActorId actor;
  std::uint64_t sequence = 0;  // of this actor, from 1
  CausalId id;                 // of the chain that this run belongs to
  WallTime wall;
  TimePoint at;
  Duration took{};
  std::vector<CauseText> causes;
  std::uint32_t merged_causes = 0;  // causes beyond the bound, counted and not kept
  std::string doing;
  std::vector<Guard> guards;  // as the last of the quiet runs saw them
  std::vector<EffectText> effects;
  std::string fault;             // what an exception said, else empty
  std::uint32_t quiet_runs = 0;  // later runs that changed nothing and asked for nothing
  WallTime last_quiet;
  friend bool operator==(const Record&, const Record&) = default;
};

}  // namespace troupe
