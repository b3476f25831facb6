#include "k8s/sim/api/openapi.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

OpenApiResource pods() { return {"", "v1", "Pod", "pods", "pod", true, nullptr, true, false}; }

OpenApiResource widgets() {
  return {"x.example.io",
          "v1",
          "Widget",
          "widgets",
          "widget",
          true,
          yaml("{type: object, properties: {spec: {type: object, description: What is wanted.}}}"),
          true,
          true};
}

json::value document(const OpenApiResource& resource) {
  const auto documents = openapi_documents({resource});
  EXPECT_EQ(documents.size(), 1u);
  return json::parse(documents.at(0).body);
}

TEST(OpenApi, HasADocumentForEachGroupVersion) {
  const auto documents = openapi_documents({widgets(), pods()});
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].path, "api/v1");
  EXPECT_EQ(documents[1].path, "apis/x.example.io/v1");
  const auto root = openapi_root(documents);
  EXPECT_EQ(root.at("paths").at("api/v1").at("serverRelativeURL").as_string(),
            "/openapi/v3/api/v1?hash=" + documents[0].hash);
}

TEST(OpenApi, HashesFollowTheContent) {
  auto changed = widgets();
  changed.schema = yaml("{type: object}");
  EXPECT_EQ(openapi_documents({widgets()})[0].hash, openapi_documents({widgets()})[0].hash);
  EXPECT_NE(openapi_documents({widgets()})[0].hash, openapi_documents({changed})[0].hash);
}

TEST(OpenApi, KindsAreFoundByGroupVersionKind) {
  const auto d = document(widgets());
  const auto& schema = d.at("components").at("schemas").at("io.example.x.v1.Widget");
  EXPECT_EQ(schema.at("x-kubernetes-group-version-kind"),
            json::parse(R"([{"group":"x.example.io","version":"v1","kind":"Widget"}])"));
  EXPECT_EQ(schema.at("properties").at("spec").at("description"), "What is wanted.");
  EXPECT_EQ(schema.at("properties").at("metadata").at("allOf").at(0).at("$ref"),
            "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
}

TEST(OpenApi, PatchTellsKubectlWhatTheServerCanDo) {
  const auto d = document(pods());
  const auto& patch = d.at("paths").at("/api/v1/namespaces/{namespace}/pods/{name}").at("patch");
  std::vector<std::string> parameters;
  for (const auto& p : patch.at("parameters").as_array()) {
    parameters.emplace_back(p.at("name").as_string());
  }
  EXPECT_EQ(parameters,
            (std::vector<std::string>{"dryRun", "fieldManager", "fieldValidation", "force"}));
  EXPECT_EQ(patch.at("x-kubernetes-group-version-kind"),
            json::parse(R"({"group":"","version":"v1","kind":"Pod"})"));
  const auto& types = patch.at("requestBody").at("content").as_object();
  EXPECT_TRUE(types.contains("application/apply-patch+yaml"));
  EXPECT_TRUE(types.contains("application/strategic-merge-patch+json"));
}

TEST(OpenApi, CustomResourcesHaveNoStrategicMergeAndTheirSubresources) {
  const auto d = document(widgets());
  const std::string item = "/apis/x.example.io/v1/namespaces/{namespace}/widgets/{name}";
  const auto& paths = d.at("paths").as_object();
  EXPECT_FALSE(paths.at(item)
                   .at("patch")
                   .at("requestBody")
                   .at("content")
                   .as_object()
                   .contains("application/strategic-merge-patch+json"));
  EXPECT_TRUE(paths.contains(item + "/status"));
  EXPECT_EQ(paths.at(item + "/scale")
                .at("get")
                .at("responses")
                .at("200")
                .at("content")
                .at("application/json")
                .at("schema")
                .at("$ref"),
            "#/components/schemas/io.k8s.api.autoscaling.v1.Scale");
}

TEST(OpenApi, BringsEverySchemaThatItRefersTo) {
  const auto d = document(pods());
  const auto& schemas = d.at("components").at("schemas").as_object();
  EXPECT_TRUE(schemas.contains("io.k8s.api.core.v1.Container"));
  EXPECT_TRUE(schemas.contains("io.k8s.apimachinery.pkg.api.resource.Quantity"));
  EXPECT_FALSE(schemas.contains("io.k8s.api.core.v1.Service"));
}

}  // namespace
}  // namespace troupe::sim
