// JSON patch (RFC 6902) and JSON merge patch (RFC 7386). Pure functions.
#pragma once

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

// A patch with more operations is refused, as by the real server.
inline constexpr std::size_t kMaxJsonPatchOperations = 10'000;

void merge_patch(json::value& target, const json::value& patch);

// 422 when an operation cannot be done or a test fails, 400 when the patch is no patch.
ApiResult<json::value> json_patch(const json::value& target, const json::value& patch);

}  // namespace troupe::sim
