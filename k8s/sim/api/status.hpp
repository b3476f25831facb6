// Errors of the Kubernetes API as values: what a client gets as a metav1.Status.
//
// Reasons, codes and message texts are those of k8s.io/apimachinery, since kubectl and client
// libraries print and match them. Resources are named as "pods" or "deployments.apps".
#pragma once

#include <boost/json.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/schema_error.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

struct StatusCause {
  std::string reason;  // "FieldValueRequired", "FieldManagerConflict", ...
  std::string message;
  std::string field;
  friend bool operator==(const StatusCause&, const StatusCause&) = default;
};

struct ApiError {
  int code = 500;
  std::string reason;
  std::string message;
  // details
  std::string group = {};
  std::string kind = {};  // resource, or kind for Invalid
  std::string name = {};
  std::string uid = {};
  std::vector<StatusCause> causes = {};
  int retry_after_seconds = 0;
  std::string continue_token = {};  // 410 of a paged list: how to go on all the same
};

template <class T>
using ApiResult = boost::system::result<T, ApiError>;

[[noreturn]] inline void throw_exception_from_error(const ApiError& e,
                                                    const boost::source_location&) {
  throw ErrorException(Error{Code::Fatal, e.message});
}

struct ResourceName {
  std::string group;
  std::string resource;  // plural
};
std::string to_string(const ResourceName& resource);  // "deployments.apps"

ApiError not_found(const ResourceName& resource, std::string_view name);
ApiError already_exists(const ResourceName& resource, std::string_view name);
ApiError generate_name_conflict(const ResourceName& resource, std::string_view name);
ApiError conflict(const ResourceName& resource, std::string_view name, std::string_view why);
ApiError modified_conflict(const ResourceName& resource, std::string_view name);
ApiError forbidden(const ResourceName& resource, std::string_view name, std::string_view why);
// 422 with one cause a field; the kind is that of the object, not its resource.
ApiError invalid_object(std::string_view group, std::string_view kind, std::string_view name,
                        const std::vector<FieldError>& errors);
ApiError bad_request(std::string_view why);
ApiError unprocessable(std::string_view why);
ApiError method_not_supported(const ResourceName& resource, std::string_view action);
ApiError resource_expired(std::string_view why);
ApiError too_large_resource_version(std::uint64_t wanted, std::uint64_t current);
ApiError too_many_requests(std::string_view why, int retry_after_seconds);
ApiError request_too_large();
ApiError unsupported_media_type(std::string_view accepted);
ApiError not_acceptable(std::string_view accepted);
ApiError unauthorized();
ApiError internal_error(std::string_view why);
// The path leads nowhere: no such group, version or resource.
ApiError unknown_path();

boost::json::object to_status(const ApiError& error);
Error to_error(const ApiError& error);  // for callers inside the process

}  // namespace troupe::sim
