#include "k8s/sim/api/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "k8s/sim/api/builtin_schemas.hpp"
#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kNoon{std::chrono::sys_days{std::chrono::January / 31 / 2026} +
                     std::chrono::hours(12)};

const Schema& deployments() { return builtin_schema("apps", "v1", "Deployment"); }
const Schema& services() { return builtin_schema("", "v1", "Service"); }

Schema widgets() {
  auto schema = compile_custom_resource_schema(yaml(R"(
type: object
properties:
  spec:
    type: object
    properties:
      size: {type: integer}
      mode: {type: string}
      tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
      args: {type: array, items: {type: string}}
      ref: {type: object, x-kubernetes-map-type: atomic, properties: {name: {type: string}, key: {type: string}}}
      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
      parts:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name]
        items:
          type: object
          required: [name]
          properties: {name: {type: string}, size: {type: integer}, image: {type: string}}
  status: {type: object, properties: {ready: {type: boolean}}}
)"));
  EXPECT_TRUE(schema) << to_string(schema.error());
  return *schema;
}

json::value widget(const std::string& spec, const std::string& metadata = "{name: w}") {
  return yaml("{apiVersion: x.io/v1, kind: Widget, metadata: " + metadata + ", spec: " + spec +
              "}");
}

FieldManagerRequest by(std::string manager, int seconds_after_noon = 0) {
  return {std::move(manager), "x.io/v1", "", kNoon + std::chrono::seconds(seconds_after_noon), {}};
}

// Applies and expects no conflict.
json::value applied(const json::value* live, const json::value& config,
                    const FieldManagerRequest& request, const Schema& schema, bool force = false) {
  auto outcome = apply(live, config, request, force, schema);
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_THAT(outcome->conflicts, IsEmpty()) << conflict_message(outcome->conflicts);
  return outcome->object;
}

json::value updated(const json::value* old, json::value object, const FieldManagerRequest& request,
                    const Schema& schema) {
  const auto done = track_update(old, object, request, schema);
  EXPECT_TRUE(done) << done.error().message;
  return object;
}

// managedFields as "manager operation subresource" lines with their fields.
json::object owners(const json::value& object) {
  json::object out;
  const auto* entries = object.at("metadata").as_object().if_contains("managedFields");
  if (!entries) return out;
  for (const auto& entry : entries->as_array()) {
    std::string name(entry.at("manager").as_string());
    name += " " + std::string(entry.at("operation").as_string());
    if (entry.as_object().contains("subresource")) {
      name += " " + std::string(entry.at("subresource").as_string());
    }
    out[name] = entry.at("fieldsV1");
  }
  return out;
}

json::value fields_json(std::string_view text) { return json::parse(text); }

// FieldSet

TEST(FieldSet, ReadsAndWritesFieldsV1) {
  const auto fields = fields_json(
      R"({"f:metadata":{"f:finalizers":{".":{},"v:\"a/b\"":{}}},
          "f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}},
                    "f:list":{"i:0":{}}}})");
  const auto set = FieldSet::from_fields_v1(fields);
  ASSERT_TRUE(set);
  EXPECT_EQ(set->to_fields_v1(), fields);
  EXPECT_FALSE(FieldSet::from_fields_v1(json::parse(R"({"x:a":{}})")));
  EXPECT_FALSE(FieldSet::from_fields_v1(json::parse(R"({"k:[1]":{}})")));
}

TEST(FieldSet, HasSetArithmetic) {
  const auto set = [](std::string_view text) {
    return *FieldSet::from_fields_v1(json::parse(text));
  };
  const auto a = set(R"({"f:x":{".":{},"f:y":{}},"f:z":{}})");
  const auto b = set(R"({"f:x":{"f:y":{},"f:w":{}}})");
  EXPECT_EQ(a.united(b), set(R"({"f:x":{".":{},"f:y":{},"f:w":{}},"f:z":{}})"));
  EXPECT_EQ(a.intersected(b), set(R"({"f:x":{"f:y":{}}})"));
  EXPECT_EQ(a.minus(b), set(R"({"f:x":{},"f:z":{}})"));
  EXPECT_EQ(b.minus_recursive(set(R"({"f:x":{}})")), FieldSet());
}

TEST(FieldSet, PathsReadAsInConflictMessages) {
  const json::value name = "main", port = 80;
  const FieldPath path = {PathElement::field("spec"), PathElement::field("parts"),
                          PathElement::key({{"port", &port}, {"name", &name}}),
                          PathElement::field("image")};
  EXPECT_EQ(to_string(path), ".spec.parts[name=\"main\",port=80].image");
  EXPECT_EQ(to_string(FieldPath{PathElement::field("a"), PathElement::value("x")}), ".a[=\"x\"]");
}

