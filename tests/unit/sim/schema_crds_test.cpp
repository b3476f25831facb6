// The CRDs of the operators that Troupe drives compile whole: schema, defaults and CEL rules.
//
// The files are not part of the repository; TROUPE_CRDS names a folder that has them.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>

#include "k8s/sim/api/builtin_schemas.hpp"
#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

std::vector<std::filesystem::path> crd_files() {
  std::vector<std::filesystem::path> out;
  const char* folder = std::getenv("TROUPE_CRDS");
  if (!folder) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  return out;
}

TEST(Crds, OfOtherOperatorsCompileAsSchemas) {
  const auto files = crd_files();
  if (files.empty()) GTEST_SKIP() << "TROUPE_CRDS names no folder with CRDs";
  int versions = 0;
  for (const auto& file : files) {
    SCOPED_TRACE(file.string());
    for (const auto& document : YAML::LoadAllFromFile(file.string())) {
      const auto crd = from_yaml(document);
      if (!crd.is_object()) continue;
      for (const auto& version : crd.at("spec").at("versions").as_array()) {
        const auto schema =
            compile_custom_resource_schema(version.at("schema").at("openAPIV3Schema"));
        EXPECT_TRUE(schema) << to_string(schema.error());
        ++versions;
      }
    }
  }
  EXPECT_GT(versions, 0);
}

}  // namespace
}  // namespace troupe::sim
