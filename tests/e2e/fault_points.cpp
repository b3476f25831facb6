#include "tests/e2e/fault_points.hpp"

#include <cctype>
#include <cstdlib>
#include <string_view>

namespace troupe::e2e {

namespace {

bool all_are_wanted() {
  const char* wanted = std::getenv("TROUPE_FAULT_POINTS");
  return wanted && std::string_view(wanted) == "all";
}

}  // namespace

std::vector<FaultPoint> tried(const std::vector<Course>& operations) {
  std::vector<FaultPoint> out;
  for (const auto& [operation, one_of, effects] : operations) {
    const auto step = all_are_wanted() ? 1 : one_of;
    for (auto i = step - 1; i < 2 * effects.size(); i += step)
      out.push_back({operation, (i % 2 == 0 ? "before " : "after ") + effects[i / 2]});
  }
  return out;
}

std::vector<FaultPoint> all_or(std::vector<FaultPoint> these,
                               const std::vector<Course>& operations) {
  return all_are_wanted() ? tried(operations) : these;
}

std::string name_of(const testing::TestParamInfo<FaultPoint>& info) {
  std::string out = info.param.operation;
  bool begins = true;
  for (const char c : info.param.at) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter)) out += begins ? static_cast<char>(std::toupper(letter)) : c;
    begins = !std::isalnum(letter);
  }
  return out;
}

}  // namespace troupe::e2e
