// troupe-gen: writes what is made from the API descriptions and the registry. A test compares it
// with what is committed.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "actors/host/registry.hpp"
#include "actors/host/role.hpp"
#include "apps/arguments.hpp"
#include "k8s/api/crd.hpp"

namespace {

namespace fs = std::filesystem;

bool write_file(const fs::path& path, std::string_view text) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) {
    fmt::print(stderr, "troupe-gen: cannot write {}\n", path.string());
    return false;
  }
  return true;
}

std::vector<const troupe::k8s::KindInfo*> own_kinds() {
  std::vector<const troupe::k8s::KindInfo*> out;
  for (const auto& kind : troupe::actors::registered_kinds()) out.push_back(&kind.info());
  return out;
}

bool write_crds(const fs::path& directory) {
  for (const troupe::k8s::KindInfo* kind : own_kinds()) {
    const fs::path path = directory / troupe::k8s::crd_file_name(*kind);
    if (!write_file(path, troupe::k8s::crd_yaml(*kind))) return false;
  }
  return true;
}

bool write_api_docs(const fs::path& path) {
  return write_file(path, troupe::k8s::api_reference(own_kinds()));
}

bool write_role(const fs::path& path) {
  return write_file(path, troupe::actors::role_yaml(troupe::actors::registered_kinds()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Writes files that are made from Troupe's API descriptions.", "troupe-gen"};
  app.require_subcommand(1);
  std::string out;
  auto* crds = app.add_subcommand("crds", "CustomResourceDefinitions, one file a kind");
  crds->add_option("--out", out, "Directory, such as config/crd")->required();
  auto* docs = app.add_subcommand("api-docs", "API reference in Markdown");
  docs->add_option("--out", out, "File, such as docs/api.md")->required();
  auto* role = app.add_subcommand("role", "ClusterRole of the operator");
  role->add_option("--out", out, "File, such as config/rbac/role.yaml")->required();
  if (const auto status = troupe::apps::parse_arguments(app, argc, argv)) return *status;
  try {
    const bool written = crds->parsed()   ? write_crds(out)
                         : docs->parsed() ? write_api_docs(out)
                                          : write_role(out);
    return written ? 0 : 1;
  } catch (const fs::filesystem_error& e) {
    fmt::print(stderr, "troupe-gen: {}\n", e.what());
    return 1;
  }
}
