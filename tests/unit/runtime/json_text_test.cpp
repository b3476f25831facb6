#include "runtime/model/json_text.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

namespace troupe {
namespace {

using boost::json::array;
using boost::json::object;

TEST(JsonText, FractionsArePlainDecimals) {
  EXPECT_EQ(json_text(405.2), "405.2");
  EXPECT_EQ(json_text(405.0), "405");
  EXPECT_EQ(json_text(1.0 / 3), "0.333333");
  EXPECT_EQ(json_text(-0.0000001), "0");
  EXPECT_EQ(json_text(1e9), "1000000000");
  EXPECT_EQ(json_text(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonText, EverythingElseIsAsBoostWritesIt) {
  const boost::json::value value = object{
      {"text \"quoted\"", "a\nb"}, {"list", array{1, -2, true, nullptr}}, {"empty", object{}}};
  EXPECT_EQ(json_text(value), boost::json::serialize(value));
}

TEST(JsonText, FractionsAreFoundWhereverTheyAre) {
  EXPECT_EQ(json_text(object{{"a", array{1.5, object{{"b", 2.25}}}}, {"c", 3}}),
            R"({"a":[1.5,{"b":2.25}],"c":3})");
}

}  // namespace
}  // namespace troupe
