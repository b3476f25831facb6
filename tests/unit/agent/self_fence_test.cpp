// When a member closes itself: the rule as a table, and what is kept of it.
#include "engines/agent/model/self_fence.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "engines/agent/server/fence_mark.hpp"
#include "engines/agent/server/settings.hpp"
#include "tests/unit/agent/scratch.hpp"

namespace troupe::agent {
namespace {

using namespace std::chrono_literals;

constexpr SelfFenceLimits kLimits{.lease = 20s, .shortage = 10s};
constexpr TimePoint kStart{Duration(1h)};

constexpr SourceReport kAlone{.writable = true, .semi_sync = true, .needed = 1, .attached = 0};
constexpr SourceReport kFollowed{.writable = true, .semi_sync = true, .needed = 1, .attached = 1};

// Judges the same report every second from 0 to `seconds`; the second at which it fenced.
std::optional<int> fenced_after(SelfFence rule, const SourceReport& report, int seconds) {
  for (int i = 0; i <= seconds; ++i) {
    if (rule.judge(report, kStart + std::chrono::seconds(i))) return i;
  }
  return std::nullopt;
}

TEST(SelfFence, OnlyAWritableSourceWithTooFewReplicasIsFenced) {
  struct Row {
    const char* name;
    SourceReport report;
    bool fenced;
  };
  const Row rows[] = {
      {"alone", kAlone, true},
      {"one of two", {true, true, 2, 1}, true},
      {"followed", kFollowed, false},
      {"more than it needs", {true, true, 1, 2}, false},
      {"closed already", {false, true, 1, 0}, false},
      {"without semi-sync", {true, false, 1, 0}, false},
      {"waits for nobody", {true, true, 0, 0}, false},
      {"nothing is known", {}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(fenced_after({kLimits, kStart}, row.report, 120).has_value(), row.fenced) << row.name;
  }
}

TEST(SelfFence, TheShortageCountsFromTheEndOfTheLease) {
  EXPECT_EQ(fenced_after({kLimits, kStart}, kAlone, 120), 31);
}

TEST(SelfFence, ARenewedLeaseKeepsALonelySourceOpen) {
  SelfFence rule(kLimits, kStart);
  for (auto now = kStart; now < kStart + 10min; now += 1s) {
    if ((now - kStart) % 19s == 0s) rule.renew(now);
    EXPECT_FALSE(rule.wants_report(now));
    EXPECT_FALSE(rule.judge(kAlone, now));
  }
}

TEST(SelfFence, ARenewalDuringAShortageBeginsItAnew) {
  SelfFence rule(kLimits, kStart);
  EXPECT_FALSE(rule.judge(kAlone, kStart + 21s));
  EXPECT_FALSE(rule.judge(kAlone, kStart + 30s));
  rule.renew(kStart + 30s);
  EXPECT_FALSE(rule.judge(kAlone, kStart + 51s));
  EXPECT_FALSE(rule.judge(kAlone, kStart + 60s));
  EXPECT_TRUE(rule.judge(kAlone, kStart + 61s));
}

TEST(SelfFence, AReplicaThatAttachesEndsTheShortage) {
  SelfFence rule(kLimits, kStart);
  EXPECT_FALSE(rule.judge(kAlone, kStart + 21s));
  EXPECT_FALSE(rule.judge(kFollowed, kStart + 30s));
  EXPECT_FALSE(rule.judge(kAlone, kStart + 31s));
  EXPECT_FALSE(rule.judge(kAlone, kStart + 40s));
  EXPECT_TRUE(rule.judge(kAlone, kStart + 41s));
}

TEST(SelfFence, AServerThatWakesUpStillShortIsFencedAtOnce) {
  SelfFence rule(kLimits, kStart);
  EXPECT_FALSE(rule.judge(kAlone, kStart + 21s));
  EXPECT_TRUE(rule.judge(kAlone, kStart + 5min)) << "it said nothing in between";
}

TEST(SelfFence, AFencedMemberIsClosedWheneverItIsFoundOpen) {
  SelfFence rule(kLimits, kStart);
  rule.set_fenced(true);
  EXPECT_TRUE(rule.wants_report(kStart));
  EXPECT_TRUE(rule.judge(kFollowed, kStart)) << "whatever its lease and its replicas";
  auto closed = kFollowed;
  closed.writable = false;
  EXPECT_FALSE(rule.judge(closed, kStart));
  rule.set_fenced(false);
  EXPECT_FALSE(rule.judge(kFollowed, kStart));
}

TEST(SelfFence, TheReasonSaysForHowLongAndHowMany) {
  SelfFence rule(kLimits, kStart);
  EXPECT_FALSE(rule.judge({true, true, 2, 1}, kStart + 25s));
  EXPECT_EQ(rule.judge({true, true, 2, 1}, kStart + 35s),
            "no operator for 35.0s, and 1 of 2 replicas attached for 10.0s");
}

TEST(SelfFence, LimitsComeFromTheEnvironment) {
  const auto settings = [](const std::string& lease) {
    return settings_from({{"DATA_MOUNT", "/data"},
                          {"TROUPE_UNIT", "ns/db-0"},
                          {"TROUPE_FENCE_LEASE_MS", lease},
                          {"TROUPE_FENCE_SHORTAGE_MS", "250"}});
  };
  ASSERT_TRUE(settings("1500"));
  EXPECT_EQ(settings("1500")->self_fence.lease, 1500ms);
  EXPECT_EQ(settings("")->self_fence.lease, SelfFenceLimits{}.lease);
  EXPECT_EQ(settings("")->self_fence.shortage, 250ms);
  for (const auto* wrong : {"0", "-1", "5s"}) {
    ASSERT_FALSE(settings(wrong)) << wrong;
    EXPECT_EQ(settings(wrong).error().code, Code::Invalid);
  }
}

TEST(FenceMark, IsKeptUntilItIsCleared) {
  test::Scratch scratch;
  const FenceMark mark(scratch / "fenced");
  EXPECT_FALSE(mark.read());
  const FencedStatus status{WallTime(std::chrono::microseconds(1'700'000'000'000'001)), "no one"};
  ASSERT_TRUE(mark.write(status));
  EXPECT_EQ(FenceMark(scratch / "fenced").read(), status);
  ASSERT_TRUE(mark.clear());
  EXPECT_FALSE(mark.read());
  EXPECT_TRUE(mark.clear()) << "once more is no error";
}

TEST(FenceMark, OneThatCannotBeReadCounts) {
  test::Scratch scratch;
  const FenceMark mark(scratch / "fenced");
  std::ofstream(scratch / "fenced") << "by hand\n";
  ASSERT_TRUE(mark.read());
  EXPECT_EQ(mark.read()->reason, "by hand");
  std::ofstream(scratch / "fenced") << std::string(5000, 'x');
  EXPECT_TRUE(mark.read());
}

}  // namespace
}  // namespace troupe::agent
