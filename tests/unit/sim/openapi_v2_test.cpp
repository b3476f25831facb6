#include "k8s/sim/api/openapi_v2.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/sim/api_testing.hpp"
#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

// What the v2 document makes of one v3 schema.
json::value converted(std::string_view v3) {
  json::object document;
  document["components"] = {{"schemas", {{"x", yaml(std::string(v3))}}}};
  const auto v2 = swagger_document({{"apis/x/v1", json::serialize(document), "H"}});
  return json::parse(v2.json).at("definitions").at("x");
}

struct Conversion {
  const char* rule;
  const char* v3;
  const char* v2;
};

class Swagger : public testing::TestWithParam<Conversion> {};

TEST_P(Swagger, HoldsOnlyWhatSwaggerAndKubectlKnow) {
  EXPECT_EQ(converted(GetParam().v3), yaml(GetParam().v2)) << GetParam().rule;
}

INSTANTIATE_TEST_SUITE_P(
    Schemas, Swagger,
    testing::Values(
        Conversion{"scalars stay", "{type: integer, format: int32, minimum: 1}",
                   "{type: integer, format: int32, minimum: 1}"},
        Conversion{"references lead to definitions",
                   "{type: object, properties: {a: {$ref: '#/components/schemas/b'}}}",
                   "{type: object, properties: {a: {$ref: '#/definitions/b'}}}"},
        Conversion{"a wrapped reference stands by itself, without a type",
                   "{allOf: [{$ref: '#/components/schemas/b'}], description: d, type: object}",
                   "{$ref: '#/definitions/b', description: d}"},
        Conversion{"alternatives go", "{type: object, anyOf: [{required: [a]}], not: {}}",
                   "{type: object}"},
        Conversion{"a number or a text is a text",
                   "{format: int-or-string, oneOf: [{type: integer}, {type: string}]}",
                   "{format: int-or-string, type: string}"},
        Conversion{"what may be null has no type",
                   "{type: object, nullable: true, properties: {a: {type: string}}}", "{}"},
        Conversion{"what may be null is not required",
                   "{type: object, required: [a, b], properties: {a: {type: string, nullable: "
                   "true}, b: {type: string}}}",
                   "{type: object, required: [b], properties: {a: {}, b: {type: string}}}"},
        Conversion{"what keeps unknown fields may be anything",
                   "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: "
                   "{type: string}}}",
                   "{x-kubernetes-preserve-unknown-fields: true}"},
        Conversion{"an array without items may be anything", "{type: array}", "{}"},
        Conversion{"a property may be called like a keyword",
                   "{type: object, properties: {nullable: {type: boolean}, not: {type: string}}}",
                   "{type: object, properties: {nullable: {type: boolean}, not: {type: "
                   "string}}}"}));

TEST(OpenApiV2, EncodesTextsAndMessagesUnderTheirNumbers) {
  json::object document;
  document["components"] = {{"schemas", {{"x", yaml("{type: string}")}}}};
  const auto v2 = swagger_document({{"apis/x/v1", json::serialize(document), "H"}});
  // definitions (9) { additional_properties (1) { name (1): x, value (2) { type (22) { value (1) }
  // }
  EXPECT_TRUE(
      v2.protobuf.ends_with(std::string("\x4a\x12\x0a\x10\x0a\x01x\x12\x0b\xb2\x01\x08"
                                        "\x0a\x06string")))
      << testing::PrintToString(v2.protobuf);
  EXPECT_TRUE(
      v2.protobuf.starts_with("\x0a\x03"
                              "2.0"));
}

TEST(OpenApiV2, IsServedInTheFormThatIsAskedFor) {
  TestCluster cluster;
  const auto json = cluster.get("/openapi/v2");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.text("swagger"), "2.0");
  EXPECT_TRUE(json.body.at("definitions").as_object().contains("io.k8s.api.core.v1.Pod"));
  const auto binary = cluster.server.handle(
      {.target = "/openapi/v2",
       .accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"},
      cluster.now);
  EXPECT_EQ(binary.status, 200);
  EXPECT_EQ(binary.content_type, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  EXPECT_EQ(cluster.get("/openapi/v2", "text/html").status, 406);
}

void collect_references(const json::value& value, std::set<std::string>& into) {
  if (const auto* array = value.if_array())
    for (const auto& item : *array) collect_references(item, into);
  if (const auto* object = value.if_object())
    for (const auto& [name, member] : *object) {
      if (name == "$ref" && member.is_string()) into.emplace(member.get_string());
      collect_references(member, into);
    }
}

// kubectl refuses the whole document for one that leads nowhere.
TEST(OpenApiV2, EveryReferenceLeadsToADefinition) {
  TestCluster cluster;
  const auto document = cluster.get("/openapi/v2").body;
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_GT(references.size(), 50u);
  const std::string prefix = "#/definitions/";
  for (const auto& reference : references) {
    ASSERT_TRUE(reference.starts_with(prefix)) << reference;
    EXPECT_TRUE(document.at("definitions").as_object().contains(reference.substr(prefix.size())))
        << reference;
  }
}

TEST(OpenApiV2, FollowsTheDefinitions) {
  TestCluster cluster;
  const auto widget = [&] {
    return cluster.get("/openapi/v2")
        .body.at("definitions")
        .as_object()
        .contains("com.example.v1.Widget");
  };
  EXPECT_FALSE(widget());
  ASSERT_EQ(cluster.post(kDefinitions, kWidgetDefinition).status, 201);
  EXPECT_TRUE(widget());
}

}  // namespace
}  // namespace troupe::sim
