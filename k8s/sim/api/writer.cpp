#include "k8s/sim/api/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/fields.hpp"
#include "k8s/sim/api/fields_strategic.hpp"
#include "k8s/sim/api/metadata.hpp"
#include "k8s/sim/api/patch.hpp"
#include "k8s/sim/api/render.hpp"

namespace troupe::sim {
namespace {

// Tries at a generated name before the client is asked to try again.
constexpr int kNameAttempts = 8;

// Members of metadata that only the server sets.
constexpr std::string_view kSystemMetadata[] = {
    "name",       "namespace",         "uid",
    "generation", "creationTimestamp", "deletionTimestamp",
    "selfLink",   "generateName",      "deletionGracePeriodSeconds"};

// The strict decoder's words for fields that the schema does not know.
std::string strict_message(const std::vector<std::string>& unknown) {
  std::string list;
  for (const auto& field : unknown) {
    list += fmt::format("{}unknown field {}", list.empty() ? "" : ", ", quoted(field));
  }
  return "strict decoding error: " + list;
}

ApiError invalid_patch(const json::value& patch, std::string_view why) {
  return invalid_object("", "", "", {invalid("patch", quoted(json::serialize(patch)), why)});
}

// Whether two objects differ outside of metadata (and of status, where that is apart).
bool same_desired_state(const ResourceType& type, const json::object& left,
                        const json::object& right) {
  const auto counts = [&](std::string_view key) {
    return key != "metadata" && key != "apiVersion" && key != "kind" &&
           !(type.has_status && key == "status");
  };
  const auto is_kept = [&](const auto& member) {
    if (!counts(member.key())) return true;
    const auto* other = right.if_contains(member.key());
    return other != nullptr && same(*other, member.value());
  };
  const auto is_new = [&](const auto& member) {
    return counts(member.key()) && !left.contains(member.key());
  };
  return std::ranges::all_of(left, is_kept) && std::ranges::none_of(right, is_new);
}

void raise_generation(json::object& object) {
  auto& generation = metadata_of(object)["generation"];
  generation = to_int(generation).value_or(0) + 1;
}

void restore_member(json::object& into, const json::object* from, std::string_view name) {
  const auto* value = from == nullptr ? nullptr : from->if_contains(name);
  if (value == nullptr) {
    into.erase(name);
  } else if (auto* present = into.if_contains(name)) {
    if (!same(*present, *value)) *present = *value;
  } else {
    into.emplace(name, *value);
  }
}

// All members but those of some names. What is the same already, most of it as a rule, is not
// copied.
void restore_all_but(json::object& into, const json::object& from,
                     std::initializer_list<std::string_view> names) {
  const auto is_named = [names](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  std::vector<std::string> added;
  for (const auto& member : into)
    if (!is_named(member.key()) && !from.contains(member.key())) added.emplace_back(member.key());
  for (const auto& name : added) into.erase(name);
  for (const auto& member : from)
    if (!is_named(member.key())) restore_member(into, &from, member.key());
}

// A write to status keeps everything else, and the other way round. The status of built-in kinds
// brings labels and annotations along.
void split_status(const WriteRequest& request, const json::object& old, json::object& wanted) {
  if (!request.type->has_status) return;
  if (request.subresource != "status") {
    restore_member(wanted, &old, "status");
    return;
  }
  restore_all_but(wanted, old, {"status", "metadata"});
  static const json::object kNone;
  const auto* kept = object_at(old, "metadata");
  auto& metadata = metadata_of(wanted);
  if (request.type->custom) {
    restore_all_but(metadata, kept ? *kept : kNone, {"managedFields"});
  } else {
    restore_all_but(metadata, kept ? *kept : kNone,
                    {"managedFields", "labels", "annotations", "finalizers"});
  }
}

FieldManagerRequest field_manager(const WriteRequest& request) {
  FieldManagerRequest manager{
      request.manager, request.type->api_version(), request.subresource, request.now, {}};
  if (!request.type->has_status) return manager;
  if (request.subresource == "status") {
    manager.reset_fields = {"spec"};
    if (request.type->custom) manager.reset_fields.emplace_back("metadata");
  } else {
    manager.reset_fields = {"status"};
  }
  return manager;
}

ApiError apply_conflict(const std::vector<ApplyConflict>& conflicts) {
  ApiError error{.code = 409, .reason = "Conflict", .message = conflict_message(conflicts)};
  for (const auto& c : conflicts) {
    error.causes.push_back({"FieldManagerConflict", c.message, c.field});
  }
  return error;
}

// What an apply refuses: a body that is no typed object is the real server's unclassified 500.
ApiError apply_error(const Error& error) {
  if (error.message.starts_with("failed to create typed patch object")) {
    return ApiError{.code = 500, .reason = "", .message = error.message};
  }
  return bad_request(error.message);
}

WriteResult unstored(const TypePtr& type, json::value object, std::vector<std::string> warnings) {
  auto stored = std::make_shared<StoredObject>();
  stored->written_as = type;
  stored->value = std::move(object);
  return {std::move(stored), false, std::move(warnings)};
}

ApiResult<void> check_version(const WriteRequest& request, const ObjectPtr& existing,
                              const json::object& wanted, bool put) {
  const auto& type = *request.type;
  const auto version = string_at(wanted, "metadata.resourceVersion");
  if (version.empty() || version == "0") {
    if (put && !type.unconditional_update) {
      return invalid_object(
          type.group, type.kind, request.name,
          {invalid("metadata.resourceVersion", "0", "must be specified for an update")});
    }
  } else if (version != std::to_string(existing->resource_version)) {
    return modified_conflict(type.name(), request.name);
  }
  const auto uid = uid_of(wanted);
  if (!uid.empty() && uid != uid_of(existing->object())) {
    return conflict(type.name(), request.name,
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: "
                                "{}",
                                uid, uid_of(existing->object())));
  }
  return {};
}

}  // namespace

bool deletion_is_complete(const ResourceType& type, const json::object& object) {
  return is_deleting(object) && !has_finalizers(object) &&
         int_at(object, "metadata.deletionGracePeriodSeconds").value_or(0) == 0 &&
         !(type.strategy.holds_deletion && type.strategy.holds_deletion(object));
}

WriteScope Writer::scope_of(const WriteRequest& request) const {
  return {core_,        *request.type,       request.now,     request.ns,
          request.user, request.subresource, request.dry_run, {}};
}

ApiResult<void> Writer::check_identity(const WriteRequest& request, json::object& object) const {
  const auto& type = *request.type;
  const auto version = string_at(object, "apiVersion");
  const auto kind = string_at(object, "kind");
  if (!version.empty() && version != type.api_version()) {
    return bad_request(
        fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                    version, type.api_version()));
  }
  if (!kind.empty() && kind != type.kind) {
    return bad_request(fmt::format("{} in version {} cannot be handled as a {}", kind,
                                   quoted(type.version), type.kind));
  }
  set_type_meta(object, type.api_version(), type.kind);
  auto& metadata = metadata_of(object);
  const auto name = name_of(object);
  if (!request.name.empty() && !name.empty() && name != request.name) {
    return bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, request.name));
  }
  if (!request.name.empty()) metadata["name"] = request.name;
  if (!type.namespaced) {
    metadata.erase("namespace");
    return {};
  }
  const auto ns = namespace_of(object);
  if (!ns.empty() && ns != request.ns) {
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  metadata["namespace"] = request.ns;
  return {};
}

