# Headers that most files include, parsed once for all targets. Sources still include what they use:
# `./dev lint` reads them without.
option(TROUPE_PRECOMPILE "Precompile the headers that most files include" ON)

# Whoever uses a precompiled header has to see its macros as it did, so it links what these link.
set(empty ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
file(CONFIGURE OUTPUT ${empty} CONTENT "")

add_library(precompiled STATIC EXCLUDE_FROM_ALL ${empty})
target_link_libraries(precompiled PUBLIC fmt::fmt Boost::headers Boost::json)
add_library(precompiled_for_tests STATIC EXCLUDE_FROM_ALL ${empty})
target_link_libraries(precompiled_for_tests PUBLIC precompiled GTest::gmock)

if(TROUPE_PRECOMPILE)
  set(common <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory>
    <mutex> <optional> <random> <set> <span> <string> <string_view> <thread> <unordered_map>
    <utility> <variant> <vector> <boost/json.hpp> <boost/system/result.hpp> <fmt/format.h>)
  target_precompile_headers(precompiled PRIVATE ${common})
  target_precompile_headers(precompiled_for_tests PRIVATE ${common} <gmock/gmock.h> <gtest/gtest.h>)
endif()

# troupe_precompile(TARGET CARRIER)
function(troupe_precompile target carrier)
  target_link_libraries(${target} PRIVATE ${carrier})
  if(TROUPE_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${carrier})
  endif()
endfunction()
