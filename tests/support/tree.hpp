// The tree that a test was built from, and the programs that were built with it. One file knows
// where they are: whatever is compiled with the path of a checkout no cache has for another one.
#pragma once

#include <string>
#include <string_view>

namespace troupe::support {

// Of a file, by its path in the tree; the tree's own without one.
std::string in_tree(std::string_view path = {});
// Of a program by its name; the folder's own without one.
std::string program(std::string_view name = {});

}  // namespace troupe::support