ApiResult<void> Writer::check_namespace(const WriteRequest& request) const {
  if (!request.type->namespaced) return {};
  const auto ns = core_.find("namespaces", "", request.ns);
  if (ns == nullptr) return not_found({"", "namespaces"}, request.ns);
  if (!is_deleting(ns->object())) return {};
  auto error = forbidden(request.type->name(), request.name,
                         fmt::format("unable to create new content in namespace {} because it is "
                                     "being terminated",
                                     request.ns));
  error.causes.push_back({"NamespaceTerminating",
                          fmt::format("namespace {} is being terminated", request.ns),
                          "metadata.namespace"});
  return error;
}

ApiResult<void> Writer::decode(const WriteRequest& request, Origin origin, json::value& object,
                               std::vector<std::string>& warnings) const {
  const auto& type = *request.type;
  if (type.schema && !type.preserve_unknown) {
    const auto unknown = type.schema->prune(object);
    if (!unknown.empty() && request.validation == FieldValidation::Strict) {
      if (origin == Origin::Patch) return invalid_patch(object, strict_message(unknown));
      return bad_request(strict_message(unknown));
    }
    if (request.validation == FieldValidation::Warn) {
      for (const auto& field : unknown) warnings.push_back("unknown field " + quoted(field));
    }
  }
  if (type.schema) type.schema->apply_defaults(object);
  apply_field_defaults(type.defaults, object.get_object());
  return {};
}

