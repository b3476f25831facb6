// A line for whoever watches, at once.
#pragma once

#include <cstdio>
#include <string>

namespace troupe::oracle {

inline void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace troupe::oracle
