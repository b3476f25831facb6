// How a call reads on the wire, and what a refusal means.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "k8s/client/api_gateway.hpp"
#include "k8s/client/query.hpp"

namespace troupe::k8s {
namespace {

std::string_view text_of(Propagation propagation) {
  switch (propagation) {
    case Propagation::Background:
      return "Background";
    case Propagation::Foreground:
      return "Foreground";
    case Propagation::Orphan:
      return "Orphan";
  }
  return "Background";
}

std::string delete_options(const ApiCall& call) {
  boost::json::object options{{"apiVersion", "v1"},
                              {"kind", "DeleteOptions"},
                              {"propagationPolicy", text_of(call.propagation)}};
  if (call.grace_period_seconds) options["gracePeriodSeconds"] = *call.grace_period_seconds;
  boost::json::object preconditions;
  if (!call.uid.empty()) preconditions["uid"] = call.uid;
  if (call.version) preconditions["resourceVersion"] = std::to_string(call.version.value);
  if (!preconditions.empty()) options["preconditions"] = std::move(preconditions);
  return boost::json::serialize(options);
}

}  // namespace

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::Get:
      return "get";
    case Verb::Create:
      return "create";
    case Verb::Apply:
      return "apply";
    case Verb::MergePatch:
      return "patch";
    case Verb::Delete:
      return "delete";
  }
  return "get";
}

Request to_request(const ApiCall& call) {
  Request request;
  request.timeout = call.timeout;
  // A subresource of an object that is created (pods/x/eviction) is posted to the object.
  const bool to_collection = call.verb == Verb::Create && call.subresource.empty();
  request.target = resource_path(*call.kind, call.ns, to_collection ? std::string() : call.name,
                                 call.subresource);
  const auto manager = "?fieldManager=" + percent_encoded(call.field_manager);
  switch (call.verb) {
    case Verb::Get:
      break;
    case Verb::Create:
      request.method = Method::Post;
      request.content_type = "application/json";
      request.target += manager;
      request.body = call.body;
      break;
    case Verb::Apply:
      request.method = Method::Patch;
      request.content_type = "application/apply-patch+yaml";  // JSON is YAML
      request.target += manager + (call.force ? "&force=true" : "");
      if (call.dry_run) request.target += "&dryRun=All";
      request.body = call.body;
      break;
    case Verb::MergePatch:
      request.method = Method::Patch;
      request.content_type = "application/merge-patch+json";
      request.target += manager;
      request.body = call.body;
      break;
    case Verb::Delete:
      request.method = Method::Delete;
      request.content_type = "application/json";
      request.body = delete_options(call);
      break;
  }
  return request;
}

Code code_of(int http_status, std::string_view reason) {
  switch (http_status) {
    case 401:
    case 403:
      return Code::Denied;
    case 404:
    case 410:
      return Code::NotFound;
    case 409:
      return reason == "AlreadyExists" ? Code::Exists : Code::Conflict;
    case 429:
      return Code::Retry;
    case 504:
      return Code::Timeout;
    default:
      return http_status >= 500 ? Code::Retry : Code::Invalid;
  }
}

bool is_refusal(int http_status) {
  switch (http_status) {
    case 401:  // a token that is being renewed
    case 409:
    case 429:
      return false;
    default:
      // 500 is its answer when an admission webhook fails.
      return http_status >= 400 && http_status <= 500;
  }
}

}  // namespace troupe::k8s
