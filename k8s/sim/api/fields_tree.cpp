#include "k8s/sim/api/fields_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "k8s/sim/api/object.hpp"

namespace troupe::sim {
namespace {

enum class Shape { Leaf, Map, List };

bool is_empty_container(const json::value* v) {
  return !v || v->is_null() || (v->is_object() && v->get_object().empty()) ||
         (v->is_array() && v->get_array().empty());
}

// How a pair of values (either may be missing) is walked.
Shape shape_of(const json::value* a, const json::value* b, const SchemaNode* schema) {
  const auto* one = a && !a->is_null() ? a : b;
  if (!one || one->is_null()) return Shape::Leaf;
  const auto* other = one == a ? b : a;
  if (other && !other->is_null() && other->kind() != one->kind()) return Shape::Leaf;
  if (one->is_object()) {
    return schema && schema->atomic_map ? Shape::Leaf : Shape::Map;
  }
  if (one->is_array()) {
    return schema && schema->list_type != ListType::Atomic ? Shape::List : Shape::Leaf;
  }
  return Shape::Leaf;
}

const json::object& members_of(const json::value* v) {
  static const json::object kNone;
  return v && v->is_object() ? v->get_object() : kNone;
}

const json::array& items_of(const json::value* v) {
  static const json::array kNone;
  return v && v->is_array() ? v->get_array() : kNone;
}

const SchemaNode* member_schema(const SchemaNode* schema, std::string_view name) {
  return schema ? schema->member(name) : nullptr;
}

// Nothing when a keyed item lacks a key that has no default.
std::optional<PathElement> item_element(const SchemaNode& list, const json::value& item) {
  if (list.list_type == ListType::Set) return PathElement::value(item);
  if (!item.is_object()) return std::nullopt;
  PathElement::Keys keys;
  for (const auto& name : list.list_map_keys) {
    const auto* value = item.get_object().if_contains(name);
    const auto* declared = list.items ? list.items->property(name) : nullptr;
    if (value && !value->is_null()) {
      keys.emplace_back(name, value);
    } else if (declared && declared->default_value) {
      keys.emplace_back(name, &*declared->default_value);
    } else {
      return std::nullopt;
    }
  }
  return PathElement::key(std::move(keys));
}

template <class Value>
struct Item {
  PathElement element;
  Value* value;
};

// `items`: a json::array, const or not.
template <class Array, class Value = std::remove_reference_t<decltype(std::declval<Array&>()[0])>>
std::vector<Item<Value>> elements_of(const SchemaNode& list, Array& items) {
  std::vector<Item<Value>> out;
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto element = item_element(list, items[i]);
    out.push_back({element ? std::move(*element) : PathElement::index(i), &items[i]});
  }
  return out;
}

// Equal, with 1 and 1.0 the same number.
bool same_value(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    return a == b ||
           (a.is_double() != b.is_double() && a.to_number<double>() == b.to_number<double>());
  }
  return same(a, b);
}

class FieldCollector {
 public:
  FieldSet run(const json::value& value, const SchemaNode& schema) {
    FieldSet out;
    add_below(value, &schema, out);
    return out;
  }

 private:
  // False: the value is one field as a whole.
  static bool add_below(const json::value& value, const SchemaNode* schema, FieldSet& set) {
    switch (shape_of(&value, nullptr, schema)) {
      case Shape::Leaf:
        return false;
      case Shape::Map:
        for (const auto& [name, member] : value.get_object()) add_member(name, member, schema, set);
        return true;
      case Shape::List:
        for (auto& [element, item] : elements_of(*schema, items_of(&value))) {
          FieldSet below;
          add_below(*item, schema->items.get(), below);
          set.insert(std::move(element), true, std::move(below));
        }
        return true;
    }
    return false;
  }

  static void add_member(std::string_view name, const json::value& member, const SchemaNode* schema,
                         FieldSet& set) {
    FieldSet below;
    const bool is_leaf = !add_below(member, member_schema(schema, name), below);
    const bool is_declared = schema && schema->property(name);
    const bool is_empty_map = member.is_object() && member.get_object().empty();
    set.insert(PathElement::field(name), is_leaf || !is_declared || is_empty_map, std::move(below));
  }
};

class Comparer {
 public:
  Comparison run(const json::value& before, const json::value& after, const SchemaNode& schema) {
    visit(&before, &after, &schema);
    return std::move(out_);
  }

