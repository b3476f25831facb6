// The version of a MySQL server, compared by numbers. Calendar versions (26.7.0) follow 9.7.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::mysql {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;

  auto operator<=>(const Version&) const = default;
};

// The leading numbers of VERSION(); whatever follows them (-log, -28.1, -0ubuntu1) is ignored.
// Two numbers are enough: "9.7" is 9.7.0.
std::optional<Version> parse_version(std::string_view text);
std::string to_string(const Version& version);

}  // namespace troupe::mysql
