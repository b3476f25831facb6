// The moments of an operation at which its operator dies, or pauses while another one acts: that
// one has to bring it to the same end.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::e2e {

struct FaultPoint {
  std::string operation;
  std::string at;  // actors/host/fault_point.hpp
};

// What an operation does, in its order.
struct Course {
  std::string operation;
  std::size_t one_of;  // so many moments where it dies, in CI: each takes ten seconds or more
  std::vector<std::string> effects;
};
// Just before each effect and just after it; TROUPE_FAULT_POINTS=all has them all.
std::vector<FaultPoint> tried(const std::vector<Course>& operations);
// All of them likewise, or these: to pause takes until the Lease has run out, half a minute.
std::vector<FaultPoint> all_or(std::vector<FaultPoint> these,
                               const std::vector<Course>& operations);

// "FailoverBeforeStepStopReceiver2"
std::string name_of(const testing::TestParamInfo<FaultPoint>& info);

}  // namespace troupe::e2e
