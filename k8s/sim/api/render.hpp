// Stored objects as clients of one version see them, and as text.
//
// Both are computed once an object and kept in it. Text is kept without apiVersion and kind, which
// differ between versions and are left out of the lists of built-in kinds.
#pragma once

#include <memory>
#include <string>

#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/store.hpp"

namespace troupe::sim {

// The object in the shape of `type`: itself where it was written as that type, else converted,
// pruned and defaulted.
ObjectPtr view(const TypePtr& type, const ObjectPtr& object);

// `"metadata":{...},"spec":{...}}`: everything after apiVersion and kind, with the closing brace.
std::shared_ptr<const std::string> members_text(const ObjectPtr& viewed);

// The whole object.
std::string object_text(const ResourceType& type, const ObjectPtr& viewed);
void append_object_text(std::string& out, const ResourceType& type, const ObjectPtr& viewed);

}  // namespace troupe::sim
