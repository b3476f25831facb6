#include "engines/mysql/model/version.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::mysql {

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  int* const fields[] = {&version.major, &version.minor, &version.patch};
  const char* at = text.data();
  const char* const end = at + text.size();
  int read = 0;
  for (int* field : fields) {
    const auto [next, status] = std::from_chars(at, end, *field);
    if (status != std::errc{} || *field < 0) break;
    ++read;
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  if (read < 2) return std::nullopt;
  return version;
}

std::string to_string(const Version& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace troupe::mysql
