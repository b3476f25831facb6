// What a request asks for, read off its path and query: the verb and object of the API's URL
// scheme.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "k8s/sim/api/http.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

struct RequestInfo {
  std::string path;
  std::multimap<std::string, std::string, std::less<>> query;

  // False for /version, /healthz, discovery and the like; the rest is empty then.
  bool resource_request = false;
  std::string group;
  std::string version;
  std::string ns;
  std::string resource;
  std::string name;
  std::string subresource;
  bool watch = false;  // ?watch=true, or the old /watch/ paths

  std::string_view param(std::string_view key) const;
  bool flag(std::string_view key) const;  // present, and not false or 0
  std::optional<std::int64_t> number(std::string_view key) const;
};

ApiResult<RequestInfo> parse_request(const Request& request);

// One media type of an Accept header, with what Kubernetes puts in its parameters.
enum class Representation { Object, Table, PartialMetadata };
// The first that the server can give; 406 when there is none.
ApiResult<Representation> parse_accept(std::string_view accept);
// Whether an Accept header asks for aggregated discovery (APIGroupDiscoveryList).
bool wants_aggregated_discovery(std::string_view accept);

// The forms of /openapi/v2; 406 for any other.
enum class SwaggerForm { Json, Protobuf };
ApiResult<SwaggerForm> parse_swagger_accept(std::string_view accept);
inline constexpr std::string_view kSwaggerProtobuf =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

}  // namespace troupe::sim
