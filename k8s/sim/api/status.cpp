#include "k8s/sim/api/status.hpp"

#include <fmt/format.h>

namespace troupe::sim {
namespace {

namespace json = boost::json;

ApiError about(int code, std::string_view reason, const ResourceName& resource,
               std::string_view name, std::string message) {
  return ApiError{.code = code,
                  .reason = std::string(reason),
                  .message = std::move(message),
                  .group = resource.group,
                  .kind = resource.resource,
                  .name = std::string(name)};
}

ApiError plain(int code, std::string_view reason, std::string message) {
  return ApiError{.code = code, .reason = std::string(reason), .message = std::move(message)};
}

}  // namespace

std::string to_string(const ResourceName& resource) {
  return resource.group.empty() ? resource.resource : resource.resource + "." + resource.group;
}

ApiError not_found(const ResourceName& resource, std::string_view name) {
  return about(404, "NotFound", resource, name,
               fmt::format("{} {} not found", to_string(resource), quoted(name)));
}

ApiError already_exists(const ResourceName& resource, std::string_view name) {
  return about(409, "AlreadyExists", resource, name,
               fmt::format("{} {} already exists", to_string(resource), quoted(name)));
}

ApiError generate_name_conflict(const ResourceName& resource, std::string_view name) {
  return about(409, "AlreadyExists", resource, name,
               fmt::format("{} {} already exists, the server was not able to generate a unique "
                           "name for the object",
                           to_string(resource), quoted(name)));
}

ApiError conflict(const ResourceName& resource, std::string_view name, std::string_view why) {
  return about(409, "Conflict", resource, name,
               fmt::format("Operation cannot be fulfilled on {} {}: {}", to_string(resource),
                           quoted(name), why));
}

ApiError modified_conflict(const ResourceName& resource, std::string_view name) {
  return conflict(resource, name,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

ApiError forbidden(const ResourceName& resource, std::string_view name, std::string_view why) {
  return about(403, "Forbidden", resource, name,
               fmt::format("{} {} is forbidden: {}", to_string(resource), quoted(name), why));
}

ApiError invalid_object(std::string_view group, std::string_view kind, std::string_view name,
                        const std::vector<FieldError>& errors) {
  const auto qualified = group.empty() ? std::string(kind) : fmt::format("{}.{}", kind, group);
  ApiError error =
      plain(422, "Invalid",
            fmt::format("{} {} is invalid: {}", qualified, quoted(name), to_string(errors)));
  error.group = group;
  error.kind = kind;
  error.name = name;
  for (const auto& e : errors) {
    error.causes.push_back({std::string(cause_reason(e.reason)), e.message, e.field});
  }
  return error;
}

ApiError bad_request(std::string_view why) { return plain(400, "BadRequest", std::string(why)); }

ApiError unprocessable(std::string_view why) { return plain(422, "Invalid", std::string(why)); }

ApiError method_not_supported(const ResourceName& resource, std::string_view action) {
  auto error = about(405, "MethodNotAllowed", resource, "",
                     fmt::format("{} is not supported on resources of kind {}", action,
                                 quoted(to_string(resource))));
  return error;
}

ApiError resource_expired(std::string_view why) { return plain(410, "Expired", std::string(why)); }

ApiError too_large_resource_version(std::uint64_t wanted, std::uint64_t current) {
  auto error = plain(504, "Timeout",
                     fmt::format("Too large resource version: {}, current: {}", wanted, current));
  error.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  error.retry_after_seconds = 1;
  return error;
}

ApiError too_many_requests(std::string_view why, int retry_after_seconds) {
  auto error = plain(429, "TooManyRequests", std::string(why));
  error.retry_after_seconds = retry_after_seconds;
  return error;
}

ApiError request_too_large() {
  return plain(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
}

ApiError unsupported_media_type(std::string_view accepted) {
  return plain(415, "UnsupportedMediaType",
               fmt::format("the body of the request was in an unknown format - accepted media "
                           "types include: {}",
                           accepted));
}

ApiError not_acceptable(std::string_view accepted) {
  return plain(406, "NotAcceptable",
               fmt::format("only the following media types are accepted: {}", accepted));
}

ApiError unauthorized() { return plain(401, "Unauthorized", "Unauthorized"); }

ApiError internal_error(std::string_view why) {
  auto error = plain(500, "InternalError", fmt::format("Internal error occurred: {}", why));
  error.causes.push_back({"", std::string(why), ""});
  return error;
}

ApiError unknown_path() {
  return plain(404, "NotFound", "the server could not find the requested resource");
}

json::object to_status(const ApiError& error) {
  json::object metadata;
  if (!error.continue_token.empty()) metadata["continue"] = error.continue_token;
  json::object status{
      {"kind", "Status"},    {"apiVersion", "v1"},       {"metadata", std::move(metadata)},
      {"status", "Failure"}, {"message", error.message}, {"reason", error.reason}};
  json::object details;
  const auto put = [&](const char* key, const std::string& text) {
    if (!text.empty()) details[key] = text;
  };
  put("name", error.name);
  put("group", error.group);
  put("kind", error.kind);
  put("uid", error.uid);
  json::array causes;
  for (const auto& cause : error.causes) {
    json::object entry;
    if (!cause.reason.empty()) entry["reason"] = cause.reason;
    entry["message"] = cause.message;
    if (!cause.field.empty()) entry["field"] = cause.field;
    causes.push_back(std::move(entry));
  }
  if (!causes.empty()) details["causes"] = std::move(causes);
  if (error.retry_after_seconds > 0) details["retryAfterSeconds"] = error.retry_after_seconds;
  // Clients tell a path that is not served from an object that is not there by its empty details.
  if (!details.empty() || error.code == 404) status["details"] = std::move(details);
  status["code"] = error.code;
  return status;
}

Error to_error(const ApiError& error) {
  const auto code = [&] {
    switch (error.code) {
      case 404:
        return Code::NotFound;
      case 409:
        return error.reason == "AlreadyExists" ? Code::Exists : Code::Conflict;
      case 401:
      case 403:
        return Code::Denied;
      case 410:
        return Code::Stale;
      case 504:
        return Code::Timeout;
      default:
        return error.code == 429 || error.code >= 500 ? Code::Retry : Code::Invalid;
    }
  }();
  return Error{code, error.message};
}

}  // namespace troupe::sim
