#include <algorithm>

#include "k8s/sim/api/schema.hpp"
#include "k8s/sim/api/schema_path.hpp"
#include "k8s/sim/api/schema_quantity.hpp"

namespace troupe::sim {
namespace {

bool is_type_meta(std::string_view key) {
  return key == "apiVersion" || key == "kind" || key == "metadata";
}

// Walks object and schema together; `schema` is null below what the schema declares.
class Pruner {
 public:
  std::vector<std::string> run(json::value& object, const SchemaNode& root) {
    visit(object, &root);
    std::ranges::sort(unknown_);
    return std::move(unknown_);
  }

 private:
  void visit(json::value& value, const SchemaNode* schema) {
    if (schema && schema->int_or_string) return;
    if (auto* object = value.if_object()) {
      visit_object(*object, schema);
    } else if (auto* array = value.if_array()) {
      visit_array(*array, schema);
    }
  }

  void visit_object(json::object& object, const SchemaNode* schema) {
    const bool keep_unknown = schema && schema->preserve_unknown;
    for (auto it = object.begin(); it != object.end();) {
      const std::string_view key = it->key();
      const auto step = path_.member(key);
      const auto* known = schema ? schema->member(key) : nullptr;
      if (known) {
        visit(it->value(), known);
        ++it;
      } else if (keep_unknown || (schema && schema->embedded_resource && is_type_meta(key))) {
        ++it;
      } else if (schema && schema->additional_allowed) {
        visit(it->value(), nullptr);
        ++it;
      } else {
        unknown_.push_back(path_.text());
        it = object.stable_erase(it);
      }
    }
  }

  void visit_array(json::array& array, const SchemaNode* schema) {
    if (schema && schema->preserve_unknown && !schema->items) return;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const auto step = path_.item(i);
      visit(array[i], schema ? schema->items.get() : nullptr);
    }
  }

  SchemaPath path_;
  std::vector<std::string> unknown_;
};

bool is_bare_null(const json::value& value, const SchemaNode* schema) {
  return value.is_null() && schema && !schema->nullable;
}

void drop_nulls(json::value& value, const SchemaNode* schema) {
  if (auto* object = value.if_object()) {
    for (auto it = object->begin(); it != object->end();) {
      const auto* member = schema ? schema->member(it->key()) : nullptr;
      if (is_bare_null(it->value(), member) && !member->default_value) {
        it = object->stable_erase(it);
      } else {
        drop_nulls(it->value(), member);
        ++it;
      }
    }
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) drop_nulls(item, schema ? schema->items.get() : nullptr);
  }
}

void set_defaults(json::value& value, const SchemaNode& schema) {
  if (auto* object = value.if_object()) {
    for (const auto& [name, property] : schema.properties) {
      if (!property->default_value) continue;
      auto it = object->find(name);
      if (it == object->end()) {
        object->emplace(name, *property->default_value);
      } else if (is_bare_null(it->value(), property.get())) {
        it->value() = *property->default_value;
      }
    }
    for (auto& [name, member] : *object) {
      const auto* child = schema.member(name);
      if (!child || !child->has_nested_defaults) continue;
      if (is_bare_null(member, child) && child->default_value) member = *child->default_value;
      set_defaults(member, *child);
    }
  } else if (auto* array = value.if_array()) {
    if (!schema.items || !schema.items->has_nested_defaults) return;
    for (auto& item : *array) {
      if (is_bare_null(item, schema.items.get()) && schema.items->default_value) {
        item = *schema.items->default_value;
      }
      set_defaults(item, *schema.items);
    }
  }
}

void canonicalize(json::value& value, const SchemaNode& schema) {
  if (schema.quantity) {
    if (auto text = canonical_quantity(value)) value = *text;
  } else if (auto* object = value.if_object()) {
    for (auto& [name, member] : *object) {
      if (const auto* child = schema.member(name)) canonicalize(member, *child);
    }
  } else if (auto* array = value.if_array()) {
    if (!schema.items) return;
    for (auto& item : *array) canonicalize(item, *schema.items);
  }
}

}  // namespace

std::vector<std::string> Schema::prune(json::value& object) const {
  return Pruner().run(object, *root_);
}

void Schema::apply_defaults(json::value& object) const {
  drop_nulls(object, root_.get());
  set_defaults(object, *root_);
  canonicalize(object, *root_);
}

}  // namespace troupe::sim