// What an object owns

TEST(FieldsOfObject, FollowTheSchema) {
  const auto set = field_set_of(widget(R"({
      size: 1, tags: [a, b], args: [x], ref: {name: n}, free: {deep: {er: 1}},
      parts: [{name: p, size: 2}]})"),
                                widgets());
  EXPECT_EQ(set.to_fields_v1(), fields_json(R"({"f:spec":{
      "f:args":{}, "f:ref":{}, "f:size":{},
      "f:free":{"f:deep":{".":{},"f:er":{}}},
      "f:parts":{"k:{\"name\":\"p\"}":{".":{},"f:name":{},"f:size":{}}},
      "f:tags":{"v:\"a\"":{},"v:\"b\"":{}}}})"));
}

TEST(FieldsOfObject, DefaultedMapKeysArePartOfTheKey) {
  const auto set = field_set_of(
      yaml("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}"),
      services());
  EXPECT_EQ(set.to_fields_v1(), fields_json(R"({"f:spec":{"f:ports":{
                "k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}})"));
}

// As an update that got past validation once may have left them.
TEST(FieldsOfObject, ItemsOfOneKeyOwnTheirFieldsTogether) {
  const auto set =
      field_set_of(widget("{parts: [{name: p, size: 2}, {name: p, image: i}]}"), widgets());
  EXPECT_EQ(set.to_fields_v1(), fields_json(R"({"f:spec":{
      "f:parts":{"k:{\"name\":\"p\"}":{".":{},"f:image":{},"f:name":{},"f:size":{}}}}})"));
}

// Apply

TEST(Apply, CreatesWithTheFieldsOfTheConfiguration) {
  const auto object = applied(nullptr, widget("{size: 1}"), by("m1"), widgets());
  EXPECT_EQ(object.at("metadata").at("managedFields"), json::parse(R"([{
      "manager":"m1","operation":"Apply","apiVersion":"x.io/v1","time":"2026-01-31T12:00:00Z",
      "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:size":{}}}}])"));
  EXPECT_EQ(object.at("spec").at("size"), 1);
}

TEST(Apply, RemovesWhatIsNoLongerAppliedAndOwnedByNobodyElse) {
  const auto schema = widgets();
  const auto first =
      applied(nullptr, widget("{size: 1, mode: a, parts: [{name: p, size: 1}, {name: q}]}"),
              by("m1"), schema);
  const auto second = applied(&first, widget("{size: 1, parts: [{name: p}]}"), by("m1", 5), schema);
  EXPECT_EQ(second.at("spec"), yaml("{size: 1, parts: [{name: p}]}"));
  EXPECT_EQ(second.at("metadata").at("managedFields").at(0).at("time"), "2026-01-31T12:00:05Z");
}

TEST(Apply, KeepsWhatAnotherManagerOwnsToo) {
  const auto schema = widgets();
  const auto first = applied(nullptr, widget("{size: 1, mode: a}"), by("m1"), schema);
  const auto shared = applied(&first, widget("{mode: a}"), by("m2"), schema);
  const auto third = applied(&shared, widget("{size: 1}"), by("m1"), schema);
  EXPECT_EQ(third.at("spec"), yaml("{size: 1, mode: a}"));
  EXPECT_EQ(owners(third), json::parse(R"({
      "m1 Apply":{"f:spec":{"f:size":{}}},"m2 Apply":{"f:spec":{"f:mode":{}}}})"));
}

TEST(Apply, LabelsOfOthersSurviveTheLossOfOnesOwn) {
  const auto schema = widgets();
  const auto first =
      applied(nullptr, widget("{}", "{name: w, labels: {a: '1'}}"), by("m1"), schema);
  const auto second =
      applied(&first, widget("{}", "{name: w, labels: {b: '2'}}"), by("m2"), schema);
  const auto third = applied(&second, widget("{}"), by("m1"), schema);
  EXPECT_EQ(third.at("metadata").at("labels"), json::parse(R"({"b":"2"})"));
}

TEST(Apply, ThatGivesUpItsLastFieldLosesItsEntry) {
  const auto schema = widgets();
  const auto first = applied(nullptr, widget("{size: 1}"), by("m1"), schema);
  const auto config = yaml("{apiVersion: x.io/v1, kind: Widget, metadata: {name: w}}");
  const auto second = applied(&first, config, by("m1"), schema);
  EXPECT_EQ(owners(second), json::object());
  EXPECT_FALSE(second.as_object().contains("spec"));
}

