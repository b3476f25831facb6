#include "k8s/sim/api/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "k8s/sim/api/builtin_schemas.hpp"
#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A schema of a resource whose spec has these properties (YAML, indented by four).
std::string resource(const std::string& spec_properties, const std::string& spec_extra = "") {
  return "type: object\nproperties:\n  spec:\n    type: object\n" + spec_extra +
         "    properties:\n" + spec_properties;
}

Schema compile(const std::string& text) {
  auto schema = compile_custom_resource_schema(yaml(text));
  EXPECT_TRUE(schema) << to_string(schema.error());
  return *schema;
}

Schema compile_spec(const std::string& spec_properties, const std::string& spec_extra = "") {
  return compile(resource(spec_properties, spec_extra));
}

std::vector<std::string> lines(const std::vector<FieldError>& errors) {
  std::vector<std::string> out;
  for (const auto& e : errors) out.push_back(to_string(e));
  return out;
}

std::vector<std::string> validate(const Schema& schema, const std::string& object) {
  return lines(schema.validate(yaml(object)));
}

std::vector<std::string> validate_update(const Schema& schema, const std::string& old,
                                         const std::string& object) {
  const auto before = yaml(old);
  return lines(schema.validate(yaml(object), &before));
}

TEST(SchemaCompile, RefusesWhatIsNotStructural) {
  struct Case {
    std::string schema;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"properties: {}", "spec.x.type: Required value: must not be empty at the root"},
      {"type: array\nitems: {type: string}",
       "spec.x.type: Invalid value: \"array\": must be object at the root"},
      {"type: object\nproperties: {a: {}}",
       "spec.x.properties[a].type: Required value: must not be empty for specified object fields"},
      {"type: object\nproperties: {a: {type: array}}",
       "spec.x.properties[a].items: Required value: must be specified"},
      {"type: object\nproperties: {a: {type: array, items: {}}}",
       "spec.x.properties[a].items.type: Required value: must not be empty for specified array "
       "items"},
      {"type: object\nproperties: {a: {type: string, anyOf: [{type: string}]}}",
       "spec.x.properties[a].anyOf[0].type: Forbidden: must be empty to be structural"},
      {"type: object\nadditionalProperties: {type: string}",
       "spec.x.additionalProperties: Forbidden: must not be used at the root"},
      {"type: object\nproperties: {a: {type: object, properties: {b: {type: string}}, "
       "additionalProperties: {type: string}}}",
       "spec.x.properties[a].additionalProperties: Forbidden: additionalProperties and properties "
       "are mutual exclusive"},
      {"type: object\nproperties: {a: {type: string, pattern: '('}}",
       "must be a valid regular expression, but isn't"},
      {"type: object\nproperties: {metadata: {type: object, properties: {labels: {type: object}}}}",
       "spec.x.properties[metadata]: Forbidden: must not specify anything other than name and "
       "generateName, but metadata is implicitly specified"},
      {"type: object\nproperties: {a: {type: array, items: {type: object, properties: {n: {type: "
       "string}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n]}}",
       "spec.x.properties[a].items.properties[n].default: Required value: this property is in "
       "x-kubernetes-list-map-keys, so it must have a default or be a required property"},
      {"type: object\nproperties: {a: {type: integer, default: text}}",
       "spec.x.properties[a].default: Invalid value: \"string\""},
      {"type: object\nproperties: {a: {type: object, default: {b: 1}}}", "must not have unknown"},
      {"type: object\nx-kubernetes-validations: [{rule: 'self.spec == 1'}]",
       "compilation failed: ERROR: <input>:1:5: undefined field 'spec'"},
      {"type: object\nx-kubernetes-validations: [{rule: 'self.metadata.name'}]",
       "cel expression must evaluate to a bool"},
  };
  for (const auto& [text, error] : cases) {
    const auto schema = compile_custom_resource_schema(yaml(text), "spec.x");
    ASSERT_FALSE(schema) << text;
    EXPECT_THAT(to_string(schema.error()), HasSubstr(error)) << text;
  }
}

TEST(SchemaCompile, TakesIntOrStringWithItsUsualPattern) {
  compile_spec(R"(
      a:
        anyOf: [{type: integer}, {type: string}]
        x-kubernetes-int-or-string: true
        pattern: ^[0-9]+%?$
)");
}

