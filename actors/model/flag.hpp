// Annotations that people set to true or false.
#pragma once

#include <optional>
#include <string_view>

namespace troupe::actors {

// What Go's strconv.ParseBool takes, as other controllers do: 1, t, T, true, True, TRUE and 0, f,
// F, false, False, FALSE. Nothing, as where it is missing, is false. Nullopt: anything else, which
// may mean either; whoever asks takes it for what is safe.
inline std::optional<bool> flag_of(std::string_view value) {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "True", "TRUE"};
  constexpr std::string_view kFalse[] = {"", "0", "f", "F", "false", "False", "FALSE"};
  for (const auto word : kTrue)
    if (value == word) return true;
  for (const auto word : kFalse)
    if (value == word) return false;
  return std::nullopt;
}

}  // namespace troupe::actors
