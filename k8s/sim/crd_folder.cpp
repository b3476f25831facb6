#include "k8s/sim/crd_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "k8s/sim/api/body.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;

Result<void> install_file(LocalClient& client, const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return error(Code::Fatal, fmt::format("cannot read {}", path.string()));
  auto documents = parse_yaml_documents(text.str());
  if (!documents) {
    return error(Code::Invalid, fmt::format("{}: {}", path.string(), documents.error().message));
  }
  for (auto& document : *documents) {
    const auto created =
        client.create("customresourcedefinitions.apiextensions.k8s.io", "", std::move(document));
    if (created) continue;
    return error(created.error().code,
                 fmt::format("{}: {}", path.string(), created.error().message));
  }
  return {};
}

}  // namespace

Result<void> install_crd_folder(LocalClient& client, const std::string& folder) {
  std::error_code failed;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") {
      files.push_back(entry.path());
    }
  }
  if (failed) {
    return error(Code::Fatal,
                 fmt::format("cannot read the folder {}: {}", folder, failed.message()));
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    if (auto installed = install_file(client, file); !installed) return installed;
  }
  return {};
}

}  // namespace troupe::sim
