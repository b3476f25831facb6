// Who owns which field: managedFields and server-side apply.
//
// Does what the API server does with structured-merge-diff. Pure: the time is an argument. Field
// managers of different versions of a kind share one schema here, as there is no conversion that
// moves fields. Errors are Code::Invalid with the text for a 400 or 422.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/fields_set.hpp"
#include "k8s/sim/api/schema.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

struct FieldManagerRequest {
  std::string manager;      // ?fieldManager=, else the user agent up to its first '/'
  std::string api_version;  // "apps/v1": the version of the request's body
  std::string subresource;  // "", "status", "scale"
  WallTime now;
  // Fields that this endpoint resets and therefore nobody comes to own by it: {"status"} on the
  // main resource where there is a status subresource, {"spec"} on status. Dotted paths.
  std::vector<std::string> reset_fields;
};

// Who owns what of an object, as its managedFields say: to read them takes longer than most writes,
// so whoever writes the same object again hands over what the last write has given back.
struct ManagedEntry;
using ManagedEntries = std::vector<ManagedEntry>;
using OwnersPtr = std::shared_ptr<const ManagedEntries>;

struct ApplyConflict {
  std::string message;  // `conflict with "m1" using v1`
  std::string field;    // `.spec.template.spec.containers[name="main"].command`

  friend bool operator==(const ApplyConflict&, const ApplyConflict&) = default;
};

// The text of the 409: "Apply failed with 1 conflict: conflict with "m1": .spec.replicas".
std::string conflict_message(const std::vector<ApplyConflict>& conflicts);

struct ApplyOutcome {
  json::value object;  // with new managedFields; meaningless when there are conflicts
  OwnersPtr owners;    // which say this; null when there are conflicts
  std::vector<ApplyConflict> conflicts;
};

// Server-side apply of `config` (with apiVersion, kind, metadata.name) on `live`, null to create.
// The caller then sets system metadata, defaults, validates and stores. Refuses a config that
// carries managedFields or duplicates in a keyed list. `owners` are those of `live`; null: they are
// read from it.
Result<ApplyOutcome> apply(const json::value* live, const json::value& config,
                           const FieldManagerRequest& request, bool force, const Schema& schema,
                           const OwnersPtr& owners = nullptr);

// Create, update and the other patches: records in `updated` what it changed against `old`, null
// for a create. `updated` is defaulted already. managedFields in `updated` count as the client's
// word on the main resource: absent or unreadable means those of `old`, [] and [{}] reset, anything
// else replaces. `owners` are those of `old`; null: they are read from it. Gives back those of
// `updated`.
Result<OwnersPtr> track_update(const json::value* old, json::value& updated,
                               const FieldManagerRequest& request, const Schema& schema,
                               const OwnersPtr& owners = nullptr);

// Whether a write changes nothing: equal but for the times in managedFields (and the
// resourceVersion). Such a write stores nothing and the answer is `stored`.
bool is_noop(const json::value& stored, const json::value& updated);

// What `object` would own if applied: for tests and `kubectl get --show-managed-fields`.
FieldSet field_set_of(const json::value& object, const Schema& schema);

}  // namespace troupe::sim