TEST(Apply, ConflictsNameTheManagerAndTheField) {
  const auto schema = widgets();
  const auto live = applied(nullptr, widget("{parts: [{name: main, image: a}]}"), by("m1"), schema);
  const auto outcome =
      apply(&live, widget("{parts: [{name: main, image: b}]}"), by("m2"), false, schema);
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->conflicts, ElementsAre(ApplyConflict{"conflict with \"m1\"",
                                                            ".spec.parts[name=\"main\"].image"}));
  EXPECT_EQ(conflict_message(outcome->conflicts),
            "Apply failed with 1 conflict: conflict with \"m1\": .spec.parts[name=\"main\"].image");
}

TEST(Apply, ConflictsWithUpdatersNameVersionAndSubresource) {
  const auto schema = widgets();
  auto scale = by("kubectl");
  scale.subresource = "scale";
  const auto created = applied(nullptr, widget("{size: 1, mode: a}"), by("m1"), schema);
  auto scaled = created;
  scaled.at("spec").as_object()["size"] = 3;
  scaled = updated(&created, scaled, scale, schema);
  auto changed = scaled;
  changed.at("spec").as_object()["mode"] = "b";
  changed = updated(&scaled, changed, by("editor"), schema);
  const auto outcome = apply(&changed, widget("{size: 1, mode: a}"), by("m1"), false, schema);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(
      conflict_message(outcome->conflicts),
      "Apply failed with 2 conflicts: conflicts with \"editor\" using x.io/v1:\n- .spec.mode\n"
      "conflicts with \"kubectl\" with subresource \"scale\" using x.io/v1:\n- .spec.size");
}

TEST(Apply, ForceTakesTheFieldAway) {
  const auto schema = widgets();
  const auto live = applied(nullptr, widget("{size: 1, mode: a}"), by("m1"), schema);
  const auto forced = applied(&live, widget("{size: 2}"), by("m2"), schema, true);
  EXPECT_EQ(forced.at("spec").at("size"), 2);
  EXPECT_EQ(owners(forced), json::parse(R"({
      "m1 Apply":{"f:spec":{"f:mode":{}}},"m2 Apply":{"f:spec":{"f:size":{}}}})"));
}

TEST(Apply, ThatChangesNothingIsANoOpEvenLater) {
  const auto schema = widgets();
  const auto live = applied(nullptr, widget("{size: 1}"), by("m1"), schema);
  const auto again = applied(&live, widget("{size: 1}"), by("m1", 60), schema);
  EXPECT_TRUE(is_noop(live, again));
  EXPECT_EQ(live.at("metadata").at("managedFields"), again.at("metadata").at("managedFields"));
}

TEST(Apply, OfAnotherTextForAnEqualQuantityConflicts) {
  const auto config = [](const char* cpu) {
    return yaml(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, "
        "resources: {limits: {cpu: '" +
        std::string(cpu) + "'}}}]}}");
  };
  const auto& pods = builtin_schema("", "v1", "Pod");
  auto live = applied(nullptr, config("1000m"), by("m1"), pods);
  pods.apply_defaults(live);
  EXPECT_EQ(live.at("spec").at("containers").at(0).at("resources").at("limits").at("cpu"), "1");
  const auto other = apply(&live, config("1000m"), by("m2"), false, pods);
  EXPECT_THAT(other->conflicts, testing::SizeIs(1));
  auto same = applied(&live, config("1000m"), by("m1"), pods);
  pods.apply_defaults(same);
  EXPECT_TRUE(is_noop(live, same));
}

TEST(Apply, ToAnUntrackedObjectGivesItsFieldsToBeforeFirstApply) {
  const auto schema = widgets();
  const auto live = widget("{size: 1, mode: a}", "{name: w, uid: u}");
  const auto outcome = apply(&live, widget("{size: 2}"), by("m1"), false, schema);
  EXPECT_THAT(outcome->conflicts,
              ElementsAre(ApplyConflict{"conflict with \"before-first-apply\" using x.io/v1",
                                        ".spec.size"}));
}

