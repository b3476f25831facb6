// Taking the operator away, and giving it back. Blocks.
#pragma once

#include <functional>
#include <string>

#include "tests/oracle/kubectl.hpp"

namespace troupe::oracle {

// Each waits until it is so. False if it cannot be done.
struct OperatorControl {
  std::function<bool()> kill;
  std::function<bool()> start;

  static OperatorControl by_commands(const std::string& kill, const std::string& start) {
    const auto shell = [](const std::string& command) {
      return [command] { return run({"sh", "-c", command}, std::chrono::seconds(60)).status == 0; };
    };
    return {shell(kill), shell(start)};
  }
};

}  // namespace troupe::oracle
