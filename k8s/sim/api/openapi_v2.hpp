// The OpenAPI v2 document (/openapi/v2): what kubectl validates the items of a `kind: List` with,
// as the server's own validation takes one object a request.
//
// Pure: made out of the v3 documents, and with less in it. Swagger knows neither alternatives nor
// nullable values, and kubectl refuses the whole document where an array has no items or an untyped
// value has properties: so these are left out, as the real server does for custom resources
// (apiextensions-apiserver, pkg/controller/openapi/v2). Holds definitions and no paths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/openapi.hpp"

namespace troupe::sim {

struct SwaggerDocument {
  std::string json;
  std::string protobuf;  // what clients read of it: no bounds, patterns and formats of numbers
  std::string hash;      // of the JSON
};

SwaggerDocument swagger_document(const std::vector<OpenApiDocument>& v3);

}  // namespace troupe::sim
