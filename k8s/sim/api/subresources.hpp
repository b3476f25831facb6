// Subresources that are not the object itself: scale, eviction, binding, token, finalize.
#pragma once

#include "k8s/sim/api/request_info.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

struct SubresourceCall {
  Core& core;
  Writer& writer;
  const Request& request;
  const RequestInfo& info;
  WriteRequest write;  // names the main object; the subresource is that of the call
  json::value body;    // of POST and PUT
};

ApiResult<Response> handle_scale(SubresourceCall& call);
ApiResult<Response> evict_pod(SubresourceCall& call);
ApiResult<Response> bind_pod(SubresourceCall& call);
// What bind_pod() does, for the scheduler inside.
ApiResult<void> assign_pod(Core& core, const std::string& ns, const std::string& name,
                           const std::string& node, WallTime now, bool dry_run = false);
ApiResult<Response> finalize_namespace(SubresourceCall& call);

// {"kind": "Status", "status": "Success", ...}
json::object success_status(int code);
Response json_response(int status, const json::value& body);

}  // namespace troupe::sim