TEST(SchemaPrune, RemovesAndReportsWhatTheSchemaDoesNotKnow) {
  const auto schema = compile_spec(R"(
      list: {type: array, items: {type: object, properties: {a: {type: string}}}}
      map: {type: object, additionalProperties: {type: string}}
      open: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {in: {type: object}}}
      port: {x-kubernetes-int-or-string: true}
)");
  auto object = yaml(R"(
apiVersion: x/v1
kind: X
metadata: {name: n, bogus: 1, labels: {a: b}}
extra: 1
spec:
  no: 1
  list: [{a: x, b: y}]
  map: {k: v}
  open: {free: {form: [1]}, in: {gone: 1}}
  port: 80
)");
  EXPECT_THAT(schema.prune(object), ElementsAre("extra", "metadata.bogus", "spec.list[0].b",
                                                "spec.no", "spec.open.in.gone"));
  EXPECT_EQ(object, yaml(R"(
apiVersion: x/v1
kind: X
metadata: {name: n, labels: {a: b}}
spec:
  list: [{a: x}]
  map: {k: v}
  open: {free: {form: [1]}, in: {}}
  port: 80
)"));
}

TEST(SchemaPrune, KeepsTypeMetaOfEmbeddedResources) {
  const auto schema = compile_spec(R"(
      pod: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
)");
  auto object = yaml("spec: {pod: {apiVersion: v1, kind: Pod, metadata: {name: x}, other: 1}}");
  EXPECT_THAT(schema.prune(object), ElementsAre("spec.pod.other"));
}

TEST(SchemaDefaults, AreSetWhereTheFieldIsAbsentAndGoDown) {
  const auto schema = compile_spec(R"(
      a: {type: integer, default: 3}
      b: {type: object, default: {}, properties: {c: {type: string, default: x}}}
      d: {type: object, properties: {e: {type: string, default: y}}}
      l: {type: array, items: {type: object, properties: {p: {type: string, default: TCP}}}}
)");
  auto object = yaml("spec: {a: 1, l: [{}, {p: UDP}]}");
  schema.apply_defaults(object);
  EXPECT_EQ(object, yaml("spec: {a: 1, b: {c: x}, l: [{p: TCP}, {p: UDP}]}"));
}

TEST(SchemaDefaults, NullIsDroppedDefaultedOrKept) {
  const auto schema = compile_spec(R"(
      plain: {type: string}
      filled: {type: string, default: x}
      kept: {type: string, nullable: true, default: x}
      map: {type: object, additionalProperties: {type: string}}
)");
  auto object = yaml("spec: {plain: null, filled: null, kept: null, map: {a: null, b: c}}");
  schema.apply_defaults(object);
  EXPECT_EQ(object, yaml("spec: {filled: x, kept: null, map: {b: c}}"));
}

TEST(SchemaDefaults, ANullThatIsRequiredIsMissing) {
  const auto schema = compile_spec("      a: {type: string}", "    required: [a]\n");
  auto object = yaml("spec: {a: null}");
  schema.apply_defaults(object);
  EXPECT_THAT(lines(schema.validate(object)), ElementsAre("spec.a: Required value"));
}

