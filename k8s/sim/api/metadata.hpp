// Rules for metadata that hold for all kinds: names, labels, annotations, finalizers, owners.
#pragma once

#include <string_view>
#include <vector>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

// Null text when the name is valid, else what is wrong with it.
std::string name_problem(NameRule rule, std::string_view name);
std::string dns_label_problem(std::string_view name);
bool is_qualified_name(std::string_view name);  // [prefix/]name, as label keys are
bool is_label_value(std::string_view value);

void validate_metadata(const ResourceType& type, const json::object& object,
                       const json::object* old, std::vector<FieldError>& errors,
                       std::vector<std::string>& warnings);

}  // namespace troupe::sim
