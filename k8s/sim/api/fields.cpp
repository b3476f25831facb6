#include "k8s/sim/api/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "k8s/sim/api/fields_managed.hpp"
#include "k8s/sim/api/fields_tree.hpp"
#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/schema_error.hpp"

namespace troupe::sim {
namespace {

// Who owns what while the object that nobody wrote yet is applied to.
constexpr std::string_view kBeforeFirstApply = "before-first-apply";

FieldSet reset_set(const FieldManagerRequest& request) {
  FieldSet out;
  for (const auto& dotted : request.reset_fields) {
    FieldPath path;
    for (std::size_t at = 0; at <= dotted.size();) {
      const auto end = std::min(dotted.find('.', at), dotted.size());
      path.push_back(PathElement::field(std::string_view(dotted).substr(at, end - at)));
      at = end + 1;
    }
    out.insert(path);
  }
  return out;
}

// A new object of the kind as the server holds it before anybody set anything: with the parts that
// are there even when empty.
json::value blank(const SchemaNode& schema) {
  json::object out;
  for (const auto& [name, property] : schema.properties) {
    if (property->by_value) out.emplace(name, blank(*property));
  }
  return out;
}

std::string text_at(const json::value& object, std::initializer_list<std::string_view> path) {
  const json::value* at = &object;
  for (const auto key : path) {
    const auto* o = at->if_object();
    at = o ? o->if_contains(key) : nullptr;
    if (!at) return {};
  }
  return at->is_string() ? std::string(at->get_string()) : std::string();
}

// "default/web; apps/v1, Kind=Deployment", as errors about an object name it.
std::string identity(const json::value& object) {
  return fmt::format("{}/{}; {}, Kind={}", text_at(object, {"metadata", "namespace"}),
                     text_at(object, {"metadata", "name"}), text_at(object, {"apiVersion"}),
                     text_at(object, {"kind"}));
}

ManagedEntry entry_for(const FieldManagerRequest& request, bool is_apply) {
  return {request.manager, is_apply, request.api_version, request.subresource, "", {}};
}

ManagedEntry* find_entry(ManagedEntries& entries, const ManagedEntry& wanted) {
  const auto it =
      std::ranges::find_if(entries, [&](const ManagedEntry& e) { return e.same_manager(wanted); });
  return it == entries.end() ? nullptr : &*it;
}

// What a change from `before` to `after` takes from the owners of the fields it touches.
struct Change {
  Comparison comparison;
  FieldSet written;  // added or modified, without what the endpoint resets

  Change(const json::value& before, const json::value& after, const SchemaNode& schema,
         const FieldSet& reset)
      : comparison(tree_compare(before, after, schema)) {
    comparison.removed = comparison.removed.minus_recursive(reset);
    written = comparison.modified.united(comparison.added).minus_recursive(reset);
  }

