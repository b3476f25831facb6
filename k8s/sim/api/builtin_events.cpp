// Events: one collection, shown in two groups with different field names.
#include <array>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

struct Renamed {
  std::string_view core;
  std::string_view grouped;  // in events.k8s.io
};

constexpr std::array kRenamed = {Renamed{"involvedObject", "regarding"},
                                 Renamed{"message", "note"},
                                 Renamed{"source", "deprecatedSource"},
                                 Renamed{"firstTimestamp", "deprecatedFirstTimestamp"},
                                 Renamed{"lastTimestamp", "deprecatedLastTimestamp"},
                                 Renamed{"count", "deprecatedCount"},
                                 Renamed{"reportingComponent", "reportingController"}};

void adopt_event(json::object& object, const ResourceType& from, bool to_core) {
  if (from.group.empty() == to_core) return;
  for (const auto& pair : kRenamed) {
    const auto old_name = to_core ? pair.grouped : pair.core;
    const auto new_name = to_core ? pair.core : pair.grouped;
    if (auto* value = object.if_contains(old_name)) {
      auto moved = std::move(*value);
      object.erase(old_name);
      object[new_name] = std::move(moved);
    }
  }
}

Column object_column(std::string path) {
  return {.name = "Object", .cell = [path = std::move(path)](const auto& o, WallTime) {
            const auto* about = object_at(o, path);
            if (about == nullptr) return json::value("");
            std::string kind(string_at(*about, "kind"));
            for (auto& c : kind) c = static_cast<char>(::tolower(c));
            return json::value(kind + "/" + std::string(string_at(*about, "name")));
          }};
}

// The newest of the times that an event may have.
Column last_seen_column(std::vector<std::string> paths) {
  return {.name = "Last Seen", .cell = [paths = std::move(paths)](const auto& o, WallTime now) {
            for (const auto& path : paths) {
              const auto time = string_at(o, path);
              if (!time.empty()) return json::value(age_since(time, now));
            }
            return json::value("<unknown>");
          }};
}

ResourceType event_type(std::string group) {
  const bool core = group.empty();
  ResourceType type{.group = std::move(group),
                    .version = "v1",
                    .kind = "Event",
                    .plural = "events",
                    .singular = "event",
                    .short_names = {"ev"},
                    .collection = "events",
                    .create_on_update = true};
  if (core) {
    type.selectable_fields = {"involvedObject.kind",
                              "involvedObject.namespace",
                              "involvedObject.name",
                              "involvedObject.uid",
                              "involvedObject.apiVersion",
                              "involvedObject.resourceVersion",
                              "involvedObject.fieldPath",
                              "reason",
                              "reportingComponent",
                              "source.component",
                              "type"};
  } else {
    type.selectable_fields = {"regarding.kind",       "regarding.namespace",
                              "regarding.name",       "regarding.uid",
                              "regarding.apiVersion", "reason",
                              "reportingController",  "type"};
  }
  const std::string message = core ? "message" : "note";
  const std::string first = core ? "firstTimestamp" : "deprecatedFirstTimestamp";
  const std::string last = core ? "lastTimestamp" : "deprecatedLastTimestamp";
  const std::string count = core ? "count" : "deprecatedCount";
  type.columns = {last_seen_column({"series.lastObservedTime", last, "eventTime", first}),
                  path_column("Type", "type"),
                  path_column("Reason", "reason"),
                  object_column(core ? "involvedObject" : "regarding"),
                  path_column("Source", core ? "source.component" : "reportingController", 1),
                  path_column("Message", message),
                  path_column("Count", count, 1, "1")};
  auto name = name_column();
  name.priority = 1;
  type.columns.push_back(std::move(name));
  type.strategy.adopt = [core](json::object& object, const ResourceType& from) {
    adopt_event(object, from, core);
  };
  return type;
}

}  // namespace

std::vector<ResourceType> event_types() { return {event_type(""), event_type("events.k8s.io")}; }

}  // namespace troupe::sim
