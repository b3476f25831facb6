// OpenAPI v3 documents: what `kubectl explain`, `apply`, `diff` and `--validate` read.
//
// Pure: from a list of resources to JSON. Document paths follow the real server: the root at
// /openapi/v3 names one document a group version, its serverRelativeURL carries a hash of the
// content, so that clients may cache for ever.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sim {

namespace json = boost::json;

// A resource to document.
struct OpenApiResource {
  std::string group;  // "" for core
  std::string version;
  std::string kind;
  std::string plural;
  std::string singular;
  bool namespaced = true;
  // Custom resources: openAPIV3Schema of the version; null for built-in kinds.
  json::value schema;
  bool has_status = false;
  bool has_scale = false;
};

struct OpenApiDocument {
  std::string path;  // "apis/apps/v1", "api/v1"
  std::string body;  // JSON text
  std::string hash;  // of the body
};

// Two FNV-1a hashes of 64 bits, upper-case hex: a key for caches, nothing to rely on against an
// attacker.
std::string content_hash(std::string_view body);

// One document for each group version among `resources`, sorted by path.
std::vector<OpenApiDocument> openapi_documents(const std::vector<OpenApiResource>& resources);

// The document at /openapi/v3: {"paths": {"apis/apps/v1": {"serverRelativeURL": ...}}}.
json::object openapi_root(const std::vector<OpenApiDocument>& documents);

}  // namespace troupe::sim
