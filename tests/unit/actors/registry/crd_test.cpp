#include "k8s/api/crd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>
#include <filesystem>
#include <set>
#include <sstream>

#include "actors/host/registry.hpp"
#include "k8s/api/arena.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"
#include "tests/support/files.hpp"
#include "tests/support/tree.hpp"

namespace troupe::k8s {
namespace {

namespace fs = std::filesystem;

// Those whose CRDs are ours: all that the operator runs.
std::vector<const KindInfo*> own_kinds() {
  std::vector<const KindInfo*> out;
  for (const auto& kind : actors::registered_kinds()) out.push_back(&kind.info());
  return out;
}

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The first line of `expected` that the file does not have in its place; empty if they are equal.
std::string first_difference(const std::string& found, const std::string& expected) {
  if (found == expected) return {};
  std::istringstream found_lines(found), expected_lines(expected);
  std::string found_line, expected_line;
  for (int number = 1;; ++number) {
    const bool more = static_cast<bool>(std::getline(found_lines, found_line));
    if (!std::getline(expected_lines, expected_line)) expected_line = "the end";
    if (!more) found_line = "the end";
    if (found_line != expected_line || !more) {
      return "line " + std::to_string(number) + " is\n  " + found_line + "\nand would be\n  " +
             expected_line;
    }
  }
}

// A value of a CRD by JSON pointer.
json::value at(const KindInfo& kind, std::string_view pointer) {
  return crd(kind).at_pointer(pointer);
}

// Schema of a member of the object.
json::object schema(const KindInfo& kind, std::string_view pointer) {
  return at(kind, "/spec/versions/0/schema/openAPIV3Schema/properties" + std::string(pointer))
      .as_object();
}

TEST(GeneratedFiles, CrdsAreUpToDate) {
  const fs::path directory = support::in_tree("config/crd");
  std::set<std::string> expected;
  for (const KindInfo* kind : own_kinds()) {
    expected.insert(crd_file_name(*kind));
    EXPECT_EQ(
        first_difference(support::file_text(directory / crd_file_name(*kind)), crd_yaml(*kind)), "")
        << "stale: run ./dev gen and commit " << directory / crd_file_name(*kind);
  }
  for (const auto& file : fs::directory_iterator(directory)) {
    EXPECT_TRUE(expected.contains(file.path().filename().string()))
        << file.path() << " is of no kind: delete it";
  }
}

TEST(GeneratedFiles, ApiReferenceIsUpToDate) {
  const auto file = support::file_text(support::in_tree("docs/api.md"));
  EXPECT_EQ(first_difference(file, api_reference(own_kinds())), "")
      << "stale: run ./dev gen and commit docs/api.md";
}

// The YAML must read back as the same values, texts that look like numbers or flags included.
bool same(const YAML::Node& node, const json::value& value) {
  if (value.is_object()) {
    if (!node.IsMap() || node.size() != value.get_object().size()) return false;
    for (const auto& [key, member] : value.get_object()) {
      if (!same(node[std::string(key)], member)) return false;
    }
    return true;
  }
  if (value.is_array()) {
    if (!node.IsSequence() || node.size() != value.get_array().size()) return false;
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (!same(node[i], value.get_array()[i])) return false;
    }
    return true;
  }
  if (value.is_string()) {
    const bool quoted = node.Tag() == "!";
    const std::string text = node.as<std::string>();
    const bool looks_otherwise = text.empty() || text == "true" || text == "false" ||
                                 text == "null" || (text[0] >= '0' && text[0] <= '9');
    return text == std::string(value.get_string()) && (quoted || !looks_otherwise);
  }
  return node.Tag() == "?" && node.as<std::string>() == json::serialize(value);
}

TEST(Crd, YamlReadsBackAsTheSameValues) {
  for (const KindInfo* kind : own_kinds()) {
    EXPECT_TRUE(same(YAML::Load(crd_yaml(*kind)), crd(*kind))) << kind->name();
  }
}

TEST(Crd, NamesAreTheReferences) {
  const KindInfo& sets = kind_info<UnitSet>();
  EXPECT_EQ(at(sets, "/metadata/name").as_string(), "unitsets.upm.syntropycloud.io");
  EXPECT_EQ(at(sets, "/spec/names/shortNames/0").as_string(), "us");
  EXPECT_EQ(at(sets, "/spec/versions/0/name").as_string(), "v1alpha2");
  EXPECT_EQ(at(sets, "/spec/versions/0/subresources/scale/specReplicasPath").as_string(),
            ".spec.units");
  EXPECT_EQ(at(kind_info<Unit>(), "/spec/names/shortNames/0").as_string(), "un");
  EXPECT_EQ(at(kind_info<MysqlReplication>(), "/spec/names/shortNames/0").as_string(), "mr");
  EXPECT_EQ(at(kind_info<MysqlReplication>(), "/spec/versions/0/name").as_string(), "v1alpha1");
}

TEST(Crd, RequiredIsWhatTheSeedRequires) {
  const auto required = [](const KindInfo& kind, std::string_view pointer) {
    std::vector<std::string> names;
    const json::object of = schema(kind, pointer);
    for (const json::value& each : of.at("required").as_array()) {
      names.emplace_back(each.as_string());
    }
    return names;
  };
  EXPECT_THAT(required(kind_info<UnitSet>(), "/spec"), ElementsAre("type", "version", "units"));
  EXPECT_THAT(required(kind_info<UnitSet>(), "/spec/properties/storages/items"),
              ElementsAre("name", "mountPath", "size"));
  EXPECT_THAT(required(kind_info<Unit>(), "/spec"), ElementsAre("template"));
  EXPECT_THAT(required(kind_info<MysqlReplication>(), "/spec"),
              ElementsAre("mode", "secret", "source", "replica"));
}

TEST(Crd, DefaultsAreTheMembersInitializers) {
  EXPECT_EQ(schema(kind_info<Unit>(), "/spec/properties/startup").at("default"), true);
  EXPECT_EQ(schema(kind_info<Unit>(), "/spec/properties/unbindNode").at("default"), false);
  EXPECT_EQ(schema(kind_info<UnitSet>(), "/spec/properties/updateStrategy").at("default"),
            json::parse(R"({"type":"RollingUpdate",
                            "rollingUpdate":{"partition":0,"maxUnavailable":1}})"));
  EXPECT_EQ(schema(kind_info<MysqlReplication>(), "/spec/properties/aesSecret").at("default"),
            json::parse(R"({"name":"aes-secret-key","key":"AES_SECRET_KEY"})"));
}

TEST(Crd, EnumsAreTextsAndServicesCannotBeExternalNames) {
  const json::object mode = schema(kind_info<MysqlReplication>(), "/spec/properties/mode");
  EXPECT_EQ(json::serialize(mode.at("enum")),
            R"(["rpl_async","rpl_semi_sync","group_replication"])");
  const json::object type =
      schema(kind_info<UnitSet>(), "/spec/properties/externalService/properties/type");
  EXPECT_EQ(json::serialize(type.at("enum")), R"(["ClusterIP","NodePort","LoadBalancer"])");
}

TEST(Crd, ListsByNameAreMapsSoThatNamesAreUnique) {
  const json::object storages = schema(kind_info<UnitSet>(), "/spec/properties/storages");
  EXPECT_EQ(storages.at("x-kubernetes-list-type").as_string(), "map");
  EXPECT_EQ(json::serialize(storages.at("x-kubernetes-list-map-keys")), R"(["name"])");
}

// What a structural schema must have: a type everywhere but under int-or-string and unknown parts,
// documentation for kubectl explain, and keys of list maps that are required.
void check_structural(const std::string& path, const json::object& schema, bool documented) {
  const bool typeless = schema.contains("x-kubernetes-int-or-string") ||
                        schema.contains("x-kubernetes-preserve-unknown-fields");
  EXPECT_TRUE(schema.contains("type") || typeless) << path;
  EXPECT_TRUE(!documented || schema.contains("description")) << path;
  if (const json::value* keys = schema.if_contains("x-kubernetes-list-map-keys")) {
    std::vector<std::string> required;
    for (const json::value& each : schema.at("items").at("required").as_array()) {
      required.emplace_back(each.as_string());
    }
    for (const json::value& key : keys->as_array()) {
      EXPECT_THAT(required, ::testing::Contains(std::string(key.as_string()))) << path;
    }
  }
  if (const json::value* properties = schema.if_contains("properties")) {
    const bool raw = schema.contains("x-kubernetes-preserve-unknown-fields");
    for (const auto& [name, value] : properties->as_object()) {
      check_structural(path + "." + std::string(name), value.as_object(), documented && !raw);
    }
  }
  if (const json::value* items = schema.if_contains("items")) {
    check_structural(path + "[]", items->as_object(), false);
  }
}

TEST(Crd, SchemasAreStructuralAndDocumented) {
  for (const KindInfo* kind : own_kinds()) {
    for (const char* part : {"/spec", "/status"}) {
      const json::object members = schema(*kind, std::string(part) + "/properties");
      for (const auto& [name, value] : members) {
        check_structural(std::string(kind->table.kind) + part + "." + std::string(name),
                         value.as_object(), name != "template");
      }
    }
  }
}

TEST(Crd, RulesSayWhatToDo) {
  const std::string yaml = crd_yaml(kind_info<UnitSet>());
  EXPECT_THAT(yaml, HasSubstr("a storage cannot shrink: keep the size or raise it"));
  EXPECT_THAT(yaml, HasSubstr("quantity(self).compareTo(quantity(oldSelf)) >= 0"));
}

TEST(Kinds, AreFoundByIdAndByName) {
  EXPECT_EQ(find_kind(kKindId<UnitSet>), &kind_info<UnitSet>());
  EXPECT_EQ(find_kind("", "Secret"), &kind_info<SecretObject>());
  EXPECT_EQ(find_kind("apps", "Deployment"), nullptr);
  EXPECT_EQ(kind_info<Unit>().api_version(), "upm.syntropycloud.io/v1alpha2");
  EXPECT_EQ(kind_info<Pod>().api_version(), "v1");
  EXPECT_EQ(kind_info<Unit>().name(), "Unit.upm.syntropycloud.io");
}

TEST(Kinds, HaveDifferentIds) {
  std::set<KindId> ids;
  for (const KindInfo* kind : own_kinds()) EXPECT_TRUE(ids.insert(kind->id).second) << kind->name();
  for (const KindInfo* kind : core_kinds())
    EXPECT_TRUE(ids.insert(kind->id).second) << kind->name();
}

}  // namespace
}  // namespace troupe::k8s
