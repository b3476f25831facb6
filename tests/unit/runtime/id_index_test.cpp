#include "runtime/model/id_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;

template <class Id>
class IdIndexTest : public testing::Test {};
using Ids = testing::Types<std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(IdIndexTest, Ids);

TYPED_TEST(IdIndexTest, KeepsOneIdOrManyAndGoesBackToOne) {
  IdIndex<TypeParam> index;
  EXPECT_THAT(index.find(7), ElementsAre());
  for (const TypeParam id : {5, 1, 9, 5}) index.insert(7, id);
  index.insert(8, 2);
  EXPECT_THAT(index.find(7), ElementsAre(1, 5, 9));
  EXPECT_THAT(index.find(8), ElementsAre(2));
  for (const TypeParam id : {9, 4, 1}) index.erase(7, id);
  EXPECT_THAT(index.find(7), ElementsAre(5));
  index.insert(7, 6);
  EXPECT_THAT(index.find(7), ElementsAre(5, 6));
  for (const TypeParam id : {6, 4, 5}) index.erase(7, id);
  EXPECT_THAT(index.find(7), ElementsAre());
}

TYPED_TEST(IdIndexTest, TakesIdsUpToHalfOfTheirRange) {
  constexpr auto kHighest = std::numeric_limits<TypeParam>::max() / 2;
  IdIndex<TypeParam> index;
  index.insert(7, kHighest);
  EXPECT_THAT(index.find(7), ElementsAre(kHighest));
  index.insert(7, 1);
  EXPECT_THAT(index.find(7), ElementsAre(1, kHighest));
}

}  // namespace
}  // namespace troupe