TEST(SchemaValidate, WordsEachRuleAsTheApiServerDoes) {
  struct Case {
    std::string property;
    std::string value;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"{type: integer, minimum: 1}", "0",
       "spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1"},
      {"{type: integer, minimum: 1, exclusiveMinimum: true}", "1",
       "spec.a: Invalid value: 1: spec.a in body should be greater than 1"},
      {"{type: number, maximum: 1.5}", "2",
       "spec.a: Invalid value: 2: spec.a in body should be less than or equal to 1.5"},
      {"{type: integer, multipleOf: 5}", "7",
       "spec.a: Invalid value: 7: spec.a in body should be a multiple of 5"},
      {"{type: string, enum: [x, y]}", "z",
       "spec.a: Unsupported value: \"z\": supported values: \"x\", \"y\""},
      {"{type: string, minLength: 2}", "x",
       "spec.a: Invalid value: \"x\": spec.a in body should be at least 2 chars long"},
      {"{type: string, maxLength: 1}", "xy", "spec.a: Too long: may not be more than 1 byte"},
      {"{type: string, pattern: '^[a-z]+$'}", "A1",
       "spec.a: Invalid value: \"A1\": spec.a in body should match '^[a-z]+$'"},
      {"{type: string}", "5",
       "spec.a: Invalid value: \"integer\": spec.a in body must be of type string: \"integer\""},
      {"{type: integer}", "[1]",
       "spec.a: Invalid value: \"array\": spec.a in body must be of type integer: \"array\""},
      {"{type: string, format: date-time}", "yesterday",
       "spec.a: Invalid value: \"yesterday\": spec.a in body must be of type date-time: "
       "\"yesterday\""},
      {"{type: string, format: ipv4}", "1.2.3",
       "spec.a: Invalid value: \"1.2.3\": spec.a in body must be of type ipv4: \"1.2.3\""},
      {"{type: array, items: {type: string}, minItems: 1}", "[]",
       "spec.a: Invalid value: 0: spec.a in body should have at least 1 items"},
      {"{type: array, items: {type: string}, maxItems: 1}", "[x, y]",
       "spec.a: Too many: 2: must have at most 1 item"},
      {"{type: array, items: {type: string}}", "[1]",
       "spec.a[0]: Invalid value: \"integer\": spec.a[0] in body must be of type string: "
       "\"integer\""},
      {"{type: object, additionalProperties: {type: string}, maxProperties: 1}", "{b: x, c: y}",
       "spec.a: Too many: 2: must have at most 1 item"},
      {"{type: object, additionalProperties: {type: integer}}", "{b: x}",
       "spec.a.b: Invalid value: \"string\": spec.a.b in body must be of type integer: "
       "\"string\""},
      {"{type: object, required: [b], properties: {b: {type: string}}}", "{}",
       "spec.a.b: Required value"},
      {"{type: array, items: {type: string}, x-kubernetes-list-type: set}", "[x, y, x]",
       "spec.a[2]: Duplicate value: \"x\""},
      {"{type: array, items: {type: object, required: [n], properties: {n: {type: string}}}, "
       "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [n]}",
       "[{n: x}, {n: x}]", "spec.a[1]: Duplicate value: {\"n\":\"x\"}"},
      {"{type: string, nullable: false}", "null",
       "spec.a: Invalid value: \"null\": spec.a in body must be of type string: \"null\""},
      {"{x-kubernetes-int-or-string: true}", "true",
       "spec.a: Invalid value: \"boolean\": spec.a in body must be of type integer,string: "
       "\"boolean\""},
      {"{type: object, x-kubernetes-preserve-unknown-fields: true, not: {required: [b]}}", "{b: 1}",
       "<nil>: Invalid value: \"\": \"spec.a\" must not validate the schema (not)"},
  };
  for (const auto& [property, value, error] : cases) {
    const auto schema = compile_spec("      a: " + property);
    EXPECT_THAT(validate(schema, "spec: {a: " + value + "}"), ElementsAre(error)) << property;
  }
}

TEST(SchemaValidate, AFractionForAnIntegerGivesTwoErrors) {
  const auto schema = compile_spec("      a: {type: integer, format: int32}");
  EXPECT_THAT(validate(schema, "spec: {a: 1.5}"),
              ElementsAre("spec.a: Invalid value: \"float64\": spec.a in body must be of type "
                          "int32: \"float64\"",
                          "<nil>: Invalid value: \"\": Checked value must be of type integer with "
                          "format int32 in spec.a"));
}

TEST(SchemaValidate, AlternativesExplainThemselvesByTheClosestOne) {
  const auto schema = compile_spec("      a: {type: string}\n      b: {type: string}",
                                   "    oneOf: [{required: [a]}, {required: [b]}]\n");
  EXPECT_THAT(validate(schema, "spec: {a: x}"), IsEmpty());
  EXPECT_THAT(validate(schema, "spec: {}"),
              ElementsAre("<nil>: Invalid value: \"\": \"spec\" must validate one and only one "
                          "schema (oneOf). Found none valid",
                          "spec.a: Required value"));
  EXPECT_THAT(validate(schema, "spec: {a: x, b: y}"),
              ElementsAre("<nil>: Invalid value: \"\": \"spec\" must validate one and only one "
                          "schema (oneOf). Found 2 valid alternatives"));
}

TEST(SchemaValidate, ListRulesOfMetadataAreNotTheSchemas) {
  const auto schema = compile_spec("      a: {type: string}");
  EXPECT_THAT(validate(schema, "{metadata: {finalizers: [a/b, a/b]}}"), IsEmpty());
}

TEST(SchemaValidate, UnchangedInvalidPartsPassAnUpdate) {
  const auto schema = compile_spec(R"(
      size: {type: integer, maximum: 5}
      name: {type: string, maxLength: 3}
      list: {type: array, items: {type: object, required: [k], properties: {k: {type: string}, v: {type: integer, maximum: 1}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]}
)");
  EXPECT_THAT(validate_update(schema, "spec: {size: 9, name: a}", "spec: {size: 9, name: b}"),
              IsEmpty());
  EXPECT_THAT(validate_update(schema, "spec: {size: 9}", "spec: {size: 8}"),
              ElementsAre(HasSubstr("spec.size: Invalid value: 8")));
  EXPECT_THAT(validate_update(schema, "spec: {list: [{k: a, v: 7}]}",
                              "spec: {list: [{k: b, v: 0}, {k: a, v: 7}]}"),
              IsEmpty());
}

TEST(SchemaRules, MessagesShowScalarsOnly) {
  const auto schema = compile_spec(R"(
      replicas:
        type: integer
        x-kubernetes-validations: [{rule: 'self % 2 == 1', message: must be odd}]
)",
                                   "    x-kubernetes-validations:\n"
                                   "    - {rule: 'self.replicas < 9'}\n");
  EXPECT_THAT(validate(schema, "spec: {replicas: 10}"),
              ElementsAre("spec: Invalid value: failed rule: self.replicas < 9",
                          "spec.replicas: Invalid value: 10: must be odd"));
}