TEST(Apply, MergesKeyedListsInTheOrderOfTheConfiguration) {
  const auto schema = widgets();
  const auto live =
      applied(nullptr, widget("{parts: [{name: x}, {name: a}, {name: b}]}"), by("m1"), schema);
  const auto merged =
      applied(&live, widget("{parts: [{name: n}, {name: b}, {name: a}]}"), by("m2"), schema);
  EXPECT_EQ(merged.at("spec").at("parts"), yaml("[{name: x}, {name: n}, {name: b}, {name: a}]"));
}

TEST(Apply, ReplacesAtomicPartsWhole) {
  const auto schema = widgets();
  const auto live =
      applied(nullptr, widget("{ref: {name: a, key: k}, args: [x, y]}"), by("m1"), schema);
  const auto next = applied(&live, widget("{ref: {name: b}, args: [z]}"), by("m1"), schema);
  EXPECT_EQ(next.at("spec"), yaml("{ref: {name: b}, args: [z]}"));
}

TEST(Apply, RefusesConfigurationsThatCannotBeOwned) {
  const auto schema = widgets();
  const auto refused = [&](const json::value& config) {
    const auto outcome = apply(nullptr, config, by("m1"), false, schema);
    return outcome ? std::string("accepted") : outcome.error().message;
  };
  EXPECT_EQ(refused(widget("{}", "{name: w, managedFields: []}")),
            "metadata.managedFields must be nil");
  EXPECT_EQ(refused(widget("{parts: [{name: a}, {name: a}]}", "{name: w, namespace: n}")),
            "failed to create typed patch object (n/w; x.io/v1, Kind=Widget): .spec.parts: "
            "duplicate entries for key [name=\"a\"]");
  EXPECT_THAT(refused(widget("{parts: [{size: 1}]}")), HasSubstr("omits key field \"name\""));
  EXPECT_THAT(refused(widget("{bogus: 1}")),
              HasSubstr(".spec.bogus: field not declared in schema"));
  EXPECT_EQ(refused(widget("{free: {any: 1}}")), "accepted");
}

TEST(Apply, LeavesOutWhatTheEndpointResets) {
  const auto schema = widgets();
  auto main = by("m1");
  main.reset_fields = {"status"};
  auto config = widget("{size: 1}");
  config.as_object()["status"] = {{"ready", true}};
  const auto object = applied(nullptr, config, main, schema);
  EXPECT_EQ(owners(object), json::parse(R"({"m1 Apply":{"f:spec":{"f:size":{}}}})"));
}

// Update

TEST(TrackUpdate, ACreationOwnsItsFieldsWithTheParentsOfMaps) {
  const auto object =
      updated(nullptr, widget("{size: 1, free: {a: {b: 1}}}", "{name: w, labels: {x: y}, uid: u}"),
              by("kubectl"), widgets());
  EXPECT_EQ(owners(object), json::parse(R"({"kubectl Update":{
      "f:metadata":{"f:labels":{".":{},"f:x":{}}},
      "f:spec":{".":{},"f:size":{},"f:free":{".":{},"f:a":{".":{},"f:b":{}}}}}})"));
}

TEST(TrackUpdate, OfABuiltInKindLeavesOutPartsThatAreAlwaysThere) {
  auto object = yaml(R"({apiVersion: apps/v1, kind: Deployment, metadata: {name: d},
      spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
      spec: {containers: [{name: c, image: i}]}}}})");
  deployments().apply_defaults(object);
  const auto created = updated(nullptr, object, by("kubectl"), deployments());
  const json::object spec = owners(created).at("kubectl Update").at("f:spec").as_object();
  EXPECT_FALSE(spec.contains("."));
  EXPECT_EQ(spec.at("f:replicas"), json::object());
  EXPECT_EQ(spec.at("f:selector"), json::object());
  EXPECT_EQ(spec.at("f:strategy"), json::parse(R"({"f:type":{}})"));
  EXPECT_EQ(spec.at("f:template").at("f:metadata"),
            json::parse(R"({"f:labels":{".":{},"f:a":{}}})"));
  EXPECT_EQ(
      spec.at("f:template").at("f:spec").at("f:containers").at("k:{\"name\":\"c\"}").at("f:image"),
      json::object());
}

TEST(TrackUpdate, TakesChangedFieldsFromTheirOwners) {
  const auto schema = widgets();
  const auto live = applied(nullptr, widget("{size: 1, mode: a}"), by("m1"), schema);
  auto change = live;
  change.at("spec").as_object()["size"] = 2;
  const auto next = updated(&live, change, by("editor", 9), schema);
  EXPECT_EQ(owners(next), json::parse(R"({
      "m1 Apply":{"f:spec":{"f:mode":{}}},"editor Update":{"f:spec":{"f:size":{}}}})"));
  EXPECT_EQ(next.at("metadata").at("managedFields").at(1).at("time"), "2026-01-31T12:00:09Z");
}