ApiResult<void> Writer::complete(WriteScope& scope, json::value& object,
                                 const json::value* old) const {
  const auto& type = scope.type;
  auto& root = object.get_object();
  const auto* old_root = old == nullptr ? nullptr : &old->get_object();
  if (type.strategy.prepare && scope.subresource != "status") {
    if (auto done = type.strategy.prepare(scope, root, old_root); !done) return done.error();
  }
  if (type.counts_generations || type.custom) {
    if (old == nullptr) {
      metadata_of(root)["generation"] = 1;
    } else if (scope.subresource != "status" && !same_desired_state(type, *old_root, root)) {
      raise_generation(root);
    }
  }
  std::vector<FieldError> errors;
  validate_metadata(type, root, old_root, errors, scope.warnings);
  if (type.schema) {
    auto found = type.schema->validate(object, old);
    errors.insert(errors.end(), std::make_move_iterator(found.begin()),
                  std::make_move_iterator(found.end()));
  }
  if (type.strategy.validate) type.strategy.validate(scope, root, old_root, errors);
  if (!errors.empty()) return invalid_object(type.group, type.kind, name_of(root), errors);
  return {};
}

ApiResult<WriteResult> Writer::create(const WriteRequest& request, json::value object) {
  const auto& type = *request.type;
  auto* root = object.if_object();
  if (root == nullptr) return bad_request("the body of the request is not an object");
  if (auto checked = check_identity(request, *root); !checked) return checked.error();
  WriteScope scope = scope_of(request);
  if (type.strategy.answer) {
    auto answer = type.strategy.answer(scope, std::move(*root));
    if (!answer) return answer.error();
    auto result = unstored(request.type, json::value(std::move(*answer)), {});
    result.created = true;
    return result;
  }
  if (auto checked = check_namespace(request); !checked) return checked.error();
  const auto version = string_at(*root, "metadata.resourceVersion");
  if (!version.empty() && version != "0") {
    return ApiError{.code = 500,
                    .reason = "",
                    .message = "resourceVersion should not be set on objects to be created"};
  }
  if (auto decoded = decode(request, Origin::Put, object, scope.warnings); !decoded) {
    return decoded.error();
  }
  if (type.has_status) object.get_object().erase("status");
  if (type.strategy.read) type.strategy.read(object.get_object());
  OwnersPtr owners;
  if (type.schema) {
    auto tracked = track_update(nullptr, object, field_manager(request), *type.schema);
    if (!tracked) return bad_request(tracked.error().message);
    owners = std::move(*tracked);
  }
  return store_new(request, scope, std::move(object), std::move(owners));
}

ApiResult<WriteResult> Writer::store_new(const WriteRequest& request, WriteScope& scope,
                                         json::value object, OwnersPtr owners) {
  const auto& type = *request.type;
  auto& root = object.get_object();
  auto& metadata = metadata_of(root);
  for (const auto* name : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
                           "resourceVersion", "generation"}) {
    metadata.erase(name);
  }
  metadata["uid"] = core_.random.uid();
  metadata["creationTimestamp"] = to_rfc3339(request.now);
  auto& collection = core_.store.collection(type.collection);
  const auto prefix = std::string(string_at(metadata, "generateName"));
  const bool generated = name_of(root).empty() && !prefix.empty();
  ObjectPtr taken;
  for (int attempt = 0; attempt == 0 || (generated && taken && attempt < kNameAttempts);
       ++attempt) {
    if (generated) metadata_of(root)["name"] = prefix + core_.random.name_suffix();
    taken = collection.find(object_key(root));
  }
  if (auto done = complete(scope, object, nullptr); !done) return done.error();
  if (taken != nullptr) {
    if (generated) return generate_name_conflict(type.name(), name_of(root));
    auto error = already_exists(type.name(), name_of(root));
    if (is_deleting(taken->object())) error.message = "object is being deleted: " + error.message;
    return error;
  }
  if (request.dry_run) {
    auto result = unstored(request.type, std::move(object), std::move(scope.warnings));
    result.created = true;
    return result;
  }
  auto stored = core_.store.put(collection, std::move(root), request.type);
  if (owners) core_.field_owners.keep(stored->resource_version, std::move(owners));
  return WriteResult{std::move(stored), true, std::move(scope.warnings)};
}

