// Every change to a stored object that a client asks for: one pipeline for all kinds.
//
// decode strictly, prune, default -> split spec and status -> own fields -> complete by the kind's
// strategy -> validate -> store, unless nothing changed or it is a dry run. The kinds differ only
// by their ResourceType.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

// What to do about fields that the schema does not know.
enum class FieldValidation { Ignore, Warn, Strict };

struct WriteRequest {
  TypePtr type;
  std::string ns;
  std::string name;         // "" in a create
  std::string subresource;  // "", "status", or another that writes the object
  std::string manager;
  std::string user;
  bool dry_run = false;
  FieldValidation validation = FieldValidation::Warn;
  WallTime now;
};

struct WriteResult {
  ObjectPtr object;  // in the request's version
  bool created = false;
  std::vector<std::string> warnings;
};

struct DeleteRequest {
  std::optional<std::int64_t> grace_period_seconds;
  std::string uid;  // preconditions; empty: none
  std::string resource_version;
  std::string propagation;  // "", Background, Foreground, Orphan
  bool dry_run = false;     // as well as the request's own
};

struct DeleteResult {
  ObjectPtr object;
  bool gone = false;  // else it waits for its finalizers, its grace or its content
};

enum class PatchKind { Json, Merge, Strategic };

class Writer {
 public:
  explicit Writer(Core& core) : core_(core) {}

  ApiResult<WriteResult> create(const WriteRequest& request, json::value object);
  ApiResult<WriteResult> replace(const WriteRequest& request, json::value object);
  ApiResult<WriteResult> patch(const WriteRequest& request, PatchKind kind,
                               const json::value& patch);
  ApiResult<WriteResult> apply(const WriteRequest& request, const json::value& config, bool force);
  ApiResult<DeleteResult> remove(const WriteRequest& request, const DeleteRequest& options);

  // From the current object, in the request's version, to the wanted one.
  using Transform = std::function<ApiResult<json::value>(const json::value& current)>;
  // An update that a subresource makes of its main object.
  ApiResult<WriteResult> modify(const WriteRequest& request, const Transform& transform) {
    return update(request, Origin::Patch, transform);
  }

 private:
  enum class Origin { Put, Patch, Apply };

  // `applied`: where an apply leaves who owns what of its outcome.
  ApiResult<WriteResult> update(const WriteRequest& request, Origin origin,
                                const Transform& transform, const OwnersPtr* applied = nullptr);
  ApiResult<void> decode(const WriteRequest& request, Origin origin, json::value& object,
                         std::vector<std::string>& warnings) const;
  ApiResult<void> check_identity(const WriteRequest& request, json::object& object) const;
  ApiResult<void> check_namespace(const WriteRequest& request) const;
  ApiResult<void> complete(WriteScope& scope, json::value& object, const json::value* old) const;
  ApiResult<WriteResult> store_new(const WriteRequest& request, WriteScope& scope,
                                   json::value object, OwnersPtr owners);
  ObjectPtr store_update(const WriteRequest& request, const ObjectPtr& existing, json::value object,
                         OwnersPtr owners);
  DeleteResult begin_deletion(WriteScope& scope, const ObjectPtr& existing, json::object object,
                              std::int64_t grace, bool dry_run);
  WriteScope scope_of(const WriteRequest& request) const;

  Core& core_;
};

// For the server's own controllers (garbage collection, namespaces, CRDs): changes a stored object
// past the rules for clients. Removes it when that was the last thing its deletion waited for.
void edit_stored(Core& core, std::string_view collection, std::string_view key,
                 const std::function<void(json::object&)>& change);

// Whether a deletion that has begun is complete.
bool deletion_is_complete(const ResourceType& type, const json::object& object);

}  // namespace troupe::sim
