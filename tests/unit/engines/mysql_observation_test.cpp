// What several looks at a server tell together.
#include <gtest/gtest.h>

#include "engines/mysql/model/observation.hpp"

namespace troupe::mysql {
namespace {

using std::chrono::seconds;

MemberObservation waiting(int at, std::uint64_t sessions, std::uint64_t acknowledged) {
  MemberObservation o;
  o.seen = TimePoint(seconds(at));
  o.uptime = seconds(at);
  o.semi_sync_source.wait_sessions = sessions;
  o.semi_sync_source.yes_tx = acknowledged;
  o.semi_sync_source.no_tx = 0;
  return o;
}

std::optional<TimePoint> stalled_since(const MemberObservation* before, MemberObservation now) {
  remember(before, now);
  return now.stalled_since;
}

TEST(StalledSince, IsTheFirstLookOfThoseThatSawNoCommitGetOn) {
  auto first = waiting(1, 2, 7);
  first.stalled_since = stalled_since(nullptr, first);
  EXPECT_EQ(first.stalled_since, first.seen);
  auto second = waiting(2, 3, 7);
  second.stalled_since = stalled_since(&first, second);
  EXPECT_EQ(second.stalled_since, first.seen);
  EXPECT_EQ(stalled_since(&second, waiting(3, 1, 7)), first.seen);
}

TEST(StalledSince, BeginsAnewWhenOneWasAcknowledged) {
  auto first = waiting(1, 2, 7);
  first.stalled_since = first.seen;
  EXPECT_EQ(stalled_since(&first, waiting(2, 2, 8)), TimePoint(seconds(2)));
  auto not_waited_for = waiting(2, 2, 7);
  not_waited_for.semi_sync_source.no_tx = 1;
  EXPECT_EQ(stalled_since(&first, not_waited_for), not_waited_for.seen);
}

TEST(StalledSince, IsNothingWhereNoneWaits) {
  auto first = waiting(1, 2, 7);
  first.stalled_since = first.seen;
  EXPECT_EQ(stalled_since(&first, waiting(2, 0, 7)), std::nullopt);
  const auto idle = waiting(2, 0, 7);
  EXPECT_EQ(stalled_since(&idle, waiting(3, 1, 7)), TimePoint(seconds(3)));
}

TEST(StalledSince, OfAnotherLifeOrAnotherServerSaysNothing) {
  auto first = waiting(10, 2, 7);
  first.stalled_since = first.seen;
  auto restarted = waiting(11, 2, 7);
  restarted.uptime = seconds(1);
  EXPECT_EQ(stalled_since(&first, restarted), restarted.seen);
  auto other = waiting(11, 2, 7);
  other.server_uuid.data[0] = 1;
  EXPECT_EQ(stalled_since(&first, other), other.seen);
}

TEST(KnownSince, IsTheEndOfTheFirstLookAtTheSameServer) {
  auto first = waiting(1, 0, 0);
  first.took = seconds(1);
  remember(nullptr, first);
  EXPECT_EQ(first.known_since, TimePoint(seconds(2)));
  auto second = waiting(5, 0, 0);
  remember(&first, second);
  EXPECT_EQ(second.known_since, TimePoint(seconds(2)));
  auto other = waiting(6, 0, 0);
  other.server_uuid.data[0] = 1;
  remember(&second, other);
  EXPECT_EQ(other.known_since, TimePoint(seconds(6))) << "its volume was replaced";
}

}  // namespace
}  // namespace troupe::mysql
