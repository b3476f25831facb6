#include "tests/support/tree.hpp"

namespace troupe::support {
namespace {

std::string below(std::string folder, std::string_view path) {
  if (!path.empty()) folder.append("/").append(path);
  return folder;
}

}  // namespace

std::string in_tree(std::string_view path) { return below(TROUPE_SOURCE_DIR, path); }

std::string program(std::string_view name) { return below(TROUPE_BINARY_DIR, name); }

}  // namespace troupe::support
