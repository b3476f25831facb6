// Texts for people: whether one says something else than another.
#pragma once

#include <string_view>

namespace troupe::actors {

// They differ at most in numbers, times and sets of GTIDs, which move all the time.
bool same_but_for_numbers(std::string_view a, std::string_view b);

}  // namespace troupe::actors