ApiResult<WriteResult> Writer::update(const WriteRequest& request, Origin origin,
                                      const Transform& transform, const OwnersPtr* applied) {
  const auto& type = *request.type;
  const auto existing =
      core_.store.collection(type.collection).find(object_key(request.ns, request.name));
  if (existing == nullptr) return not_found(type.name(), request.name);
  const auto current = view(request.type, existing);
  auto wanted = transform(current->value);
  if (!wanted) return wanted.error();
  if (!wanted->is_object()) return bad_request("the body of the request is not an object");
  WriteScope scope = scope_of(request);
  if (auto ok = check_identity(request, wanted->get_object()); !ok) return ok.error();
  if (auto ok = decode(request, origin, *wanted, scope.warnings); !ok) return ok.error();
  auto& root = wanted->get_object();
  if (auto ok = check_version(request, existing, root, origin == Origin::Put); !ok) {
    return ok.error();
  }
  const auto* old_metadata = object_at(current->object(), "metadata");
  for (const auto name : kSystemMetadata) restore_member(metadata_of(root), old_metadata, name);
  restore_member(metadata_of(root), old_metadata, "resourceVersion");
  split_status(request, current->object(), root);
  if (type.strategy.read) type.strategy.read(wanted->get_object());
  OwnersPtr owners = applied ? *applied : nullptr;
  if (origin != Origin::Apply && type.schema) {
    auto tracked = track_update(&current->value, *wanted, field_manager(request), *type.schema,
                                core_.field_owners.find(existing->resource_version));
    if (!tracked) return bad_request(tracked.error().message);
    owners = std::move(*tracked);
  }
  if (auto done = complete(scope, *wanted, &current->value); !done) return done.error();
  if (is_noop(current->value, *wanted))
    return WriteResult{current, false, std::move(scope.warnings)};
  if (request.dry_run) {
    return unstored(request.type, std::move(*wanted), std::move(scope.warnings));
  }
  return WriteResult{store_update(request, existing, std::move(*wanted), std::move(owners)), false,
                     std::move(scope.warnings)};
}

ObjectPtr Writer::store_update(const WriteRequest& request, const ObjectPtr& existing,
                               json::value object, OwnersPtr owners) {
  auto& collection = core_.store.collection(request.type->collection);
  if (!deletion_is_complete(*request.type, object.get_object())) {
    auto stored = core_.store.put(collection, std::move(object.get_object()), request.type);
    if (owners) core_.field_owners.keep(stored->resource_version, std::move(owners));
    return stored;
  }
  core_.store.remove(collection, object_key(object.get_object()), existing);
  return unstored(request.type, std::move(object), {}).object;
}

ApiResult<WriteResult> Writer::replace(const WriteRequest& request, json::value object) {
  const auto& type = *request.type;
  const bool exists = core_.find(type.collection, request.ns, request.name) != nullptr;
  if (!exists && type.create_on_update && request.subresource.empty()) {
    return create(request, std::move(object));
  }
  return update(request, Origin::Put,
                [&](const json::value&) -> ApiResult<json::value> { return std::move(object); });
}

ApiResult<WriteResult> Writer::patch(const WriteRequest& request, PatchKind kind,
                                     const json::value& patch) {
  const auto transform = [&](const json::value& current) -> ApiResult<json::value> {
    if (kind == PatchKind::Json) return json_patch(current, patch);
    if (!patch.is_object()) return bad_request("the patch is not an object");
    if (kind == PatchKind::Merge) {
      json::value merged = current;
      merge_patch(merged, patch);
      return merged;
    }
    auto merged = strategic_merge_patch(current, patch, *request.type->schema);
    if (!merged) return bad_request(merged.error().message);
    return std::move(*merged);
  };
  return update(request, Origin::Patch, transform);
}

ApiResult<WriteResult> Writer::apply(const WriteRequest& request, const json::value& config,
                                     bool force) {
  const auto& type = *request.type;
  if (!config.is_object()) return bad_request("the apply configuration is not an object");
  if (!type.schema) return bad_request(fmt::format("{} has no schema to apply by", type.kind));
  json::value wanted = config;
  if (auto ok = check_identity(request, wanted.get_object()); !ok) return ok.error();
  const auto manager = field_manager(request);
  if (const auto existing = core_.find(type.collection, request.ns, request.name)) {
    const auto known = core_.field_owners.find(existing->resource_version);
    OwnersPtr owners;
    const auto transform = [&](const json::value& live) -> ApiResult<json::value> {
      auto outcome = sim::apply(&live, wanted, manager, force, *type.schema, known);
      if (!outcome) return apply_error(outcome.error());
      if (!outcome->conflicts.empty()) return apply_conflict(outcome->conflicts);
      owners = std::move(outcome->owners);
      return std::move(outcome->object);
    };
    return update(request, Origin::Apply, transform, &owners);
  }
  if (!request.subresource.empty()) return not_found(type.name(), request.name);
  if (!uid_of(wanted.get_object()).empty()) {
    return conflict(type.name(), request.name,
                    "uid mismatch: the provided object specified a uid, and no existing object was "
                    "found");
  }
  if (auto ok = check_namespace(request); !ok) return ok.error();
  auto outcome = sim::apply(nullptr, wanted, manager, force, *type.schema);
  if (!outcome) return apply_error(outcome.error());
  WriteScope scope = scope_of(request);
  if (auto ok = decode(request, Origin::Apply, outcome->object, scope.warnings); !ok) {
    return ok.error();
  }
  if (type.has_status) outcome->object.get_object().erase("status");
  return store_new(request, scope, std::move(outcome->object), std::move(outcome->owners));
}

