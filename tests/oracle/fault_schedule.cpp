#include "tests/oracle/fault_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace troupe::oracle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// From the first fault of a burst to its last: a failover takes up to four seconds, so what comes
// within meets one in each of its steps.
constexpr milliseconds kBurst = seconds(6);
// A source that is not heard is given up after three seconds, or ten: shorter and longer.
constexpr milliseconds kShortest(200);
constexpr milliseconds kLongest = seconds(15);
constexpr milliseconds kLongestCalm = seconds(15);

struct Kind {
  Fault fault;
  const char* name;
  unsigned weight;  // how often, of all together
  bool is_taken_back;
  bool has_victim = true;
  bool is_between_two = false;
};
constexpr std::array kKinds{
    Kind{Fault::KillServer, "kill", 4, false},
    Kind{Fault::PauseServer, "pause", 3, true},
    Kind{Fault::DeletePod, "delete Pod", 1, false},
    Kind{Fault::KillPod, "kill Pod", 2, false},
    Kind{Fault::CutOff, "cut off", 2, true},
    Kind{Fault::LoseSight, "lose sight of", 2, true},
    Kind{Fault::Part, "part", 2, true, true, true},
    Kind{Fault::Silence, "silence", 2, true, true, true},
    Kind{Fault::FillVolume, "fill volume of", 1, true},
    Kind{Fault::CrowdVolume, "crowd volume of", 1, true},
    Kind{Fault::KillOperator, "kill operator", 2, true, false},
};

const Kind& kind_of(Fault fault) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [&](const Kind& kind) { return kind.fault == fault; });
}

const char* to_string(Victim victim) {
  switch (victim) {
    case Victim::Source:
      return "source";
    case Victim::Replica:
      return "replica";
    case Victim::OtherReplica:
      return "other replica";
  }
  return "";
}

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}

  // Of 0 to n-1. The standard's distributions differ from library to library.
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  milliseconds between(milliseconds min, milliseconds max) {
    return min + milliseconds(pick(static_cast<std::uint64_t>((max - min).count()) + 1));
  }
  // Half of them the source.
  Victim victim() {
    constexpr std::array kVictims{Victim::Source, Victim::Source, Victim::Replica,
                                  Victim::OtherReplica};
    return kVictims[pick(kVictims.size())];
  }
  const Kind& kind() {
    unsigned all = 0;
    for (const auto& kind : kKinds) all += kind.weight;
    auto left = pick(all);
    for (const auto& kind : kKinds) {
      if (left < kind.weight) return kind;
      left -= kind.weight;
    }
    return kKinds.back();
  }

 private:
  std::mt19937_64 random_;
};

ScheduledFault some_fault(Chance& chance) {
  const auto& kind = chance.kind();
  ScheduledFault out{.at = chance.between({}, kBurst), .fault = kind.fault};
  if (kind.has_victim) out.victim = chance.victim();
  if (kind.is_between_two) {
    do {
      out.other = chance.victim();
    } while (out.other == out.victim);
  }
  if (kind.is_taken_back) out.lasts = chance.between(kShortest, kLongest);
  return out;
}

std::string seconds_of(milliseconds t) {
  return fmt::format("{:.1f}s", static_cast<double>(t.count()) / 1000);
}

}  // namespace

FaultSchedule fault_schedule(std::uint64_t seed, const FaultShape& shape) {
  Chance chance(seed);
  FaultSchedule out{.seed = seed, .bursts = {}};
  for (int i = 0; i < shape.bursts; ++i) {
    Burst burst;
    const auto faults = 1 + chance.pick(static_cast<std::uint64_t>(shape.faults_in_a_burst));
    for (std::uint64_t j = 0; j < faults; ++j) burst.faults.push_back(some_fault(chance));
    std::stable_sort(burst.faults.begin(), burst.faults.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    burst.calm = chance.between({}, kLongestCalm);
    out.bursts.push_back(std::move(burst));
  }
  return out;
}

std::string to_string(const ScheduledFault& fault) {
  const auto& kind = kind_of(fault.fault);
  auto text = fmt::format("+{} {}", seconds_of(fault.at), kind.name);
  if (kind.has_victim) text += fmt::format(" {}", to_string(fault.victim));
  if (kind.is_between_two)
    text +=
        fmt::format(" {} {}", fault.fault == Fault::Part ? "and" : "to", to_string(fault.other));
  if (kind.is_taken_back) text += " for " + seconds_of(fault.lasts);
  return text;
}

std::string to_string(const FaultSchedule& schedule) {
  auto text = fmt::format("seed {}", schedule.seed);
  const char* separator = ": ";
  for (const auto& burst : schedule.bursts) {
    for (const auto& fault : burst.faults) {
      text += separator + to_string(fault);
      separator = ", ";
    }
    text += fmt::format(", calm for {}", seconds_of(burst.calm));
    separator = "; ";
  }
  return text;
}

}  // namespace troupe::oracle