  void take_from(ManagedEntry& entry) const {
    entry.fields = entry.fields.minus(entry.fields.intersected(written)).minus(comparison.removed);
  }
};

void strip(ManagedEntries& entries) {
  for (auto& entry : entries) entry.fields = entry.fields.minus(stripped_fields());
  std::erase_if(entries, [](const ManagedEntry& e) { return e.fields.empty(); });
}

// Ownership after somebody changed `before` into `after` by other means than apply.
void record_update(ManagedEntries& entries, const json::value& before, const json::value& after,
                   const ManagedEntry& writer, const FieldManagerRequest& request,
                   const SchemaNode& schema) {
  const Change change(before, after, schema, reset_set(request));
  for (auto& entry : entries) change.take_from(entry);
  strip(entries);
  auto written = change.written.minus(stripped_fields());
  if (written.empty()) return;
  if (auto* previous = find_entry(entries, writer)) {
    previous->fields = previous->fields.united(written);
    previous->time = to_rfc3339(request.now);
  } else {
    entries.push_back(writer);
    entries.back().fields = std::move(written);
    entries.back().time = to_rfc3339(request.now);
  }
  cap_updaters(entries);
}

json::value prune_part(const json::value& merged, const ManagedEntries& entries,
                       const FieldSet& last_applied, const SchemaNode& schema) {
  const auto named = [&schema](const FieldSet& set) { return set.with_named_fields(&schema); };
  const auto merged_fields = named(tree_fields(merged, schema));
  auto pruned = tree_remove(merged, named(last_applied), schema);

  FieldSet owned;
  for (const auto& entry : entries) owned = owned.united(entry.fields);
  pruned = tree_remove(
      merged, merged_fields.minus(named(tree_fields(pruned, schema)).united(named(owned))), schema);

  // What went along with a removed parent without having been applied stays.
  const auto gone = merged_fields.minus(named(tree_fields(pruned, schema)));
  return tree_remove(merged, gone.intersected(named(last_applied)), schema);
}

// Removes what the applier owned before, no longer applies, and nobody else owns.
json::value prune(json::value merged, const ManagedEntries& entries, const FieldSet& last_applied,
                  const FieldSet& applied, const SchemaNode& schema) {
  if (last_applied.minus(applied).empty() || !merged.is_object()) return merged;
  // The other members stay as they are; beside a status they are most of the object.
  const auto was_applied = [&last_applied](std::string_view name) {
    const auto element = PathElement::field(name);
    return last_applied.has_member(element) || last_applied.child(element);
  };
  json::value part(json::object_kind);
  for (auto& [name, member] : merged.get_object())
    if (was_applied(name)) part.get_object().emplace(name, std::move(member));
  auto pruned = prune_part(part, entries, last_applied, schema);
  json::object out;
  out.reserve(merged.get_object().size());
  for (auto& [name, member] : merged.get_object()) {
    if (!part.get_object().contains(name))
      out.emplace(name, std::move(member));
    else if (auto* left = pruned.get_object().if_contains(name))
      out.emplace(name, std::move(*left));
  }
  return out;
}

std::vector<ApplyConflict> conflicts_with(const ManagedEntries& entries,
                                          const ManagedEntry& applier, const FieldSet& written) {
  std::vector<ApplyConflict> out;
  for (const auto& entry : entries) {
    if (entry.same_manager(applier)) continue;
    entry.fields.intersected(written).for_each([&](const FieldPath& path) {
      out.push_back({"conflict with " + describe_manager(entry), to_string(path)});
    });
  }
  return out;
}

// An empty list, or a list of one empty entry, asks to forget all owners.
bool is_reset(const json::value& object) {
  const auto* metadata = object.get_object().if_contains("metadata");
  const auto* sent = metadata && metadata->is_object()
                         ? metadata->get_object().if_contains("managedFields")
                         : nullptr;
  if (!sent || !sent->is_array()) return false;
  const auto& entries = sent->get_array();
  return entries.empty() ||
         (entries.size() == 1 && entries[0].is_object() && entries[0].get_object().empty());
}

// What an update starts from: the client's entries if it sent any, else the stored ones.
struct Start {
  OwnersPtr owners = std::make_shared<const ManagedEntries>();
  bool as_updated = false;  // the updated object says just this
};

Start start_of_update(const json::value* old, const json::value& updated,
                      const FieldManagerRequest& request, const OwnersPtr& owners_of_old) {
  const auto& sent = managed_fields_of(updated);
  const bool unchanged = old && same(sent, managed_fields_of(*old));
  if (request.subresource.empty()) {
    if (is_reset(updated)) return {};
    if (!unchanged || !owners_of_old) {
      auto entries = decode_managed(sent);
      if (entries && !entries->empty())
        return {std::make_shared<const ManagedEntries>(std::move(*entries)), true};
    }
  }
  if (!old) return {};
  if (owners_of_old) return {owners_of_old, unchanged};
  auto stored = decode_managed(managed_fields_of(*old));
  if (!stored) return {};
  return {std::make_shared<const ManagedEntries>(std::move(*stored)), unchanged};
}

// Whether two objects have the same members, but for some.
bool same_but_for(const json::object& a, const json::object& b,
                  std::initializer_list<std::string_view> names) {
  const auto left = [&](const json::object& o) {
    return o.size() - static_cast<std::size_t>(
                          std::ranges::count_if(names, [&](auto n) { return o.contains(n); }));
  };
  if (left(a) != left(b)) return false;
  return std::ranges::all_of(a, [&](const auto& member) {
    if (std::ranges::find(names, std::string_view(member.key())) != names.end()) return true;
    const auto* other = b.if_contains(member.key());
    return other && same(*other, member.value());
  });
}

bool same_entry(const json::value& a, const json::value& b) {
  if (!a.is_object() || !b.is_object()) return same(a, b);
  return same_but_for(a.get_object(), b.get_object(), {"time"});
}

bool same_entries(const json::value* a, const json::value* b) {
  if (!a || !b) return a == b;
  if (!a->is_array() || !b->is_array()) return same(*a, *b);
  return std::ranges::equal(a->get_array(), b->get_array(), same_entry);
}

bool same_metadata(const json::value* a, const json::value* b) {
  if (!a || !b) return a == b;
  if (!a->is_object() || !b->is_object()) return same(*a, *b);
  const auto &x = a->get_object(), &y = b->get_object();
  return same_but_for(x, y, {"resourceVersion", "managedFields"}) &&
         same_entries(x.if_contains("managedFields"), y.if_contains("managedFields"));
}

Result<void> check_config(const json::value& config, const Schema& schema) {
  if (!config.is_object()) return error(Code::Invalid, "the applied object must be a JSON object");
  const auto* metadata = config.get_object().if_contains("metadata");
  const auto* entries = metadata && metadata->is_object()
                            ? metadata->get_object().if_contains("managedFields")
                            : nullptr;
  if (entries && !entries->is_null()) {
    return error(Code::Invalid, "metadata.managedFields must be nil");
  }
  if (const auto defect = tree_defect(config, schema.root()); !defect.empty()) {
    return error(Code::Invalid, fmt::format("failed to create typed patch object ({}): {}",
                                            identity(config), defect));
  }
  return {};
}

}  // namespace

std::string conflict_message(const std::vector<ApplyConflict>& conflicts) {
  if (conflicts.size() == 1) {
    return fmt::format("Apply failed with 1 conflict: {}: {}", conflicts[0].message,
                       conflicts[0].field);
  }
  std::map<std::string, std::vector<std::string>> by_manager;
  for (const auto& conflict : conflicts) {
    by_manager[conflict.message].push_back("- " + conflict.field);
  }
  std::vector<std::string> lines;
  for (const auto& [message, fields] : by_manager) {
    // "conflict with X" becomes "conflicts with X:".
    lines.push_back(
        fmt::format("conflicts{}:", message.substr(std::string_view("conflict").size())));
    std::ranges::copy(fields, std::back_inserter(lines));
  }
  return fmt::format("Apply failed with {} conflicts: {}", conflicts.size(),
                     fmt::join(lines, "\n"));
}

Result<ApplyOutcome> apply(const json::value* live, const json::value& config,
                           const FieldManagerRequest& request, bool force, const Schema& schema,
                           const OwnersPtr& owners) {
  if (auto checked = check_config(config, schema); !checked) return checked.error();
  const auto& root = schema.root();
  const auto nothing = live ? json::value() : blank(root);
  // With its managedFields: they are nobody's, and the same before and after.
  const auto& before = live ? *live : nothing;
  auto stored = owners;
  if (!stored) {
    auto read = decode_managed(managed_fields_of(before));
    if (!read) {
      return error(Code::Invalid, "failed to decode managed fields: " + read.error().message);
    }
    stored = std::make_shared<const ManagedEntries>(std::move(*read));
  }
  auto entries = *stored;
  if (live && entries.empty()) {
    ManagedEntry first = entry_for(request, false);
    first.manager = kBeforeFirstApply;
    record_update(entries, blank(root), before, first, request, root);
  }

  auto applier = entry_for(request, true);
  FieldSet last_applied;
  if (const auto* previous = find_entry(entries, applier)) {
    last_applied = previous->fields;
    applier.time = previous->time;
  }
  std::erase_if(entries, [&](const ManagedEntry& e) { return e.same_manager(applier); });
  const auto reset = reset_set(request);
  applier.fields = tree_fields(config, root).minus_recursive(reset);
  if (applier.fields == last_applied) applier.fields = last_applied;  // see encode_managed()
  entries.push_back(applier);
  auto object =
      prune(tree_merge(before, config, root), entries, last_applied, applier.fields, root);

  const Change change(before, object, root, reset);
  if (auto conflicts = conflicts_with(entries, applier, change.written);
      !conflicts.empty() && !force) {
    return ApplyOutcome{nullptr, nullptr, std::move(conflicts)};
  }
  for (auto& entry : entries) {
    if (!entry.same_manager(applier)) {
      change.take_from(entry);
    } else if (!live || !same(before, object)) {
      entry.time = to_rfc3339(request.now);
    }
  }
  strip(entries);
  cap_updaters(entries);
  encode_managed(entries, *stored, object);
  return ApplyOutcome{
      std::move(object), std::make_shared<const ManagedEntries>(std::move(entries)), {}};
}

Result<OwnersPtr> track_update(const json::value* old, json::value& updated,
                               const FieldManagerRequest& request, const Schema& schema,
                               const OwnersPtr& owners) {
  if (!updated.is_object()) return error(Code::Invalid, "the object must be a JSON object");
  const auto start = start_of_update(old, updated, request, owners);
  auto entries = *start.owners;
  // What was never tracked, or no longer is, is not tracked from an update on.
  if (!entries.empty() || !old) {
    const auto nothing = old ? json::value() : blank(schema.root());
    record_update(entries, old ? *old : nothing, updated, entry_for(request, false), request,
                  schema.root());
  }
  encode_managed(entries, start.as_updated ? *start.owners : ManagedEntries(), updated);
  return std::make_shared<const ManagedEntries>(std::move(entries));
}

// But for what a write sets by itself. Nothing is copied: every write asks.
bool is_noop(const json::value& stored, const json::value& updated) {
  const auto *a = stored.if_object(), *b = updated.if_object();
  if (!a || !b) return same(stored, updated);
  return same_but_for(*a, *b, {"metadata"}) &&
         same_metadata(a->if_contains("metadata"), b->if_contains("metadata"));
}

FieldSet field_set_of(const json::value& object, const Schema& schema) {
  return tree_fields(without_managed(object), schema.root()).minus(stripped_fields());
}

}  // namespace troupe::sim