DeleteResult Writer::begin_deletion(WriteScope& scope, const ObjectPtr& existing,
                                    json::object object, std::int64_t grace, bool dry_run) {
  const auto& type = scope.type;
  const bool again = is_deleting(object);
  auto& metadata = metadata_of(object);
  const auto pending = int_at(object, "metadata.deletionGracePeriodSeconds").value_or(0);
  if (!again || grace < pending) {
    metadata["deletionTimestamp"] = to_rfc3339(scope.now + std::chrono::seconds(grace));
    metadata["deletionGracePeriodSeconds"] = grace;
  }
  if (!again) {
    if (metadata.contains("generation")) raise_generation(object);
    if (type.strategy.begin_deletion) type.strategy.begin_deletion(scope, object);
  }
  if (dry_run || is_noop(existing->value, json::value(object))) return {existing, false};
  auto written_as = existing->written_as;
  auto& collection = core_.store.collection(type.collection);
  return {core_.store.put(collection, std::move(object), std::move(written_as)), false};
}

ApiResult<DeleteResult> Writer::remove(const WriteRequest& asked, const DeleteRequest& options) {
  auto request = asked;
  request.dry_run |= options.dry_run;
  const auto& type = *request.type;
  auto& collection = core_.store.collection(type.collection);
  const auto existing = collection.find(object_key(request.ns, request.name));
  if (existing == nullptr) return not_found(type.name(), request.name);
  const auto uid = uid_of(existing->object());
  if (!options.uid.empty() && options.uid != uid) {
    return conflict(type.name(), request.name,
                    fmt::format("the UID in the precondition ({}) does not match the UID in record "
                                "({}). The object might have been deleted and then recreated",
                                options.uid, uid));
  }
  const auto version = std::to_string(existing->resource_version);
  if (!options.resource_version.empty() && options.resource_version != version) {
    return conflict(type.name(), request.name,
                    fmt::format("the ResourceVersion in the precondition ({}) does not match the "
                                "ResourceVersion in record ({}). The object might have been "
                                "modified",
                                options.resource_version, version));
  }
  WriteScope scope = scope_of(request);
  json::object object = existing->object();
  if (options.propagation == "Orphan") {
    remove_finalizer(object, "foregroundDeletion");
    add_finalizer(object, "orphan");
  } else if (options.propagation == "Foreground") {
    remove_finalizer(object, "orphan");
    add_finalizer(object, "foregroundDeletion");
  } else if (options.propagation == "Background") {
    remove_finalizer(object, "orphan");
    remove_finalizer(object, "foregroundDeletion");
  }
  const auto grace =
      type.strategy.grace ? type.strategy.grace(object, options.grace_period_seconds) : 0;
  const bool held = type.strategy.holds_deletion && type.strategy.holds_deletion(object);
  if (has_finalizers(object) || held || grace > 0) {
    return begin_deletion(scope, existing, std::move(object), grace, request.dry_run);
  }
  if (request.dry_run) return DeleteResult{existing, true};
  return DeleteResult{
      core_.store.remove(collection, object_key(request.ns, request.name), existing), true};
}

void edit_stored(Core& core, std::string_view collection_name, std::string_view key,
                 const std::function<void(json::object&)>& change) {
  auto& collection = core.store.collection(collection_name);
  const auto existing = collection.find(key);
  if (existing == nullptr) return;
  json::value edited = existing->value;
  change(edited.get_object());
  if (same(edited, existing->value)) return;
  if (deletion_is_complete(*existing->written_as, edited.get_object())) {
    core.store.remove(collection, key, existing);
  } else {
    core.store.put(collection, std::move(edited.get_object()), existing->written_as);
  }
}

}  // namespace troupe::sim
