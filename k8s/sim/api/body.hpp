// Bodies of requests: JSON and YAML to values, and the options that travel in them.
#pragma once

#include <string_view>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/status.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

// YAML as kubectl and apply send it: plain scalars typed as by the core schema. One document.
ApiResult<json::value> parse_yaml(std::string_view text);
// Several documents; empty ones are left out.
ApiResult<std::vector<json::value>> parse_yaml_documents(std::string_view text);

// JSON, strictly, or YAML, by content type; 415 for anything else.
ApiResult<json::value> parse_body(std::string_view content_type, std::string_view body);

// metav1.DeleteOptions.
DeleteRequest parse_delete_options(const json::object& options);

}  // namespace troupe::sim
