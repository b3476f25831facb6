#include "runtime/model/described.hpp"

#include <gmock/gmock.h>

namespace troupe {
namespace {

enum class Colour { Red, Green };
BOOST_DESCRIBE_ENUM(Colour, Red, Green)

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
struct Leaf {
  std::string name;
  std::optional<int> value;
  bool operator==(const Leaf&) const = default;
};
BOOST_DESCRIBE_STRUCT(Leaf, (), (name, value))

struct Tree {
  Colour colour = Colour::Red;
  bool flag = false;
  double share = 0;
  std::uint64_t large = 0;
  TimePoint at;
  WallTime wall;
  Duration took{};
  std::vector<Leaf> leaves;
  std::map<std::string, Leaf> by_name;
  std::map<Colour, int> by_colour;
  std::variant<Nothing, Leaf> either;
  Secret password;
  bool operator==(const Tree&) const = default;
};
BOOST_DESCRIBE_STRUCT(Tree, (),
                      (colour, flag, share, large, at, wall, took, leaves, by_name, by_colour,
                       either, password))

std::string plain(const Secret& secret) { return std::string(secret.reveal()); }

Tree some_tree() {
  return {.colour = Colour::Green,
          .flag = true,
          .share = 0.25,
          .large = UINT64_MAX,
          .at = TimePoint(std::chrono::nanoseconds(7)),
          .wall = WallTime(std::chrono::microseconds(8)),
          .took = std::chrono::nanoseconds(9),
          .leaves = {{"a", 1}, {"b", std::nullopt}},
          .by_name = {{"x", {"c", 2}}},
          .by_colour = {{Colour::Green, 3}},
          .either = Leaf{"d", 4},
          .password = Secret("hidden")};
}

TEST(Described, ComesBackAsItWas) {
  const auto tree = some_tree();
  const auto back = from_described_json<Tree>(described_json(tree, plain));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, tree);
}

TEST(Described, SharedValuesComeBackAsValues) {
  const auto leaf = std::make_shared<const Leaf>(Leaf{"a", 1});
  const auto back = from_described_json<std::shared_ptr<const Leaf>>(described_json(leaf, plain));
  ASSERT_TRUE(back);
  EXPECT_EQ(**back, *leaf);
  const auto none = from_described_json<std::shared_ptr<const Leaf>>(nullptr);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, nullptr);
}

TEST(Described, OfASecretOnlyTheStandInIsWritten) {
  const auto text =
      boost::json::serialize(described_json(some_tree(), [](const Secret&) { return "veiled"; }));
  EXPECT_THAT(text, ::testing::HasSubstr(R"("password":"veiled")"));
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("hidden")));
}

TEST(Described, MissingMembersKeepTheirDefaultsAndUnknownOnesAreSkipped) {
  const auto read = from_described_json<Leaf>(boost::json::parse(R"({"name":"a","more":[1]})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Leaf{"a", std::nullopt}));
}

TEST(Described, WhatDoesNotFitIsNamedWithItsPath) {
  const auto refusal = [](std::string_view text) {
    const auto read = from_described_json<Tree>(boost::json::parse(text));
    return read ? std::string("taken") : read.error().message;
  };
  EXPECT_EQ(refusal("[]"), "expected an object");
  EXPECT_EQ(refusal(R"({"colour":"Blue"})"), "colour: there is no value Blue");
  EXPECT_EQ(refusal(R"({"large":-1})"), "large: expected a number that fits");
  EXPECT_EQ(refusal(R"({"by_name":{"x":{"value":"1"}}})"),
            "by_name.x.value: expected a number that fits");
  EXPECT_EQ(refusal(R"({"either":["Branch",{}]})"), "either: there is no alternative Branch");
  EXPECT_EQ(refusal(R"({"by_colour":[["Red"]]})"), "by_colour: expected a pair");
}

}  // namespace
}  // namespace troupe
