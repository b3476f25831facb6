#include "k8s/api/types.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "k8s/api/arena.hpp"

namespace troupe::k8s {
namespace {

Amount amount(std::string_view text) { return Amount::parse(text).value(); }

TEST(Text, ComparesWithWhateverIsAString) {
  const Text text = "mysql";
  EXPECT_EQ(text, "mysql");
  EXPECT_EQ(text, std::string("mysql"));
  EXPECT_EQ(std::string_view("mysql"), text);
  EXPECT_NE(text, Text("mysq"));
  EXPECT_LT(text, "mysqm");
  EXPECT_TRUE(Text().empty());
  EXPECT_EQ(Text(), "");
}

TEST(List, FindsAnItemByAMember) {
  struct Port {
    Text name;
    int number;
  };
  constexpr std::array kPorts = {Port{"mysql", 3306}, Port{"mysqlx", 33060}};
  const List<Port> ports{std::span<const Port>(kPorts)};
  ASSERT_NE(ports.find(&Port::name, "mysqlx"), nullptr);
  EXPECT_EQ(ports.find(&Port::name, "mysqlx")->number, 33060);
  EXPECT_EQ(ports.find(&Port::number, 1), nullptr);
}

TEST(Map, IsSortedAndKeepsTheLastOfEqualKeys) {
  Arena arena;
  const TextMap map = arena.map<Text>({{"b", "1"}, {"a", "2"}, {"b", "3"}});
  ASSERT_EQ(map.size(), 2u);
  EXPECT_EQ(map.begin()->key, "a");
  EXPECT_EQ(map.get("b"), "3");
  EXPECT_FALSE(map.contains("c"));
  EXPECT_EQ(map.get("c"), "");
}

TEST(ResourceVersion, IsOrderedAsANumberNotAsText) {
  EXPECT_LT(parse_resource_version("9").value(), parse_resource_version("10").value());
  EXPECT_EQ(parse_resource_version("18446744073709551615").value().value,
            std::numeric_limits<std::uint64_t>::max());
  for (const char* wrong : {"", "x", "1x", "-1", " 1", "18446744073709551616"}) {
    EXPECT_FALSE(parse_resource_version(wrong)) << wrong;
  }
}

TEST(Rfc3339, ReadsEveryOffsetAndFraction) {
  const WallTime noon = parse_rfc3339("2026-01-31T12:00:00Z").value();
  EXPECT_EQ(to_rfc3339(noon), "2026-01-31T12:00:00Z");
  EXPECT_EQ(parse_rfc3339("2026-01-31T13:30:00+01:30").value(), noon);
  EXPECT_EQ(parse_rfc3339("2026-01-31T04:00:00-08:00").value(), noon);
  EXPECT_EQ(to_rfc3339_micro(parse_rfc3339("2026-01-31T12:00:00.1234567Z").value()),
            "2026-01-31T12:00:00.123456Z");
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* wrong :
       {"", "2026-01-31", "2026-02-30T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+0130",
        "-026-01-31T12:00:00Z", "2026-01-31T12:-1:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
  }
}

TEST(Amount, ComparesByValueNotBySpelling) {
  EXPECT_EQ(amount("1"), amount("1000m"));
  EXPECT_EQ(amount("1Gi"), amount("1024Mi"));
  EXPECT_EQ(amount("1e3"), amount("1k"));
  EXPECT_EQ(amount("1.5Gi"), amount("1536Mi"));
  EXPECT_EQ(amount("0.5"), amount("500m"));
  EXPECT_EQ(amount("100n"), amount("0.1u"));
  EXPECT_LT(amount("1G"), amount("1Gi"));
  EXPECT_LT(amount("-1"), amount("0"));
  EXPECT_LT(amount("7Ei"), amount("9e18"));
}

TEST(Amount, RoundsUpToWhatIsAskedFor) {
  EXPECT_EQ(amount("2500m").value(), 3);
  EXPECT_EQ(amount("2500m").milli(), 2500);
  EXPECT_EQ(amount("1u").milli(), 1);
  EXPECT_EQ(amount("-2500m").value(), -2);
  EXPECT_EQ(amount("100Gi").value(), 107374182400);
  EXPECT_EQ(amount("9E").value(), 9'000'000'000'000'000'000);
}

TEST(Amount, RoundsUpBelowABillionth) {
  EXPECT_EQ(amount("0.0000000001"), amount("1n"));
  EXPECT_EQ(amount("1.0000000000000000000000000001"), amount("1"));  // 18 digits are read
}

TEST(Amount, SaturatesInsteadOfOverflowing) {
  EXPECT_EQ(amount("100000Ei").value(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(amount("-100000Ei").value(), -std::numeric_limits<std::int64_t>::max());
}

TEST(Amount, RefusesWhatIsNoAmount) {
  for (const char* wrong :
       {"", "Gi", "1GiB", "1..2", "--1", "1e", "1e99", "1e18Ki", ".", "0x10", "1 Gi"}) {
    EXPECT_FALSE(Amount::parse(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace troupe::k8s
