// Installs CustomResourceDefinitions from the files of a folder.
#pragma once

#include <string>

#include "k8s/sim/local_client.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// Every document of every .yaml, .yml and .json file, in order of their names. Errors name the file
// and what is wrong with it.
Result<void> install_crd_folder(LocalClient& client, const std::string& folder);

}  // namespace troupe::sim
