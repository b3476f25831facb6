// The moments of an operation at which its operator dies; the next one has to bring it to the same
// end.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::e2e {

struct FaultPoint {
  std::string operation;
  std::string at;  // actors/host/fault_point.hpp
};

// Of one operation, in their order. Each takes ten seconds or more, so CI has one of so many;
// TROUPE_FAULT_POINTS=all has them all.
struct FaultPoints {
  std::string operation;
  std::size_t one_of;
  std::vector<std::string> moments;
};
std::vector<FaultPoint> tried(const std::vector<FaultPoints>& operations);

// "FailoverBeforeStepStopReceiver2"
std::string name_of(const testing::TestParamInfo<FaultPoint>& info);

}  // namespace troupe::e2e
