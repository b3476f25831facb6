// Objects as JSON, the way an API server changes and shows them.
#pragma once

#include <boost/json.hpp>
#include <string_view>

#include "k8s/api/snapshot.hpp"

namespace troupe::actors {

// A JSON merge patch (RFC 7386): objects are merged, everything else is replaced, null removes.
void merge_patch(boost::json::object& into, const boost::json::object& patch);

// The object as actors see it. Throws where it is none of that kind: the test is wrong.
k8s::SnapshotPtr snapshot_of(const k8s::KindInfo& kind, const boost::json::object& json);

}  // namespace troupe::actors
