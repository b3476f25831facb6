#include "k8s/sim/controllers/labels.hpp"

#include <algorithm>
#include <charconv>

#include "k8s/sim/api/selector.hpp"

namespace troupe::sim {
namespace {

const json::object* labels_of(const json::value& object) {
  return object_at(object, "metadata.labels");
}

std::optional<std::int64_t> as_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool contains(const json::array* values, std::string_view wanted) {
  return values != nullptr && std::any_of(values->begin(), values->end(), [&](const auto& value) {
           return value.is_string() && std::string_view(value.get_string()) == wanted;
         });
}

// A NodeSelectorRequirement on a value that is missing (null) or there.
bool requirement_holds(const json::value& requirement, const std::string_view* found) {
  const std::string_view op = string_at(requirement, "operator");
  const json::array* values = array_at(requirement, "values");
  if (op == "Exists") return found != nullptr;
  if (op == "DoesNotExist") return found == nullptr;
  if (op == "NotIn") return found == nullptr || !contains(values, *found);
  if (found == nullptr) return false;
  if (op == "In") return contains(values, *found);
  const auto own = as_integer(*found);
  const bool has_bound = values != nullptr && !values->empty() && values->at(0).is_string();
  const auto bound = has_bound ? as_integer(values->at(0).get_string()) : std::nullopt;
  if (!own || !bound) return false;
  return op == "Gt" ? *own > *bound : op == "Lt" && *own < *bound;
}

bool label_requirement_holds(const json::value& requirement, const json::value& node) {
  const json::object* labels = labels_of(node);
  const json::value* label =
      labels == nullptr ? nullptr : labels->if_contains(string_at(requirement, "key"));
  if (label == nullptr || !label->is_string()) return requirement_holds(requirement, nullptr);
  const std::string_view value = label->get_string();
  return requirement_holds(requirement, &value);
}

bool field_requirement_holds(const json::value& requirement, const json::value& node) {
  // metadata.name is the only field there is.
  const std::string_view name = string_at(node, "metadata.name");
  return string_at(requirement, "key") == "metadata.name" && requirement_holds(requirement, &name);
}

}  // namespace

bool label_selector_matches(const json::value* selector, const json::value& object) {
  if (selector == nullptr || !selector->is_object()) return false;
  return LabelSelector::from_object(selector->get_object()).matches(labels_of(object));
}

bool label_map_matches(const json::object& selector, const json::value& object) {
  const json::object* labels = labels_of(object);
  if (selector.empty() || labels == nullptr) return false;
  return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const json::value* label = labels->if_contains(wanted.key());
    return label != nullptr && *label == wanted.value();
  });
}

std::optional<std::pair<std::string, std::string>> indexed_label(const json::value* selector) {
  if (selector == nullptr) return std::nullopt;
  const json::object* labels = object_at(*selector, "matchLabels");
  if (labels == nullptr || labels->empty() || !labels->begin()->value().is_string()) {
    return std::nullopt;
  }
  return std::pair(std::string(labels->begin()->key()),
                   std::string(labels->begin()->value().get_string()));
}

bool node_term_matches(const json::value& term, const json::value& node) {
  const json::array* labels = array_at(term, "matchExpressions");
  const json::array* own_fields = array_at(term, "matchFields");
  const auto empty = [](const json::array* list) { return list == nullptr || list->empty(); };
  if (empty(labels) && empty(own_fields)) return false;
  const auto all = [&node](const json::array* list, auto holds) {
    return list == nullptr || std::all_of(list->begin(), list->end(),
                                          [&](const auto& each) { return holds(each, node); });
  };
  return all(labels, label_requirement_holds) && all(own_fields, field_requirement_holds);
}

bool node_selector_matches(const json::value& node_selector, const json::value& node) {
  const json::array* terms = array_at(node_selector, "nodeSelectorTerms");
  return terms != nullptr && std::any_of(terms->begin(), terms->end(), [&](const auto& term) {
           return node_term_matches(term, node);
         });
}

}  // namespace troupe::sim
