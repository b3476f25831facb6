#include "k8s/sim/api/custom_types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/builtin_schemas.hpp"
#include "k8s/sim/api/json_path.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

std::vector<std::string> strings_at(const json::object& object, std::string_view path) {
  std::vector<std::string> result;
  if (const auto* array = array_at(object, path)) {
    for (const auto& item : *array) {
      if (item.is_string()) result.emplace_back(item.get_string());
    }
  }
  return result;
}

std::string without_dot(std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  return std::string(path);
}

json::value cell_value(const std::string& type, const std::vector<const json::value*>& found,
                       WallTime now) {
  if (found.empty() || found.front()->is_null()) return nullptr;
  const auto& value = *found.front();
  if (type == "date") {
    return value.is_string() ? json::value(age_since(value.get_string(), now)) : nullptr;
  }
  if (type == "integer" || type == "number") return value.is_number() ? value : nullptr;
  if (type == "boolean") return value.is_bool() ? value : nullptr;
  std::string text;
  for (const auto* item : found) {
    if (!text.empty()) text += ' ';
    text += item->is_string() ? std::string(item->get_string()) : json::serialize(*item);
  }
  return json::value(text);
}

Column printer_column(const json::object& column) {
  const auto path = JsonPath::parse(string_at(column, "jsonPath"));
  auto type = std::string(string_at(column, "type"));
  return {.name = std::string(string_at(column, "name")),
          .type = type == "date" ? "string" : type,
          .format = std::string(string_at(column, "format")),
          .description = std::string(string_at(column, "description")),
          .priority = static_cast<int>(int_at(column, "priority").value_or(0)),
          .cell = [path, type](const json::object& object, WallTime now) -> json::value {
            if (!path) return nullptr;
            return cell_value(type, path->evaluate(object), now);
          }};
}

std::vector<Column> printer_columns(const json::object& version) {
  const auto* columns = array_at(version, "additionalPrinterColumns");
  if (columns == nullptr || columns->empty()) return {name_column(), age_column()};
  std::vector<Column> result{name_column()};
  for (const auto& column : *columns) {
    if (column.is_object()) result.push_back(printer_column(column.get_object()));
  }
  return result;
}

void add_subresources(const json::object& version, ResourceType& type) {
  const auto* declared = object_at(version, "subresources");
  if (declared == nullptr) return;
  if (declared->contains("status")) {
    type.has_status = true;
    type.subresources.push_back(
        {"status", type.group, type.version, type.kind, {"get", "patch", "update"}, nullptr});
  }
  if (const auto* scale = object_at(*declared, "scale")) {
    type.scale = ScalePaths{without_dot(string_at(*scale, "specReplicasPath")),
                            without_dot(string_at(*scale, "statusReplicasPath")),
                            without_dot(string_at(*scale, "labelSelectorPath"))};
    type.subresources.push_back(
        {"scale", "autoscaling", "v1", "Scale", {"get", "patch", "update"}, nullptr});
  }
}

FieldResult<ResourceType> custom_type(const json::object& definition, const json::object& version,
                                      std::size_t index) {
  const auto* names = object_at(definition, "spec.names");
  ResourceType type{.group = std::string(string_at(definition, "spec.group")),
                    .version = std::string(string_at(version, "name")),
                    .kind = std::string(string_at(*names, "kind")),
                    .plural = std::string(string_at(*names, "plural")),
                    .singular = std::string(string_at(*names, "singular")),
                    .short_names = strings_at(*names, "shortNames"),
                    .categories = strings_at(*names, "categories"),
                    .namespaced = string_at(definition, "spec.scope") == "Namespaced",
                    .custom = true,
                    .preserve_unknown = true_at(definition, "spec.preserveUnknownFields"),
                    .counts_generations = true,
                    .unconditional_update = false};
  type.collection = to_string(type.name());
  const auto path = fmt::format("spec.versions[{}].schema.openAPIV3Schema", index);
  const auto* schema = find(version, "schema.openAPIV3Schema");
  if (schema == nullptr || !schema->is_object()) {
    return std::vector{required(path, "schemas are required")};
  }
  type.open_api_schema = *schema;
  const auto* versions = array_at(definition, "spec.versions");
  auto compiled = versions->size() == 1 ? compile_custom_resource_schema(*schema)
                                        : compile_custom_resource_schema(*schema, path);
  if (!compiled) return compiled.error();
  type.schema = std::move(*compiled);
  type.columns = printer_columns(version);
  add_subresources(version, type);
  if (const auto* selectable = array_at(version, "selectableFields")) {
    for (const auto& field : *selectable) {
      type.selectable_fields.push_back(without_dot(string_at(field, "jsonPath")));
    }
  }
  return type;
}

json::object condition(std::string_view type, bool status, std::string_view reason,
                       std::string_view message, WallTime now) {
  return {{"type", type},
          {"status", status ? "True" : "False"},
          {"lastTransitionTime", to_rfc3339(now)},
          {"reason", reason},
          {"message", message}};
}

// Sets a condition; an unchanged status keeps its time.
void set_condition(json::object& definition, json::object wanted) {
  auto& slot = child(definition, "status")["conditions"];
  if (!slot.is_array()) slot.emplace_array();
  for (auto& existing : slot.get_array()) {
    if (string_at(existing, "type") != string_at(wanted, "type")) continue;
    if (string_at(existing, "status") == string_at(wanted, "status")) {
      wanted["lastTransitionTime"] = existing.get_object()["lastTransitionTime"];
    }
    existing = std::move(wanted);
    return;
  }
  slot.get_array().push_back(std::move(wanted));
}

}  // namespace

