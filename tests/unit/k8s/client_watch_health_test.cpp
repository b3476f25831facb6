// Which watches count as cut off, and what is said of them.
#include "k8s/client/watch_health.hpp"

#include <gtest/gtest.h>

#include "k8s/api/core.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow(1h);
constexpr auto kPatience = 30s;

WatchStatus watch(WatchPhase phase, std::optional<Duration> without_stream_for,
                  Duration heard_before, std::string trouble = {}) {
  WatchStatus status;
  status.kind = &kind_info<Pod>();
  status.phase = phase;
  status.synced = true;
  status.trouble = std::move(trouble);
  status.last_heard = kNow - heard_before;
  if (without_stream_for) status.without_stream_since = kNow - *without_stream_for;
  return status;
}

struct Row {
  const char* rule;
  WatchStatus status;
  std::string verdict;
};

class CutOff : public testing::TestWithParam<Row> {};

TEST_P(CutOff, IsToldOfWatchesThatBringNothing) {
  EXPECT_EQ(cut_off(std::vector{GetParam().status}, kNow, kPatience), GetParam().verdict)
      << GetParam().rule;
}

const std::string kOne = "1 of 1 watches are without a connection, for up to ";

INSTANTIATE_TEST_SUITE_P(
    Watches, CutOff,
    testing::Values(
        Row{"an open one is well, however quiet", watch(WatchPhase::Watching, {}, 2min), ""},
        Row{"a short break is none", watch(WatchPhase::BackingOff, 29s, 29s, "refused"), ""},
        Row{"a long one is told with its cause",
            watch(WatchPhase::BackingOff, 30s, 31s, "pods: refused"),
            kOne + "30.0s; pods: refused"},
        Row{"one that tries is no better", watch(WatchPhase::Opening, 45s, 45s), kOne + "45.0s"},
        Row{"a list that is coming in counts as a connection", watch(WatchPhase::Listing, 5min, 1s),
            ""},
        Row{"a list that has stalled does not", watch(WatchPhase::Listing, 5min, 40s),
            kOne + "40.0s"},
        Row{"who is not allowed to look sees nothing",
            watch(WatchPhase::Denied, 1min, 1min, "grant the verbs"),
            kOne + "1m0s; grant the verbs"},
        Row{"a kind that is not installed has nothing to tell",
            watch(WatchPhase::Absent, 1min, 1min, "not served"), ""}));

TEST(WatchHealth, CountsThemAndShowsTheFirstTrouble) {
  const std::vector all{watch(WatchPhase::Watching, {}, 1s),
                        watch(WatchPhase::BackingOff, 40s, 40s, "pods: refused"),
                        watch(WatchPhase::BackingOff, 50s, 50s, "nodes: refused")};
  EXPECT_EQ(cut_off(all, kNow, kPatience),
            "2 of 3 watches are without a connection, for up to 50.0s; pods: refused");
}

TEST(WatchHealth, NamesWhatHasNotBeenListed) {
  auto pods = watch(WatchPhase::BackingOff, 1s, 1s, "pods: refused");
  EXPECT_EQ(not_listed(std::vector{pods}), "");
  pods.synced = false;
  EXPECT_EQ(not_listed(std::vector{pods, watch(WatchPhase::Watching, {}, 1s)}),
            "1 of 2 lists are missing: Pod; pods: refused");
  pods.phase = WatchPhase::Absent;
  EXPECT_EQ(not_listed(std::vector{pods}), "");
  EXPECT_EQ(not_listed({}), "nothing is watched yet");
}

}  // namespace
}  // namespace troupe::k8s
