// The settings on which lossless failover rests, as data, and checks against them.
//
// A pin is a variable that has to have one of a few values. Some pins are about durability (a crash
// would lose what was acknowledged), some about the semi-sync argument (a commit could be answered
// without its acknowledgements), some about rejoining. The same table checks a configuration file
// before it is applied and a running server after; no check ever changes anything.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/mysql/model/observation.hpp"

namespace troupe::mysql {

enum class PinScope : std::uint8_t {
  Always,
  SemiSync,  // matters only where semi-sync is used
};

struct Pin {
  std::string_view variable;
  std::string_view alias;     // its name in older servers and plugins, or its other name; or empty
  std::string_view accepted;  // in lower case; booleans are on and off
  std::string_view why;       // what goes wrong otherwise
  PinScope scope = PinScope::Always;
};

std::span<const Pin> durability_pins();

struct Weakness {
  std::string variable;  // as it was written
  std::string found;
  std::string_view expected;  // from the table
  std::string_view why;

  bool operator==(const Weakness&) const = default;
};

// "sync_binlog is 0, expected 1: a crash of the node loses acknowledged writes"
std::string to_string(const Weakness& weakness);

struct Setting {
  std::string name;
  std::string value;
};

// From option files: names with - or _ in any case and with a leading loose_; values in the many
// ways of writing booleans. What is not set is not a weakness: the running server's value is
// checked by the other function.
std::vector<Weakness> weaknesses(std::span<const Setting> settings, bool semi_sync);
// From a running server. Unknown values (a variable that the server lacks) are not a weakness.
std::vector<Weakness> weaknesses(const MemberObservation& member, bool semi_sync);

}  // namespace troupe::mysql
