#include "engines/agent/model/live_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <map>
#include <string>

namespace troupe::agent {
namespace {

// The agent sets these itself, for the role that the member has.
constexpr std::array<std::string_view, 4> kOfRoles{"rpl_semi_sync", "group_replication", "gtid_",
                                                   "replica_net_timeout"};

bool is_of_roles(std::string_view name) {
  return std::any_of(kOfRoles.begin(), kOfRoles.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string_view without_loose(std::string_view name) {
  constexpr std::string_view kLoose = "loose_";
  return name.starts_with(kLoose) ? name.substr(kLoose.size()) : name;
}

// The last value counts.
std::map<std::string, std::string> effective(const std::vector<Setting>& settings) {
  std::map<std::string, std::string> out;
  for (const auto& s : settings)
    if (!is_left_out(s)) out[s.name] = s.value;
  for (const auto& pin : safety_pins()) out.erase(std::string(without_loose(pin.name)));
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// 128M: an option file takes units, a statement does not.
std::optional<std::uint64_t> number_of(std::string_view text) {
  constexpr std::string_view kUnits = "kmgt";
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return std::nullopt;
  const auto unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (unit.empty()) return number;
  const auto at = kUnits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(unit[0]))));
  if (unit.size() > 1 || at == kUnits.npos) return std::nullopt;
  const auto shift = 10 * (at + 1);
  if (number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return number << shift;
}

mysql::VariableValue value_of(const std::string& text) {
  if (const auto number = number_of(text)) return *number;
  const auto word = lower(text);
  if (word.empty() || word == "on" || word == "true" || word == "yes") return true;
  if (word == "off" || word == "false" || word == "no") return false;
  return text;
}

}  // namespace

std::optional<std::vector<mysql::Assignment>> live_changes(const std::vector<Setting>& running,
                                                           const std::vector<Setting>& wanted) {
  const auto before = effective(running);
  const auto after = effective(wanted);
  for (const auto& [name, value] : before)
    if (!after.contains(name)) return std::nullopt;
  std::vector<mysql::Assignment> out;
  for (const auto& [name, value] : after) {
    const auto was = before.find(name);
    if (was != before.end() && was->second == value) continue;
    if (is_of_roles(name)) return std::nullopt;
    out.push_back({name, value_of(value)});
  }
  return out;
}

}  // namespace troupe::agent
