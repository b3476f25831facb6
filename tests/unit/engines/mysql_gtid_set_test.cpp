#include "engines/mysql/model/gtid_set.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <tuple>

namespace troupe::mysql {
namespace {

const std::string kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kB = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet set(std::string_view text) { return GtidSet::parse(text).value(); }
std::string canonical(std::string_view text) { return set(text).to_string(); }

TEST(GtidSet, EmptyTextIsTheEmptySet) {
  for (const char* text : {"", " ", "\n", ",", " , ,"}) EXPECT_TRUE(set(text).empty()) << text;
}

TEST(GtidSet, PrintsSourcesAndIntervalsInOrder) {
  EXPECT_EQ(canonical(kB + ":1," + kA + ":9:1-3"), kA + ":1-3:9," + kB + ":1");
}

TEST(GtidSet, MergesOverlappingAndAdjacentIntervals) {
  EXPECT_EQ(canonical(kA + ":1-3:4-6:5-9:11"), kA + ":1-9:11");
  EXPECT_EQ(canonical(kA + ":11:5-9:4-6:1-3"), kA + ":1-9:11");
  EXPECT_EQ(canonical(kA + ":1-2," + kA + ":3"), kA + ":1-3");
}

TEST(GtidSet, TakesWhiteSpaceNewlinesAndEitherCase) {
  EXPECT_EQ(canonical(" 3E11FA47-71CA-11E1-9E33-C80AA9429562 : 1 - 3 : 5 ,\n" + kB + ":1"),
            kA + ":1-3:5," + kB + ":1");
}

TEST(GtidSet, KeepsTagsApartAndPrintsThemUnderOneUuid) {
  EXPECT_EQ(canonical(kA + ":1-3:Blue:7:red:1-2:blue:8"), kA + ":1-3:blue:7-8:red:1-2");
  EXPECT_EQ(canonical(kA + ":red:1," + kB + ":2," + kA + ":5"), kA + ":5:red:1," + kB + ":2");
  EXPECT_FALSE(set(kA + ":1-9").contains(set(kA + ":red:1")));
}

TEST(GtidSet, RefusesWhatIsNoGtidSet) {
  const std::string wrong[] = {
      "x",
      "3e11fa47",
      kA,
      kA + ":",
      kA + ":0",
      kA + ":0-3",
      kA + ":5-3",
      kA + ":1-",
      kA + ":1;2",
      kA + ":1 2",
      kA + ":tag",
      kA + ":one:two:3",
      kA + ":9tag:1",
      kA + ":1-9223372036854775807",
      kA + ":" + std::string(33, 't') + ":1",
      "{" + kA + "}:1",
  };
  for (const auto& text : wrong) {
    const auto parsed = GtidSet::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Code::Invalid) << text;
  }
}

TEST(GtidSet, SaysWhereTheTextIsWrong) {
  EXPECT_NE(GtidSet::parse(kA + ":1:x-").error().message.find("offset 40"), std::string::npos)
      << GtidSet::parse(kA + ":1:x-").error().message;
}

TEST(GtidSet, TakesTheLargestNumberThatAServerTakes) {
  EXPECT_EQ(set(kA + ":1-9223372036854775806").count(), kMaxGtidNumber);
}

TEST(GtidSet, SubtractRemovesOverlappingIntervals) {
  const std::tuple<const char*, const char*, const char*> rows[] = {
      {":1-10", ":3-5", ":1-2:6-10"},   {":1-10", ":1-10", ""},
      {":1-10", ":0x", ":1-10"},        {":1-10", ":5-20", ":1-4"},
      {":5-10", ":1-7", ":8-10"},       {":1-3:7-9", ":3-7", ":1-2:8-9"},
      {":1-3:7-9", ":4-6", ":1-3:7-9"}, {":1-100", ":2:4:6", ":1:3:5:7-100"},
      {":5", ":1-4:6-9", ":5"},
  };
  for (const auto& [a, b, expected] : rows) {
    const auto left = set(kA + a);
    const auto right = std::string_view(b) == ":0x" ? set(kB + ":1-10") : set(kA + b);
    EXPECT_EQ(subtract(left, right).to_string(), *expected ? kA + expected : "") << a << " - " << b;
  }
}

TEST(GtidSet, TheRemainderBeyondASourceIsErrantOnlyIfItCameFromElsewhere) {
  const auto source = *parse_uuid(kA);
  const auto remainder = set(kA + ":11-12:tag:1," + kB + ":1");
  EXPECT_EQ(remainder.without(source), set(kB + ":1"));
  EXPECT_EQ(remainder.of(source), set(kA + ":11-12:tag:1"));
  EXPECT_TRUE(set(kA + ":11-12").without(source).empty());
}

TEST(GtidSet, CountStopsAtTheLargestNumber) {
  const auto huge = set(kA + ":1-9223372036854775806:a:1-9223372036854775806:b:1-9");
  EXPECT_EQ(huge.count(), std::numeric_limits<std::uint64_t>::max());
}

TEST(GtidSet, UniteWithItselfAndSubtractItself) {
  auto one = set(kA + ":1-5");
  one.add(one);
  EXPECT_EQ(one, set(kA + ":1-5"));
  one.subtract(one);
  EXPECT_TRUE(one.empty());
}

// --- Properties: the same operations on plain sets of (source, number) are the model ---

using Plain = std::set<std::tuple<int, int, int>>;  // uuid, tag, number

rc::Gen<Plain> any_plain() {
  return rc::gen::container<Plain>(
      rc::gen::tuple(rc::gen::inRange(0, 3), rc::gen::inRange(0, 3), rc::gen::inRange(1, 16)));
}

GtidSource source(int uuid, int tag) {
  const char* const tags[] = {"", "alpha", "beta_2"};
  auto id = *parse_uuid(kA);
  id.data[15] = static_cast<std::uint8_t>(uuid);
  return {id, tags[tag]};
}

GtidSet from(const Plain& plain) {
  GtidSet out;
  for (const auto& [uuid, tag, number] : plain) {
    const auto n = static_cast<std::uint64_t>(number);
    out.add(source(uuid, tag), {n, n});
  }
  return out;
}

void check(const char* what, const std::function<void(const Plain&, const Plain&)>& property) {
  EXPECT_TRUE(rc::check(what, [&] { property(*any_plain(), *any_plain()); }));
}

TEST(GtidSetProperty, TextRoundTrips) {
  check("parse(to_string(s)) == s", [](const Plain& a, const Plain&) {
    RC_ASSERT(GtidSet::parse(from(a).to_string()).value() == from(a));
    RC_ASSERT(GtidSet::parse(from(a).to_string(",\n")).value() == from(a));
  });
}

TEST(GtidSetProperty, CountsItsMembers) {
  check("count", [](const Plain& a, const Plain&) { RC_ASSERT(from(a).count() == a.size()); });
}

TEST(GtidSetProperty, UnitesAsSetsDo) {
  check("unite", [](const Plain& a, const Plain& b) {
    Plain both = a;
    both.insert(b.begin(), b.end());
    RC_ASSERT(unite(from(a), from(b)) == from(both));
  });
}

TEST(GtidSetProperty, SubtractsAsSetsDo) {
  check("subtract", [](const Plain& a, const Plain& b) {
    Plain rest;
    for (const auto& one : a) {
      if (!b.contains(one)) rest.insert(one);
    }
    RC_ASSERT(subtract(from(a), from(b)) == from(rest));
  });
}

TEST(GtidSetProperty, IntersectsAsSetsDo) {
  check("intersect", [](const Plain& a, const Plain& b) {
    Plain common;
    for (const auto& one : a) {
      if (b.contains(one)) common.insert(one);
    }
    RC_ASSERT(intersect(from(a), from(b)) == from(common));
  });
}

TEST(GtidSetProperty, ContainsWhatLeavesNoRemainder) {
  check("contains", [](const Plain& a, const Plain& b) {
    RC_ASSERT(from(a).contains(from(b)) == subtract(from(b), from(a)).empty());
    RC_ASSERT(unite(from(a), from(b)).contains(from(b)));
    for (const auto& [uuid, tag, number] : b) {
      RC_ASSERT(from(a).contains(source(uuid, tag), static_cast<std::uint64_t>(number)) ==
                a.contains({uuid, tag, number}));
    }
  });
}

}  // namespace
}  // namespace troupe::mysql
