// A line of /proc/PID/stat, its fields by the numbers that proc(5) gives them. Pure.
//
// A killed process can be waited for only when the kernel has freed its memory, which takes seconds
// for a large one. This line shows it within a millisecond: state Z or X, or PF_EXITING among the
// flags. Header-only, for the supervisor (runtime/fd.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe {

class ProcessStat {
 public:
  static constexpr std::size_t kState = 3, kFlags = 9, kUserTime = 14, kSystemTime = 15,
                               kThreads = 20, kStartTime = 22, kVirtualSize = 23,
                               kResidentSize = 24, kExitCode = 52;

  // Nothing if the text is no such line. The text has to outlive the result.
  static std::optional<ProcessStat> parse(std::string_view line) {
    // The name stands in parentheses and may itself hold spaces and parentheses.
    const auto end_of_name = line.rfind(')');
    if (end_of_name == std::string_view::npos) return std::nullopt;
    line.remove_prefix(end_of_name + 1);
    ProcessStat stat;
    for (auto& field : stat.fields_) {
      line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \n")));
      field = line.substr(0, line.find_first_of(" \n"));
      line.remove_prefix(field.size());
    }
    if (stat.field(kState).size() != 1 || !stat.number<unsigned>(kFlags)) return std::nullopt;
    return stat;
  }

  // From kState to kExitCode; empty where an older kernel has none.
  std::string_view field(std::size_t n) const { return fields_[n - kState]; }
  template <class Number>
  std::optional<Number> number(std::size_t n) const {
    const auto text = field(n);
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  // It has ended, or does not come back from where it is.
  bool is_dying() const {
    constexpr unsigned kExiting = 0x4;  // PF_EXITING, include/linux/sched.h
    return field(kState) == "Z" || field(kState) == "X" ||
           (number<unsigned>(kFlags).value_or(0) & kExiting) != 0;
  }

 private:
  std::array<std::string_view, kExitCode - kState + 1> fields_;
};

}  // namespace troupe
