// CustomResourceDefinitions and the API reference, made from the descriptions of our kinds.
//
// `troupe-gen crds` writes them to config/crd/, `troupe-gen api-docs` the reference to docs/api.md;
// a test compares both with what is committed.
#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string>

#include "k8s/api/kind.hpp"

namespace troupe::k8s {

// apiextensions.k8s.io/v1 CustomResourceDefinition.
boost::json::value crd(const KindInfo& kind);

// The same as YAML.
std::string crd_yaml(const KindInfo& kind);

// "upm.syntropycloud.io_unitsets.yaml"
std::string crd_file_name(const KindInfo& kind);

// Markdown: every field of every kind.
std::string api_reference(std::span<const KindInfo* const> kinds);

}  // namespace troupe::k8s
