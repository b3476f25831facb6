// Strategic merge patch, for built-in kinds only (custom resources answer it with 415).
//
// Merge keys and strategies come from the schema (x-kubernetes-patch-merge-key and -strategy).
// Knows $patch: replace|delete|merge, $setElementOrder/, $deleteFromPrimitiveList/, $retainKeys.
#pragma once

#include <boost/json.hpp>

#include "k8s/sim/api/schema.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// The patched copy of `original`. Errors are Code::Invalid: a list item without its merge key, an
// unknown directive.
Result<json::value> strategic_merge_patch(const json::value& original, const json::value& patch,
                                          const Schema& schema);

}  // namespace troupe::sim
