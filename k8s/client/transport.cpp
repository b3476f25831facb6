#include "k8s/client/transport.hpp"

#include <simdjson.h>

namespace troupe::k8s {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

std::string_view to_string(Method method) {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Post:
      return "POST";
    case Method::Put:
      return "PUT";
    case Method::Patch:
      return "PATCH";
    case Method::Delete:
      return "DELETE";
  }
  return "GET";
}

}  // namespace troupe::k8s
