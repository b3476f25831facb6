#include "runtime/model/trace.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe {
namespace {

TEST(Cause, SaysItsTypeWhenNobodyDescribesIt) {
  EXPECT_EQ(Cause{.type = CauseType::Timer}.text(), "timer");
}

TEST(Cause, TextAtHandSurvivesCopies) {
  Cause copy;
  {
    const auto cause = make_cause(CauseType::Watch, CausalId{7}, TimePoint{}, "pod db-0 changed");
    copy = cause;
  }
  EXPECT_EQ(copy.text(), "pod db-0 changed");
  EXPECT_EQ(copy.id, CausalId{7});
}

TEST(Cause, EveryTypeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int type = 0; type <= static_cast<int>(CauseType::Manual); ++type)
    names.insert(to_string(static_cast<CauseType>(type)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(CauseType::Manual) + 1);
}

}  // namespace
}  // namespace troupe
