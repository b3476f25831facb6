#include "engines/agent/server/epoch_store.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/agent/scratch.hpp"

namespace troupe::agent {
namespace {

TEST(EpochStore, RefusesALowerEpochNamingBothNumbers) {
  const test::Scratch scratch;
  auto store = *EpochStore::open(scratch / "epoch");
  ASSERT_TRUE(store.admit({7}));
  const auto refused = store.admit({6});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Stale);
  EXPECT_NE(refused.error().message.find("6"), std::string::npos);
  EXPECT_NE(refused.error().message.find("7"), std::string::npos);
  EXPECT_EQ(store.highest(), Epoch{7});
}

TEST(EpochStore, RefusesOneThatNobodyCanCountOnFrom) {
  const test::Scratch scratch;
  auto store = *EpochStore::open(scratch / "epoch");
  for (const auto value : {kMaxEpoch.value + 1, std::uint64_t{1} << 63, ~std::uint64_t{0}})
    EXPECT_EQ(store.admit({value}).error().code, Code::Invalid) << value;
  EXPECT_EQ(store.highest(), Epoch{0});
  EXPECT_TRUE(store.admit(kMaxEpoch));
}

TEST(EpochStore, SaysWhatItsFileHoldsHoweverHighItIs) {
  const test::Scratch scratch;
  std::ofstream(scratch / "epoch") << "18446744073709551615\n";
  auto store = *EpochStore::open(scratch / "epoch");
  EXPECT_EQ(store.highest(), Epoch{~std::uint64_t{0}});
  EXPECT_EQ(store.admit({7}).error().code, Code::Stale);
  EXPECT_TRUE(store.admit(store.highest())) << "what the agent does by itself";
}

TEST(EpochStore, AcceptsTheSameEpochAgain) {
  const test::Scratch scratch;
  auto store = *EpochStore::open(scratch / "epoch");
  EXPECT_TRUE(store.admit({7}));
  EXPECT_TRUE(store.admit({7}));
}

TEST(EpochStore, RemembersAcrossARestart) {
  const test::Scratch scratch;
  {
    auto store = *EpochStore::open(scratch / "epoch");
    ASSERT_TRUE(store.admit({41}));
    ASSERT_TRUE(store.admit({42}));
  }
  auto store = *EpochStore::open(scratch / "epoch");
  EXPECT_EQ(store.highest(), Epoch{42});
  EXPECT_EQ(store.admit({41}).error().code, Code::Stale);
}

TEST(EpochStore, LeavesNoTemporaryFileBehind) {
  const test::Scratch scratch;
  auto store = *EpochStore::open(scratch / "epoch");
  ASSERT_TRUE(store.admit({1}));
  const std::filesystem::directory_iterator entries(scratch.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(EpochStore, AnUnreadableFileIsAnErrorAndNeverEpochZero) {
  const test::Scratch scratch;
  for (const auto* content : {"", "12", "x\n", "12\n\n", "-1\n", "99999999999999999999999\n"}) {
    std::ofstream(scratch / "epoch") << content;
    const auto store = EpochStore::open(scratch / "epoch");
    ASSERT_FALSE(store) << content;
    EXPECT_EQ(store.error().code, Code::Fatal);
  }
}

TEST(EpochStore, AnEpochThatCannotBeKeptIsNotAccepted) {
  const test::Scratch scratch;
  std::filesystem::create_directory(scratch / "gone");
  auto store = *EpochStore::open(scratch / "gone" / "epoch");
  std::filesystem::remove_all(scratch / "gone");
  EXPECT_FALSE(store.admit({1}));
  EXPECT_EQ(store.highest(), Epoch{0});
}

}  // namespace
}  // namespace troupe::agent
