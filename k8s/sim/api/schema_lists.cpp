#include "k8s/sim/api/schema_lists.hpp"

#include <fmt/format.h>

#include "k8s/sim/api/schema_path.hpp"

namespace troupe::sim {
namespace {

class DuplicateFinder {
 public:
  std::vector<FieldError> run(const SchemaNode& root, const json::value& object) {
    visit(root, object);
    return std::move(errors_);
  }

 private:
  void visit(const SchemaNode& schema, const json::value& value) {
    if (const auto* object = value.if_object()) {
      for (const auto& [name, member] : *object) {
        const std::string_view key = name;
        // Metadata is not the author's schema and has rules of its own.
        if (schema.embedded_resource && key == "metadata") continue;
        if (const auto* declared = schema.property(key)) {
          const auto step = path_.member(key);
          visit(*declared, member);
        } else if (schema.additional) {
          const auto step = path_.entry(key);
          visit(*schema.additional, member);
        }
      }
    } else if (const auto* array = value.if_array()) {
      visit_list(schema, *array);
    }
  }

  void visit_list(const SchemaNode& schema, const json::array& array) {
    std::map<std::string, int> seen;
    for (std::size_t i = 0; i < array.size() && schema.list_type != ListType::Atomic; ++i) {
      if (schema.list_type == ListType::Map && !array[i].is_object() && !array[i].is_null()) {
        errors_.push_back(invalid(fmt::format("{}[{}]", path_.text(), i), show(array[i]),
                                  "must be an object for an array of list-type map"));
        continue;
      }
      if (array.size() < 2) break;
      const auto identity = schema.list_type == ListType::Map
                                ? show(json::value(list_key(schema, array[i])))
                                : show(array[i]);
      if (++seen[identity] == 2) {
        errors_.push_back(duplicate(fmt::format("{}[{}]", path_.text(), i), identity));
      }
    }
    if (!schema.items) return;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const auto step = path_.item(i);
      visit(*schema.items, array[i]);
    }
  }

  SchemaPath path_;
  std::vector<FieldError> errors_;
};

}  // namespace

json::object list_key(const SchemaNode& list, const json::value& item) {
  json::object key;
  const auto* object = item.if_object();
  if (!object) return key;
  for (const auto& name : list.list_map_keys) {
    if (const auto* value = object->if_contains(name)) key.emplace(name, *value);
  }
  return key;
}

std::vector<FieldError> find_duplicates(const SchemaNode& root, const json::value& object) {
  return DuplicateFinder().run(root, object);
}

OldItems::OldItems(const SchemaNode& list, const json::value* old_list) : list_(list) {
  if (list.list_type != ListType::Map || !old_list || !old_list->is_array()) return;
  for (const auto& item : old_list->get_array()) {
    by_key_.emplace(show(json::value(list_key(list, item))), &item);
  }
}

const json::value* OldItems::find(const json::value& item) const {
  if (by_key_.empty()) return nullptr;
  const auto it = by_key_.find(show(json::value(list_key(list_, item))));
  return it == by_key_.end() ? nullptr : it->second;
}

}  // namespace troupe::sim
