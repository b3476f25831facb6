#include "k8s/sim/api/resource_type.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

void apply_default(json::object& at, std::string_view path, const json::value& value) {
  const auto end = path.find_first_of(".[");
  const auto name = path.substr(0, end);
  if (end == std::string_view::npos) {
    auto* slot = at.if_contains(name);
    if (slot == nullptr || slot->is_null()) at[name] = value;
    return;
  }
  auto* next = at.if_contains(name);
  if (next == nullptr) return;
  if (path[end] == '.') {
    if (auto* object = next->if_object()) apply_default(*object, path.substr(end + 1), value);
    return;
  }
  auto* items = next->if_array();
  if (items == nullptr) return;
  constexpr std::string_view kEachItem = "[].";
  for (auto& item : *items) {
    if (auto* object = item.if_object()) {
      apply_default(*object, path.substr(end + kEachItem.size()), value);
    }
  }
}

// "v1" before "v2beta1" before "v1alpha1"; Kubernetes' own order of versions.
struct VersionRank {
  int stability = 0;  // 2 stable, 1 beta, 0 alpha
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const VersionRank&, const VersionRank&) = default;
};

int leading_number(std::string_view& text) {
  int number = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && number < 1'000'000) {
    number = number * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return number;
}

VersionRank rank(std::string_view version) {
  if (version.empty() || version.front() != 'v') return {-1, 0, 0};
  version.remove_prefix(1);
  VersionRank r;
  r.major = leading_number(version);
  if (version.empty()) {
    r.stability = 2;
    return r;
  }
  if (version.starts_with("beta")) {
    r.stability = 1;
    version.remove_prefix(4);
  } else if (version.starts_with("alpha")) {
    version.remove_prefix(5);
  } else {
    return {-1, 0, 0};
  }
  r.minor = leading_number(version);
  return r;
}

}  // namespace

bool ResourceType::allows(std::string_view verb) const {
  return verbs.empty() || std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

const Subresource* ResourceType::find_subresource(std::string_view subresource) const {
  const auto found = std::find_if(subresources.begin(), subresources.end(),
                                  [&](const auto& s) { return s.name == subresource; });
  return found == subresources.end() ? nullptr : &*found;
}

void apply_field_defaults(const std::vector<FieldDefault>& defaults, json::object& object) {
  for (const auto& entry : defaults) apply_default(object, entry.path, entry.value);
}

void Registry::add(TypePtr type) {
  const auto better = std::find_if(types_.begin(), types_.end(), [&](const auto& other) {
    return other->group == type->group && rank(other->version) < rank(type->version);
  });
  types_.insert(better, std::move(type));
  ++generation_;
}

void Registry::remove(const ResourceType& type) {
  std::erase_if(types_, [&](const auto& other) { return other.get() == &type; });
  ++generation_;
}

TypePtr Registry::find(std::string_view group, std::string_view version,
                       std::string_view plural) const {
  for (const auto& type : types_) {
    if (type->plural == plural && type->version == version && type->group == group) return type;
  }
  return nullptr;
}

TypePtr Registry::find_kind(std::string_view group, std::string_view version,
                            std::string_view kind) const {
  for (const auto& type : types_) {
    if (type->kind == kind && type->version == version && type->group == group) return type;
  }
  return nullptr;
}

TypePtr Registry::find_resource(std::string_view resource) const {
  const auto dot = resource.find('.');
  const auto plural = resource.substr(0, dot);
  const auto group = dot == std::string_view::npos ? std::string_view{} : resource.substr(dot + 1);
  for (const auto& type : types_) {
    if (type->plural == plural && type->group == group) return type;
  }
  return nullptr;
}

TypePtr Registry::find_collection(std::string_view collection) const {
  for (const auto& type : types_) {
    if (type->collection == collection) return type;
  }
  return nullptr;
}

}  // namespace troupe::sim
