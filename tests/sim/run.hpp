// A seed's run of a simulation, and what must hold in it whatever befalls.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sim {

// Named, so that a test with a planted bug can say which one has to catch it.
enum class Invariant {
  NoAcknowledgedWriteIsLost,
  OneCanAcknowledge,  // at any instant, whatever is on its way
  OneGroup,           // at any instant: never are members in two of them
  EpochsNeverFall,    // and each has one source
  MembersComeToHoldTheSame,
  ItConverges,             // once faults have stopped
  LabelsNameTheSource,     // likewise
  NothingIsWrittenAnyMore  // when all is well
};

constexpr std::string_view to_string(Invariant invariant) {
  switch (invariant) {
    case Invariant::NoAcknowledgedWriteIsLost:
      return "NoAcknowledgedWriteIsLost";
    case Invariant::OneCanAcknowledge:
      return "OneCanAcknowledge";
    case Invariant::OneGroup:
      return "OneGroup";
    case Invariant::EpochsNeverFall:
      return "EpochsNeverFall";
    case Invariant::MembersComeToHoldTheSame:
      return "MembersComeToHoldTheSame";
    case Invariant::ItConverges:
      return "ItConverges";
    case Invariant::LabelsNameTheSource:
      return "LabelsNameTheSource";
    case Invariant::NothingIsWrittenAnyMore:
      return "NothingIsWrittenAnyMore";
  }
  return "";
}

struct Violation {
  Invariant of = Invariant::ItConverges;
  std::string text;
};

// Which run it is.
struct Scenario {
  std::uint64_t seed = 0;
  bool tell = false;     // its story
  bool lengthy = false;  // ten minutes of faults
  // Of the seed's faults only these, by number from 0; nullopt: all.
  std::optional<std::set<int>> strikes;
};

inline constexpr std::chrono::minutes kLengthy{10};

struct Run {
  std::uint64_t seed = 0;
  std::optional<Violation> violation;
  std::vector<std::string> story;  // if it was asked for
  int strikes = 0;                 // faults that there were
  // What happened, and how often: shows that the faults lead to something.
  std::map<std::string, std::uint64_t> counts;
};

}  // namespace troupe::sim
