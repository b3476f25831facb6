#include "runtime/model/ids.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(ActorId, TheNextOneHasTheSamePlaceAndAnotherId) {
  const ActorId first{7};
  const auto second = first.next();
  EXPECT_EQ(second.place(), first.place());
  EXPECT_NE(second, first);
  EXPECT_NE(second.next(), first);
}

TEST(ActorId, APlaceGivesNoIdThatJavaScriptCannotHold) {
  const ActorId last{((std::uint64_t{1} << ActorId::kBits) - 1)};
  EXPECT_TRUE(last);
  EXPECT_FALSE(last.next());
}

}  // namespace
}  // namespace troupe
