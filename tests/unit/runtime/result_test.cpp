#include "runtime/model/result.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe {
namespace {

TEST(Result, ValueOfAnErrorThrowsWithItsMessageAndCode) {
  const Result<int> result = error(Code::Conflict, "version 3 expected, 4 found");
  try {
    result.value();
    FAIL() << "no exception";
  } catch (const ErrorException& e) {
    EXPECT_STREQ(e.what(), "version 3 expected, 4 found");
    EXPECT_EQ(e.error.code, Code::Conflict);
  }
}

TEST(Result, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::Fatal); ++code)
    names.insert(to_string(static_cast<Code>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Code::Fatal) + 1);
}

}  // namespace
}  // namespace troupe