TEST(SchemaRules, ReasonFieldPathAndMessageExpressionAreHonoured) {
  const auto schema =
      compile_spec("      name: {type: string}",
                   "    x-kubernetes-validations:\n"
                   "    - {rule: '!has(self.name)', reason: FieldValueForbidden, fieldPath: .name,"
                   " messageExpression: '\"not \" + self.name'}\n");
  const auto errors = schema.validate(yaml("spec: {name: x}"));
  EXPECT_THAT(lines(errors), ElementsAre("spec.name: Forbidden: not x"));
  EXPECT_EQ(cause_reason(errors[0].reason), "FieldValueForbidden");
}

TEST(SchemaRules, TransitionRulesRunInUpdatesOnly) {
  const auto schema = compile_spec(R"(
      a: {type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: immutable}]}
)");
  EXPECT_THAT(validate(schema, "spec: {a: x}"), IsEmpty());
  EXPECT_THAT(validate_update(schema, "spec: {}", "spec: {a: x}"), IsEmpty());
  EXPECT_THAT(validate_update(schema, "spec: {a: x}", "spec: {a: y}"),
              ElementsAre("spec.a: Invalid value: \"y\": immutable"));
}

TEST(SchemaRules, OptionalOldSelfRunsOnCreateToo) {
  const auto schema = compile_spec(R"(
      a:
        type: string
        x-kubernetes-validations:
        - {rule: oldSelf.hasValue() || self == 'first', optionalOldSelf: true, message: start}
)");
  EXPECT_THAT(validate(schema, "spec: {a: second}"),
              ElementsAre("spec.a: Invalid value: \"second\": start"));
  EXPECT_THAT(validate_update(schema, "spec: {a: first}", "spec: {a: second}"), IsEmpty());
}

TEST(SchemaRules, ARuleOnAnUnchangedValueDoesNotStopAnUpdate) {
  const auto schema = compile_spec(R"(
      a: {type: string, x-kubernetes-validations: [{rule: self == 'x'}]}
      b: {type: string}
)");
  EXPECT_THAT(validate_update(schema, "spec: {a: bad}", "spec: {a: bad, b: new}"), IsEmpty());
}

TEST(SchemaRules, StayUncheckedWhenTheObjectHasTheWrongShape) {
  const auto schema = compile_spec(R"(
      a: {type: string, x-kubernetes-validations: [{rule: self == 'x'}]}
      b: {type: integer}
)");
  EXPECT_THAT(validate(schema, "spec: {a: bad, b: text}"),
              ElementsAre(HasSubstr("spec.b: Invalid value: \"string\""),
                          "<nil>: Invalid value: null: some validation rules were not checked "
                          "because the object was invalid; correct the existing errors to complete "
                          "validation"));
}

TEST(SchemaRules, AnEvaluationErrorNamesTheRule) {
  const auto schema = compile_spec("      m: {type: object, additionalProperties: {type: string}}",
                                   "    x-kubernetes-validations:\n"
                                   "    - {rule: 'self.m.key == \"x\"'}\n");
  EXPECT_THAT(validate(schema, "spec: {m: {}}"),
              ElementsAre("spec: Invalid value: \"object\": no such key: key evaluating rule: "
                          "self.m.key == \"x\""));
}

TEST(SchemaRules, KeyedListsCompareWithoutOrder) {
  const auto schema = compile_spec(R"(
      l:
        type: array
        items: {type: object, required: [n], properties: {n: {type: string}}}
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [n]
        x-kubernetes-validations: [{rule: self == oldSelf}]
)");
  EXPECT_THAT(validate_update(schema, "spec: {l: [{n: a}, {n: b}]}", "spec: {l: [{n: b}, {n: a}]}"),
              IsEmpty());
}

TEST(FieldError, SeveralAreJoinedInBrackets) {
  const std::vector<FieldError> errors = {required("a"), required("b"), required("a")};
  EXPECT_EQ(to_string(errors), "[a: Required value, b: Required value]");
  EXPECT_EQ(to_string(std::vector{required("a", "why")}), "a: Required value: why");
}

}  // namespace
}  // namespace troupe::sim
