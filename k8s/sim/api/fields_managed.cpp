#include "k8s/sim/api/fields_managed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "k8s/sim/api/schema_error.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kAncientChanges = "ancient-changes";

std::string text(const json::object& o, std::string_view key) {
  const auto* value = o.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<ManagedEntry> decode_entry(const json::value& value, std::size_t index) {
  if (!value.is_object()) return error(Code::Invalid, "managedFields entry must be an object");
  const auto& o = value.get_object();
  const auto operation = text(o, "operation");
  if (operation != "Apply" && operation != "Update") {
    return error(Code::Invalid, "operation must be `Apply` or `Update`");
  }
  if (text(o, "apiVersion").empty()) return error(Code::Invalid, "apiVersion must not be empty");
  if (const auto type = text(o, "fieldsType"); type != "FieldsV1") {
    return error(Code::Invalid,
                 type.empty() ? fmt::format("missing fieldsType in managed fields entry {}", index)
                              : fmt::format("invalid fieldsType {} in managed fields entry {}",
                                            quoted(type), index));
  }
  ManagedEntry out{text(o, "manager"),     operation == "Apply", text(o, "apiVersion"),
                   text(o, "subresource"), text(o, "time"),      {}};
  if (const auto* fields = o.if_contains("fieldsV1")) {
    auto set = FieldSet::from_fields_v1(*fields);
    if (!set) return set.error();
    out.fields = std::move(*set);
  }
  return out;
}

json::object encode_entry(const ManagedEntry& entry) {
  json::object out;
  out["manager"] = entry.manager;
  out["operation"] = entry.is_apply ? "Apply" : "Update";
  out["apiVersion"] = entry.api_version;
  if (!entry.time.empty()) out["time"] = entry.time;
  out["fieldsType"] = "FieldsV1";
  out["fieldsV1"] = entry.fields.to_fields_v1();
  if (!entry.subresource.empty()) out["subresource"] = entry.subresource;
  return out;
}

// The text that the entry has in `before`, which `stored` stands for, if none of its fields has
// changed since.
json::value encode_or_take(const ManagedEntry& entry, const ManagedEntries& stored,
                           json::array& before) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& was = stored[i];
    if (!was.fields.shares(entry.fields) || !was.same_manager(entry)) continue;
    if (was.api_version != entry.api_version || was.time.empty() || entry.time.empty()) continue;
    auto text = std::move(before[i]);
    if (was.time != entry.time) text.get_object()["time"] = entry.time;
    return text;
  }
  return encode_entry(entry);
}

bool goes_before(const ManagedEntry& a, const ManagedEntry& b) {
  if (a.is_apply != b.is_apply) return a.is_apply;
  return std::tie(a.time, a.manager, a.api_version, a.subresource) <
         std::tie(b.time, b.manager, b.api_version, b.subresource);
}

}  // namespace

bool ManagedEntry::same_manager(const ManagedEntry& other) const {
  return manager == other.manager && is_apply == other.is_apply &&
         subresource == other.subresource && (is_apply || api_version == other.api_version);
}

const json::array& managed_fields_of(const json::value& object) {
  static const json::array kNone;
  const auto* o = object.if_object();
  const auto* metadata = o ? o->if_contains("metadata") : nullptr;
  const auto* meta = metadata ? metadata->if_object() : nullptr;
  const auto* entries = meta ? meta->if_contains("managedFields") : nullptr;
  return entries && entries->is_array() ? entries->get_array() : kNone;
}

Result<ManagedEntries> decode_managed(const json::array& entries) {
  ManagedEntries out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto entry = decode_entry(entries[i], i);
    if (!entry) return entry.error();
    out.push_back(std::move(*entry));
  }
  return out;
}

void encode_managed(ManagedEntries& entries, const ManagedEntries& stored, json::value& object) {
  std::erase_if(entries, [](const ManagedEntry& e) { return e.fields.empty(); });
  std::ranges::sort(entries, goes_before);
  if (!object.is_object()) return;
  auto& metadata = object.get_object()["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  if (entries.empty()) {
    metadata.get_object().erase("managedFields");
    return;
  }
  auto& slot = metadata.get_object()["managedFields"];
  json::array before;
  if (slot.is_array() && slot.get_array().size() == stored.size())
    before = std::move(slot.get_array());
  json::array out;
  out.reserve(entries.size());
  for (const auto& entry : entries) out.push_back(encode_or_take(entry, stored, before));
  slot = std::move(out);
}

json::value without_managed(const json::value& object) {
  const auto* o = object.if_object();
  const auto* metadata = o ? o->if_contains("metadata") : nullptr;
  if (!metadata || !metadata->is_object()) return object;
  json::object out;
  out.reserve(o->size());
  for (const auto& [name, member] : *o) {
    if (&member != metadata) {
      out.emplace(name, member);
      continue;
    }
    auto& kept = out[name].emplace_object();
    for (const auto& [key, text] : metadata->get_object()) {
      if (key != "managedFields") kept.emplace(key, text);
    }
  }
  return out;
}

const FieldSet& stripped_fields() {
  static const auto kFields = [] {
    FieldSet set;
    const auto metadata = PathElement::field("metadata");
    for (const auto* top : {"apiVersion", "kind", "metadata"})
      set.insert({PathElement::field(top)});
    for (const auto* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid",
                             "clusterName", "generation", "managedFields", "resourceVersion"}) {
      set.insert({metadata, PathElement::field(name)});
    }
    return set;
  }();
  return kFields;
}

void cap_updaters(ManagedEntries& entries) {
  ManagedEntries updaters;
  std::ranges::copy_if(entries, std::back_inserter(updaters),
                       [](const ManagedEntry& e) { return !e.is_apply; });
  if (updaters.size() <= kMaxUpdateManagers) return;
  std::erase_if(entries, [](const ManagedEntry& e) { return !e.is_apply; });
  std::ranges::stable_sort(updaters, goes_before);

  // The first of a version waits for a second one, with which it becomes that version's bucket.
  std::map<std::string, std::size_t> first_of_version;
  std::size_t count = updaters.size();
  for (std::size_t i = 0; i < updaters.size() && count > kMaxUpdateManagers; ++i) {
    const auto [it, is_first] = first_of_version.emplace(updaters[i].api_version, i);
    if (is_first) continue;
    auto& bucket = updaters[it->second];
    bucket.manager = kAncientChanges;
    bucket.subresource.clear();
    bucket.fields = bucket.fields.united(updaters[i].fields);
    bucket.time = updaters[i].time;
    updaters[i].fields = FieldSet();
    --count;
  }
  std::erase_if(updaters, [](const ManagedEntry& e) { return e.fields.empty(); });
  std::ranges::move(updaters, std::back_inserter(entries));
}

std::string describe_manager(const ManagedEntry& entry) {
  auto out = quoted(entry.manager);
  if (!entry.subresource.empty()) {
    out += fmt::format(" with subresource {}", quoted(entry.subresource));
  }
  if (!entry.is_apply) out += " using " + entry.api_version;
  return out;
}

}  // namespace troupe::sim