 private:
  void visit(const json::value* before, const json::value* after, const SchemaNode* schema) {
    // As most parts of an object are, in most writes.
    if (before && after && same(*before, *after)) return;
    auto shape = shape_of(before, after, schema);
    // Two empty containers tell null, {} and absence apart only as a whole.
    if (is_empty_container(before) && is_empty_container(after)) shape = Shape::Leaf;
    switch (shape) {
      case Shape::Leaf:
        if (before && after && !same_value(*before, *after)) out_.modified.insert(path_);
        break;
      case Shape::Map:
        visit_map(members_of(before), members_of(after), schema);
        break;
      case Shape::List:
        visit_list(before, after, *schema);
        break;
    }
    if (!before) {
      out_.added.insert(path_);
    } else if (!after) {
      out_.removed.insert(path_);
    }
  }

  void visit_map(const json::object& before, const json::object& after, const SchemaNode* schema) {
    const auto step = [&](std::string_view name, const json::value* a, const json::value* b) {
      path_.push_back(PathElement::field(name));
      visit(a, b, member_schema(schema, name));
      path_.pop_back();
    };
    for (const auto& [name, value] : before) step(name, &value, after.if_contains(name));
    for (const auto& [name, value] : after) {
      if (!before.contains(name)) step(name, nullptr, &value);
    }
  }

  using Group = std::pair<std::vector<const json::value*>, std::vector<const json::value*>>;

  void visit_list(const json::value* before, const json::value* after, const SchemaNode& schema) {
    std::map<PathElement, Group> groups;
    for (auto& [element, item] : elements_of(schema, items_of(before)))
      groups[element].first.push_back(item);
    for (auto& [element, item] : elements_of(schema, items_of(after)))
      groups[element].second.push_back(item);
    for (const auto& [element, group] : groups) {
      path_.push_back(element);
      const auto& [olds, news] = group;
      if (olds.size() <= 1 && news.size() <= 1) {
        visit(olds.empty() ? nullptr : olds[0], news.empty() ? nullptr : news[0],
              schema.items.get());
      } else {
        visit_duplicates(olds, news);
      }
      path_.pop_back();
    }
  }

  // Items that share a key are one field together.
  void visit_duplicates(const std::vector<const json::value*>& olds,
                        const std::vector<const json::value*>& news) {
    if (olds.empty()) {
      out_.added.insert(path_);
    } else if (news.empty()) {
      out_.removed.insert(path_);
    } else if (!std::ranges::equal(
                   olds, news, [](const auto* a, const auto* b) { return same_value(*a, *b); })) {
      out_.modified.insert(path_);
    }
  }

  FieldPath path_;
  Comparison out_;
};

json::value merge(json::value live, const json::value& config, const SchemaNode* schema);

json::value merge_maps(json::value live, const json::value& config, const SchemaNode* schema) {
  if (!live.is_object()) live.emplace_object();
  auto& out = live.get_object();
  for (const auto& [name, value] : members_of(&config)) {
    if (auto* current = out.if_contains(name)) {
      *current = merge(std::move(*current), value, member_schema(schema, name));
    } else {
      out.emplace(name, value);
    }
  }
  return live;
}

// Items of both come in the order of `config`; an item of `live` alone keeps its place among its
// neighbours.
json::value merge_lists(json::value live, const json::value& config, const SchemaNode& schema) {
  if (!live.is_array()) live.emplace_array();
  const auto ours = elements_of(schema, live.get_array());
  const auto theirs = elements_of(schema, items_of(&config));
  std::map<PathElement, json::value*> live_by_element;
  std::set<PathElement> config_elements;
  for (const auto& item : ours) live_by_element.emplace(item.element, item.value);
  for (const auto& item : theirs) config_elements.insert(item.element);

  json::array out;
  std::size_t next = 0;
  const auto emit_next = [&] {
    const auto& item = theirs[next++];
    const auto it = live_by_element.find(item.element);
    out.push_back(it == live_by_element.end()
                      ? *item.value
                      : merge(std::move(*it->second), *item.value, schema.items.get()));
  };
  for (const auto& item : ours) {
    if (!config_elements.contains(item.element)) {
      out.push_back(std::move(*item.value));
      continue;
    }
    const auto shared = std::find_if(
        theirs.begin() + static_cast<std::ptrdiff_t>(next), theirs.end(),
        [&](const auto& candidate) { return live_by_element.contains(candidate.element); });
    if (shared == theirs.end() || shared->element != item.element) continue;
    const auto last = static_cast<std::size_t>(shared - theirs.begin());
    while (next <= last) emit_next();
  }
  while (next < theirs.size()) emit_next();
  return out;
}

