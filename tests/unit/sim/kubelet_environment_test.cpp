#include <gtest/gtest.h>

#include <map>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/oci_config.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

const json::value kPod = json::parse(R"({
  "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "db"}},
  "spec": {"nodeName": "node-1"}})");
const std::map<std::string, json::value> kObjects = {
    {"configmaps/settings", json::parse(R"({"metadata": {"name": "settings", "namespace": "ns"},
        "data": {"A": "1", "B": "2"}})")},
    {"secrets/login", json::parse(R"({"metadata": {"name": "login", "namespace": "ns"},
        "data": {"password": "czNjcjN0"}})")}};

PodFacts facts() {
  return {&kPod,
          "10.244.0.7",
          "10.244.0.1",
          [](std::string_view resource, std::string_view name) -> const json::value* {
            const auto found = kObjects.find(std::string(resource) + "/" + std::string(name));
            return found == kObjects.end() ? nullptr : &found->second;
          },
          {}};
}

Result<Environment> environment(std::string_view container) {
  Environment result;
  auto added = add_container_environment(result, facts(), json::parse(container));
  if (!added) return added.error();
  return result;
}

TEST(ContainerEnvironment, ResolvesEverySourceOfAValue) {
  const auto env =
      environment(R"json({"resources": {"limits": {"memory": "1536Mi", "cpu": "1500m"}},
    "env": [
      {"name": "PLAIN", "value": "x"},
      {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
      {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
      {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
      {"name": "MEMORY", "valueFrom": {"resourceFieldRef":
          {"resource": "limits.memory", "divisor": "1Mi"}}},
      {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
      {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "A"}}},
      {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
      {"name": "URL", "value": "$(NAME):$(PASSWORD)@$(IP) $$(NAME) $(MISSING)"}]
})json");
  ASSERT_TRUE(env) << env.error().message;
  EXPECT_EQ(*env->find("NAME"), "p");
  EXPECT_EQ(*env->find("LABEL"), "db");
  EXPECT_EQ(*env->find("MEMORY"), "1536");
  EXPECT_EQ(*env->find("CPU"), "2");
  EXPECT_EQ(*env->find("KEY"), "1");
  EXPECT_EQ(*env->find("URL"), "p:s3cr3t@10.244.0.7 $(NAME) $(MISSING)");
}

TEST(ContainerEnvironment, NamesWhatIsMissingUnlessItIsOptional) {
  const auto no_map = environment(R"({"envFrom": [{"configMapRef": {"name": "absent"}}]})");
  ASSERT_FALSE(no_map);
  EXPECT_EQ(no_map.error().message, "configmap \"absent\" not found");
  const auto no_key = environment(R"({"env": [{"name": "X", "valueFrom":
      {"configMapKeyRef": {"name": "settings", "key": "Z"}}}]})");
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().message, "couldn't find key Z in ConfigMap ns/settings");
  const auto optional = environment(R"({"env": [{"name": "X", "valueFrom":
      {"secretKeyRef": {"name": "absent", "key": "Z", "optional": true}}}]})");
  ASSERT_TRUE(optional);
  EXPECT_EQ(optional->find("X"), nullptr);
}

TEST(ContainerEnvironment, EnvironmentOfAWholeObjectTakesAPrefix) {
  const auto env =
      environment(R"({"envFrom": [{"prefix": "CFG_", "configMapRef": {"name": "settings"}}]})");
  ASSERT_TRUE(env);
  EXPECT_EQ(*env->find("CFG_A"), "1");
  EXPECT_EQ(*env->find("CFG_B"), "2");
}

TEST(CommandLine, CommandReplacesTheEntrypointAndArgsOnlyTheArguments) {
  const ImageConfig image{{"entry"}, {"default"}, {}, "", "", 15};
  const auto line = [&](std::string_view container) {
    return *command_line(json::parse(container), image, {});
  };
  using Line = std::vector<std::string>;
  EXPECT_EQ(line("{}"), (Line{"entry", "default"}));
  EXPECT_EQ(line(R"({"args": ["own"]})"), (Line{"entry", "own"}));
  EXPECT_EQ(line(R"({"command": ["run"]})"), Line{"run"});
  EXPECT_FALSE(command_line(json::object(), ImageConfig{}, {}));
}

TEST(OciConfig, DropsAndAddsCapabilitiesAndLimitsMemory) {
  const json::value container = json::parse(R"({"command": ["run"],
      "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
      "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_NICE"]}}})");
  OciRequest request;
  request.pod = &kPod;
  request.container = &container;
  request.netns = "/run/netns/x";
  const auto made = oci_config(request);
  ASSERT_TRUE(made);
  const json::value config = *made;
  EXPECT_EQ(items(config, {"process", "capabilities", "bounding"}),
            json::array{json::value("CAP_SYS_NICE")});
  EXPECT_EQ(number(config, {"linux", "resources", "memory", "limit"}), 64 << 20);
  EXPECT_EQ(number(config, {"linux", "resources", "cpu", "quota"}), 50'000);
  bool own_network = false;
  for (const auto& ns : items(config, {"linux", "namespaces"})) {
    own_network = own_network || text(ns, {"path"}) == "/run/netns/x";
  }
  EXPECT_TRUE(own_network);
}

TEST(VolumeFiles, ProjectAllSourcesWithTheirModes) {
  PodFacts given = facts();
  given.token = [](const TokenRequest& request) -> Result<std::string> {
    return "token for " + request.audience;
  };
  const auto files = volume_files(given, json::parse(R"({"name": "v", "projected": {
      "defaultMode": 256, "sources": [
        {"serviceAccountToken": {"path": "token", "audience": "vault"}},
        {"configMap": {"name": "settings", "items": [{"key": "A", "path": "dir/a", "mode": 420}]}},
        {"downwardAPI": {"items": [{"path": "labels",
            "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}})"));
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->at("token").content, "token for vault");
  EXPECT_EQ(files->at("dir/a").content, "1");
  EXPECT_EQ(files->at("dir/a").mode, 0644);
  EXPECT_EQ(files->at("labels").content, "app=\"db\"");
  EXPECT_EQ(files->at("labels").mode, 0400);
}

}  // namespace
}  // namespace troupe::sim
