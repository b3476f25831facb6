// Comparing objects, which every write does several times.
#include "k8s/sim/api/object.hpp"

#include <gtest/gtest.h>

namespace troupe::sim {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  const auto x = json::parse(a), y = json::parse(b);
  EXPECT_EQ(same(x, y), same(y, x));
  EXPECT_EQ(same(x, y), x == y) << "not what Boost.JSON says";
  return same(x, y);
}

TEST(SameObject, TheOrderOfMembersIsNothing) {
  EXPECT_TRUE(
      same_text(R"({"a":1,"b":{"c":[1,2],"d":"x"}})", R"({"b":{"d":"x","c":[1,2]},"a":1})"));
}

TEST(SameObject, TheOrderOfItemsCounts) {
  EXPECT_TRUE(same_text(R"([1,{"a":2}])", R"([1,{"a":2}])"));
  EXPECT_FALSE(same_text(R"([1,2])", R"([2,1])"));
}

TEST(SameObject, AMemberMoreOrLessOrOtherIsADifference) {
  EXPECT_FALSE(same_text(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same_text(R"({"a":1,"c":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same_text(R"({"a":{"b":1}})", R"({"a":{"b":2}})"));
  EXPECT_FALSE(same_text(R"([1])", R"([1,1])"));
}

TEST(SameObject, TypesTellValuesApart) {
  EXPECT_FALSE(same_text("null", "{}"));
  EXPECT_FALSE(same_text("{}", "[]"));
  EXPECT_FALSE(same_text(R"("1")", "1"));
  EXPECT_TRUE(same(json::value(std::int64_t{7}), json::value(std::uint64_t{7})));
}

}  // namespace
}  // namespace troupe::sim