FieldResult<std::vector<ResourceType>> custom_types(const json::object& definition) {
  std::vector<ResourceType> types;
  const auto* versions = array_at(definition, "spec.versions");
  if (versions == nullptr || object_at(definition, "spec.names") == nullptr) return types;
  std::vector<FieldError> errors;
  for (std::size_t i = 0; i < versions->size(); ++i) {
    const auto* version = (*versions)[i].if_object();
    if (version == nullptr) continue;
    auto type = custom_type(definition, *version, i);
    if (!type) {
      errors.insert(errors.end(), type.error().begin(), type.error().end());
    } else if (true_at(*version, "served")) {
      types.push_back(std::move(*type));
    }
  }
  if (!errors.empty()) return errors;
  return types;
}

CrdRegistrar::CrdRegistrar(Core& core) : core_(core) {
  core_.store.subscribe([this](const Collection& collection, const Change& change) {
    if (collection.name() == kCrdCollection) {
      dirty_.insert(std::string(name_of(change.object->object())));
    } else if (change.type == ChangeType::Deleted &&
               core_.terminating.contains(collection.name())) {
      dirty_.insert(collection.name());  // a definition is named after its collection
    }
  });
}

void CrdRegistrar::work(Writer& writer, WallTime now) {
  for (const auto& name : std::exchange(dirty_, {})) update(name, writer, now);
}

void CrdRegistrar::update(const std::string& name, Writer& writer, WallTime now) {
  const auto stored = core_.find(kCrdCollection, "", name);
  if (stored == nullptr) {
    withdraw(name);
    return;
  }
  const auto& definition = stored->object();
  const auto generation = int_at(definition, "metadata.generation").value_or(0);
  const auto served = served_.find(name);
  if (is_deleting(definition)) {
    clean_up(name, definition, writer, now);
    return;
  }
  const auto conflict = name_conflict(name, definition);
  edit_stored(core_, kCrdCollection, name, [&](json::object& object) {
    const bool accepted = conflict.empty();
    auto& status = child(object, "status");
    if (accepted) status["acceptedNames"] = *find(definition, "spec.names");
    set_condition(object,
                  accepted
                      ? condition("NamesAccepted", true, "NoConflicts", "no conflicts found", now)
                      : condition("NamesAccepted", false, "NameConflict", conflict, now));
    set_condition(object, accepted ? condition("Established", true, "InitialNamesAccepted",
                                               "the initial names have been accepted", now)
                                   : condition("Established", false, "NotAccepted",
                                               "not all names are accepted", now));
  });
  if (!conflict.empty()) {
    withdraw(name);
  } else if (served == served_.end() || served->second.generation != generation) {
    serve(name, definition);
  }
}

void CrdRegistrar::serve(const std::string& name, const json::object& definition) {
  auto types = custom_types(definition);
  if (!types) return;  // validation refuses such a definition
  auto& served = served_[name];
  for (const auto& type : served.types) core_.registry.remove(*type);
  served.types.clear();
  served.generation = int_at(definition, "metadata.generation").value_or(0);
  served.collection = name;
  for (auto& type : *types) {
    served.types.push_back(std::make_shared<ResourceType>(std::move(type)));
    core_.registry.add(served.types.back());
  }
}

void CrdRegistrar::withdraw(const std::string& name) {
  core_.terminating.erase(name);
  const auto found = served_.find(name);
  if (found == served_.end()) return;
  core_.hub.deliver();
  for (const auto& type : found->second.types) {
    core_.registry.remove(*type);
    core_.hub.cut(type.get());
  }
  core_.store.drop(found->second.collection);
  served_.erase(found);
}

void CrdRegistrar::clean_up(const std::string& name, const json::object& definition, Writer& writer,
                            WallTime now) {
  if (!has_finalizer(definition, kCleanupFinalizer)) return;
  core_.terminating.insert(name);
  const auto type = core_.registry.find_collection(name);
  const auto* collection = core_.store.find_collection(name);
  std::vector<ObjectPtr> instances;
  if (type != nullptr && collection != nullptr) {
    for (const auto& [key, object] : collection->objects()) instances.push_back(object);
  }
  for (const auto& object : instances) {
    if (is_deleting(object->object())) continue;
    WriteRequest request{.type = type,
                         .ns = std::string(namespace_of(object->object())),
                         .name = std::string(name_of(object->object())),
                         .now = now};
    (void)writer.remove(request, {});  // gone meanwhile is as good
  }
  const bool empty = collection == nullptr || collection->objects().empty();
  edit_stored(core_, kCrdCollection, name, [&](json::object& object) {
    set_condition(object, condition("Terminating", true, "InstanceDeletionInProgress",
                                    "CustomResource deletion is in progress", now));
    if (empty) remove_finalizer(object, kCleanupFinalizer);
  });
}

std::string CrdRegistrar::name_conflict(const std::string& name,
                                        const json::object& definition) const {
  const auto group = string_at(definition, "spec.group");
  auto wanted = strings_at(definition, "spec.names.shortNames");
  for (const auto* field : {"plural", "singular"}) {
    wanted.emplace_back(string_at(definition, fmt::format("spec.names.{}", field)));
  }
  const auto kind = string_at(definition, "spec.names.kind");
  for (const auto& type : core_.registry.types()) {
    if (type->group != group || type->collection == name) continue;
    std::vector<std::string> taken = type->short_names;
    taken.push_back(type->plural);
    taken.push_back(type->singular);
    for (const auto& each : wanted) {
      if (std::find(taken.begin(), taken.end(), each) != taken.end()) {
        return fmt::format("\"{}\" is already in use", each);
      }
    }
    if (type->kind == kind) return fmt::format("\"{}\" is already in use", kind);
  }
  return {};
}

}  // namespace troupe::sim
