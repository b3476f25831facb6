// Copying this very program into a volume, so that it can run in another image.
#pragma once

#include <string>

namespace troupe::agent::supervise {

// Copies the running executable to DIRECTORY/troupe-supervise, whole or not at all. Throws
// std::runtime_error.
void install_self(const std::string& directory);

}  // namespace troupe::agent::supervise