TEST(TrackUpdate, ARemovedFieldIsOwnedByNobody) {
  const auto schema = widgets();
  const auto live = applied(nullptr, widget("{size: 1, mode: a}"), by("m1"), schema);
  auto change = live;
  change.at("spec").as_object().erase("mode");
  const auto next = updated(&live, change, by("editor"), schema);
  EXPECT_EQ(owners(next), json::parse(R"({"m1 Apply":{"f:spec":{"f:size":{}}}})"));
}

TEST(TrackUpdate, WithoutAChangeLeavesTimesAlone) {
  const auto schema = widgets();
  const auto live = updated(nullptr, widget("{size: 1}"), by("editor"), schema);
  const auto again = updated(&live, live, by("editor", 60), schema);
  EXPECT_EQ(live, again);
  EXPECT_TRUE(is_noop(live, again));
}

TEST(TrackUpdate, KeepsTheEntriesOfSubresourcesApart) {
  const auto schema = widgets();
  const auto live = updated(nullptr, widget("{size: 1}"), by("operator"), schema);
  auto status = by("operator");
  status.subresource = "status";
  status.reset_fields = {"spec"};
  auto change = live;
  change.as_object()["status"] = {{"ready", true}};
  const auto next = updated(&live, change, status, schema);
  EXPECT_EQ(owners(next), json::parse(R"({
      "operator Update":{"f:spec":{".":{},"f:size":{}}},
      "operator Update status":{"f:status":{".":{},"f:ready":{}}}})"));
}

TEST(TrackUpdate, MergesTheOldestOfMoreThanTenUpdaters) {
  const auto schema = widgets();
  auto live = widget("{free: {}}");
  live = updated(nullptr, live, by("m0"), schema);
  for (int i = 1; i <= 11; ++i) {
    auto change = live;
    change.at("spec").at("free").as_object()["k" + std::to_string(i)] = i;
    live = updated(&live, change, by("m" + std::to_string(i), i), schema);
  }
  const auto all = owners(live);
  EXPECT_EQ(all.size(), 10u);
  EXPECT_EQ(all.at("ancient-changes Update"),
            json::parse(R"({"f:spec":{".":{},"f:free":{".":{},"f:k1":{},"f:k2":{}}}})"));
  EXPECT_FALSE(all.contains("m2 Update"));
  EXPECT_TRUE(all.contains("m3 Update"));
}

TEST(TrackUpdate, DoesNotTrackWhatWasNeverTracked) {
  const auto schema = widgets();
  const auto live = widget("{size: 1}", "{name: w, uid: u}");
  auto change = live;
  change.at("spec").as_object()["size"] = 2;
  EXPECT_EQ(owners(updated(&live, change, by("editor"), schema)), json::object());
}

TEST(TrackUpdate, ForgetsAllOwnersWhenAskedTo) {
  const auto schema = widgets();
  const auto live = updated(nullptr, widget("{size: 1}"), by("editor"), schema);
  for (const auto* reset : {"[]", "[{}]"}) {
    auto change = live;
    change.at("metadata").as_object()["managedFields"] = json::parse(reset);
    EXPECT_EQ(owners(updated(&live, change, by("editor"), schema)), json::object()) << reset;
  }
}

TEST(TrackUpdate, AClientThatLeavesManagedFieldsOutDoesNotLoseThem) {
  const auto schema = widgets();
  const auto live = updated(nullptr, widget("{size: 1}"), by("editor"), schema);
  auto change = live;
  change.at("metadata").as_object().erase("managedFields");
  EXPECT_EQ(owners(updated(&live, change, by("other"), schema)), owners(live));
}

TEST(IsNoop, LooksBeyondVersionsAndTimesOnly) {
  const auto a =
      yaml("{metadata: {resourceVersion: '1', managedFields: [{time: x}]}, spec: {s: 1}}");
  const auto b =
      yaml("{metadata: {resourceVersion: '2', managedFields: [{time: y}]}, spec: {s: 1}}");
  const auto c =
      yaml("{metadata: {resourceVersion: '1', managedFields: [{time: x}]}, spec: {s: 2}}");
  EXPECT_TRUE(is_noop(a, b));
  EXPECT_FALSE(is_noop(a, c));
}

}  // namespace
}  // namespace troupe::sim
