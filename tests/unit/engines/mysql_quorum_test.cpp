#include "engines/mysql/model/quorum.hpp"

#include <gtest/gtest.h>

namespace troupe::mysql {
namespace {

TEST(SemiSyncQuorum, TableForOneToNineMembers) {
  struct Row {
    int members, acks, stopped, with_writes, with_choice;
  };
  constexpr Row rows[] = {
      {1, 0, 1, 0, 0}, {2, 1, 1, 0, 1}, {3, 1, 2, 1, 1}, {4, 2, 2, 1, 2}, {5, 2, 3, 2, 2},
      {6, 3, 3, 2, 3}, {7, 3, 4, 3, 3}, {8, 4, 4, 3, 4}, {9, 4, 5, 4, 4},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(required_acks(row.members), row.acks) << row.members;
    EXPECT_EQ(required_stopped(row.members), row.stopped) << row.members;
    EXPECT_EQ(tolerated_with_writes(row.members), row.with_writes) << row.members;
    EXPECT_EQ(tolerated_with_choice(row.members), row.with_choice) << row.members;
  }
}

// The argument itself: with f stopped, the old primary has (N-1)-f possible ackers left.
TEST(SemiSyncQuorum, AQuorumLeavesTheOldPrimaryTooFewAckers) {
  for (int members = 1; members <= 9; ++members) {
    for (int acks = 0; acks < members; ++acks) {
      for (int stopped = 0; stopped < members; ++stopped) {
        const int ackers_left = members - 1 - stopped;
        const bool cannot_acknowledge = acks >= 1 && ackers_left < acks;
        EXPECT_EQ(is_quorum(members, acks, stopped), cannot_acknowledge && stopped >= 1)
            << members << " " << acks << " " << stopped;
      }
    }
  }
}

TEST(SemiSyncQuorum, RequiredNumbersAreAQuorumAndOneLessIsNot) {
  for (int members = 2; members <= 9; ++members) {
    const int acks = required_acks(members);
    const int stopped = required_stopped(members);
    EXPECT_TRUE(is_quorum(members, acks, stopped)) << members;
    EXPECT_FALSE(is_quorum(members, acks, stopped - 1)) << members;
  }
}

TEST(SemiSyncQuorum, NobodyFailsOverWithoutAcknowledgementsOrWithMoreReplicasThanThereAre) {
  EXPECT_FALSE(is_quorum(1, 0, 1));
  EXPECT_FALSE(is_quorum(3, 0, 2));
  EXPECT_FALSE(is_quorum(3, 1, 3));
}

}  // namespace
}  // namespace troupe::mysql
