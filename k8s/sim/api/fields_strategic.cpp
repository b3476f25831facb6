#include "k8s/sim/api/fields_strategic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/schema_error.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

// Leaves the merge from any depth; strategic_merge_patch() turns it into an error value.
struct PatchError {
  std::string message;
};

bool is_directive(std::string_view key) {
  return key == kPatch || key == kRetainKeys || key.starts_with(kSetOrder) ||
         key.starts_with(kDeletePrimitives);
}

std::string directive_of(const json::value& value) {
  const auto* object = value.if_object();
  const auto* directive = object ? object->if_contains(kPatch) : nullptr;
  return directive && directive->is_string() ? std::string(directive->get_string()) : "";
}

const json::array* array_at(const json::object& object, std::string_view prefix,
                            std::string_view key) {
  const auto* value = object.if_contains(std::string(prefix) + std::string(key));
  return value ? value->if_array() : nullptr;
}

// What tells items of a merged list apart: the merge key's value, or the primitive itself.
class Identity {
 public:
  explicit Identity(std::string merge_key) : merge_key_(std::move(merge_key)) {}

  const json::value& of(const json::value& item) const {
    if (merge_key_.empty() || !item.is_object()) return item;
    if (const auto* key = item.get_object().if_contains(merge_key_)) return *key;
    throw PatchError{
        fmt::format("map: {} does not contain declared merge key: {}", show(item), merge_key_)};
  }

  std::size_t find(const json::array& list, const json::value& item) const {
    const auto& wanted = of(item);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (of(list[i]) == wanted) return i;
    }
    return list.size();
  }

 private:
  std::string merge_key_;
};

json::value merge_value(const json::value* original, const json::value& patch,
                        const SchemaNode* schema);

// Puts the items named by `order` in that order. Items it does not name stay where they were in
// relation to the others in the original list.
json::array in_order(const json::array& merged, const json::array& original,
                     const json::array& order, const Identity& identity) {
  std::vector<const json::value*> named;
  std::vector<const json::value*> others;
  for (const auto& wanted : order) {
    const auto i = identity.find(merged, wanted);
    if (i < merged.size()) named.push_back(&merged[i]);
  }
  for (const auto& item : merged) {
    if (identity.find(order, item) == order.size()) others.push_back(&item);
  }
  json::array out;
  auto next = others.begin();
  for (const auto* item : named) {
    const auto place = identity.find(original, *item);
    while (place < original.size() && next != others.end() &&
           identity.find(original, **next) < place) {
      out.push_back(**next++);
    }
    out.push_back(*item);
  }
  for (; next != others.end(); ++next) out.push_back(**next);
  return out;
}

json::array merge_items(const json::array& original, const json::array& patch,
                        const SchemaNode& schema) {
  const Identity identity(schema.patch_merge_key);
  const bool replaces = std::ranges::any_of(
      patch, [](const json::value& item) { return directive_of(item) == "replace"; });
  json::array out = replaces ? json::array() : original;
  for (const auto& item : patch) {
    const auto directive = directive_of(item);
    if (directive == "replace") continue;
    const auto at = identity.find(out, item);
    if (directive == "delete") {
      if (at < out.size()) out.erase(out.begin() + at);
    } else if (at == out.size()) {
      out.push_back(merge_value(nullptr, item, schema.items.get()));
    } else if (item.is_object()) {
      out[at] = merge_value(&out[at], item, schema.items.get());
    }
  }
  return out;
}

json::object merge_object(json::object original, const json::object& patch,
                          const SchemaNode* schema);

// A list with a merge strategy, together with the directives that stand beside it in the patch.
void merge_list(json::object& target, const json::object& patch, std::string_view key,
                const SchemaNode& schema) {
  const auto* current = target.if_contains(key);
  const auto original = current && current->is_array() ? current->get_array() : json::array();
  auto merged = original;
  const Identity identity(schema.patch_merge_key);
  if (const auto* gone = array_at(patch, kDeletePrimitives, key)) {
    for (const auto& item : *gone) {
      const auto at = identity.find(merged, item);
      if (at < merged.size()) merged.erase(merged.begin() + at);
    }
  }
  if (const auto* items = patch.if_contains(key); items && items->is_array()) {
    merged = merge_items(merged, items->get_array(), schema);
  }
  if (const auto* order = array_at(patch, kSetOrder, key)) {
    merged = in_order(merged, original, *order, identity);
  }
  target[key] = std::move(merged);
}

void retain_keys(json::object& original, const json::object& patch) {
  const auto* keep = patch.if_contains(kRetainKeys);
  if (!keep) return;
  if (!keep->is_array()) throw PatchError{"$retainKeys must be a list of names"};
  const auto& names = keep->get_array();
  for (auto it = original.begin(); it != original.end();) {
    const bool kept = std::ranges::any_of(
        names, [&](const json::value& n) { return n.is_string() && n.get_string() == it->key(); });
    it = kept ? std::next(it) : original.stable_erase(it);
  }
}

json::object merge_object(json::object original, const json::object& patch,
                          const SchemaNode* schema) {
  if (const auto* directive = patch.if_contains(kPatch)) {
    const auto word = directive->is_string() ? std::string(directive->get_string()) : "";
    if (word == "delete") return {};
    if (word != "replace" && word != "merge") {
      throw PatchError{fmt::format("unknown patch type found: {}", show(*directive))};
    }
    if (word == "replace") original.clear();
  }
  retain_keys(original, patch);
  for (const auto& [name, value] : patch) {
    const std::string_view key = name;
    if (is_directive(key)) {
      // Directives for a list that the patch itself does not mention.
      for (const auto prefix : {kSetOrder, kDeletePrimitives}) {
        if (!key.starts_with(prefix)) continue;
        const auto list = key.substr(prefix.size());
        const auto* below = schema ? schema->member(list) : nullptr;
        if (below && below->patch_merge && original.contains(list) && !patch.contains(list)) {
          merge_list(original, patch, list, *below);
        }
      }
      continue;
    }
    if (value.is_null()) {
      original.erase(key);
      continue;
    }
    const auto* below = schema ? schema->member(key) : nullptr;
    if (value.is_array() && below && below->patch_merge) {
      merge_list(original, patch, key, *below);
      continue;
    }
    auto* current = original.if_contains(key);
    auto merged = merge_value(current, value, below);
    original[key] = std::move(merged);
  }
  return original;
}

json::value merge_value(const json::value* original, const json::value& patch,
                        const SchemaNode* schema) {
  const auto* object = patch.if_object();
  if (!object) return patch;
  auto base = original && original->is_object() ? original->get_object() : json::object();
  return merge_object(std::move(base), *object, schema);
}

}  // namespace

Result<json::value> strategic_merge_patch(const json::value& original, const json::value& patch,
                                          const Schema& schema) {
  if (!patch.is_object()) return error(Code::Invalid, "the patch must be a JSON object");
  try {
    return merge_value(&original, patch, &schema.root());
  } catch (const PatchError& e) {
    return error(Code::Invalid, e.message);
  }
}

}  // namespace troupe::sim