json::value merge(json::value live, const json::value& config, const SchemaNode* schema) {
  if (is_empty_container(&live) && is_empty_container(&config)) return config;
  switch (shape_of(&live, &config, schema)) {
    case Shape::Map:
      return merge_maps(std::move(live), config, schema);
    case Shape::List:
      return merge_lists(std::move(live), config, *schema);
    case Shape::Leaf:
      return config;
  }
  return config;
}

json::value remove(const json::value& value, const FieldSet& fields, const SchemaNode* schema) {
  switch (shape_of(&value, nullptr, schema)) {
    case Shape::Leaf:
      return value;
    case Shape::Map: {
      json::object out;
      for (const auto& [name, member] : value.get_object()) {
        const auto element = PathElement::field(name);
        if (fields.has_member(element)) continue;
        const auto* below = fields.child(element);
        out.emplace(name, below ? remove(member, *below, member_schema(schema, name)) : member);
      }
      return out;
    }
    case Shape::List: {
      json::array out;
      for (const auto& [element, item] : elements_of(*schema, items_of(&value))) {
        if (fields.has_member(element)) continue;
        const auto* below = fields.child(element);
        out.push_back(below ? remove(*item, *below, schema->items.get()) : *item);
      }
      return out;
    }
  }
  return value;
}

// The first defect of a configuration, with its path.
class DefectFinder {
 public:
  std::string run(const json::value& value, const SchemaNode& schema) {
    visit(value, &schema);
    return defect_;
  }

 private:
  void report(std::string_view what) {
    if (defect_.empty()) defect_ = fmt::format("{}: {}", to_string(path_), what);
  }

  void visit(const json::value& value, const SchemaNode* schema) {
    if (!schema) return;
    if (const auto* object = value.if_object()) {
      visit_map(*object, *schema);
    } else if (const auto* array = value.if_array()) {
      visit_list(*array, *schema);
    }
  }

  void visit_map(const json::object& object, const SchemaNode& schema) {
    if (schema.int_or_string) return;
    for (const auto& [name, member] : object) {
      const auto* below = schema.member(name);
      path_.push_back(PathElement::field(name));
      if (!below && !schema.preserve_unknown && !schema.additional_allowed) {
        report("field not declared in schema");
      }
      visit(member, below);
      path_.pop_back();
    }
  }

  void visit_list(const json::array& array, const SchemaNode& schema) {
    if (schema.list_type != ListType::Atomic) check_elements(array, schema);
    if (!schema.items) return;
    for (std::size_t i = 0; i < array.size(); ++i) {
      path_.push_back(PathElement::index(i));
      visit(array[i], schema.items.get());
      path_.pop_back();
    }
  }

  void check_elements(const json::array& array, const SchemaNode& schema) {
    std::set<PathElement> seen;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const auto element = item_element(schema, array[i]);
      if (!element) {
        report_missing_key(array[i], schema, i);
      } else if (!seen.insert(*element).second) {
        report(fmt::format("duplicate entries for key {}", element->display()));
      }
    }
  }

  void report_missing_key(const json::value& item, const SchemaNode& schema, std::size_t i) {
    for (const auto& key : schema.list_map_keys) {
      if (item.is_object() && item.get_object().contains(key)) continue;
      report(
          fmt::format("element {}: associative list with keys has an element that omits key "
                      "field \"{}\" (and doesn't have default value)",
                      i, key));
      return;
    }
  }

  FieldPath path_;
  std::string defect_;
};

}  // namespace

FieldSet tree_fields(const json::value& value, const SchemaNode& schema) {
  return FieldCollector().run(value, schema);
}

std::string tree_defect(const json::value& value, const SchemaNode& schema) {
  return DefectFinder().run(value, schema);
}

Comparison tree_compare(const json::value& before, const json::value& after,
                        const SchemaNode& schema) {
  return Comparer().run(before, after, schema);
}

json::value tree_merge(const json::value& live, const json::value& config,
                       const SchemaNode& schema) {
  return merge(live, config, &schema);
}

json::value tree_remove(const json::value& value, const FieldSet& fields,
                        const SchemaNode& schema) {
  return remove(value, fields, &schema);
}

}  // namespace troupe::sim
