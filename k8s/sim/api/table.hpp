// meta.k8s.io/v1 Table and PartialObjectMetadata: objects as `kubectl get` shows them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "k8s/sim/api/resource_type.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

// A span as kubectl prints it: "45s", "3m12s", "5h", "12d".
std::string human_duration(std::chrono::seconds span);
// The time since an RFC 3339 stamp; "<unknown>" without one.
std::string age_since(std::string_view timestamp, WallTime now);

// `includeObject` of the request: what of the object each row carries.
enum class IncludeObject { Metadata, Object, None };

json::array table_columns(const ResourceType& type);
json::object table_row(const ResourceType& type, const json::object& object, IncludeObject include,
                       WallTime now);
json::object partial_metadata(const json::object& object);

// Columns out of data.
Column name_column();
Column age_column();
// The text or number at a path, "" or `missing` when there is none.
Column path_column(std::string name, std::string path, int priority = 0,
                   std::string_view missing = "");

}  // namespace troupe::sim
