// What the API server knows about one version of one kind: data, and small strategies where data
// does not suffice. Built-in kinds are tables of these (builtin_*.cpp); a CustomResourceDefinition
// makes one for each version it serves.
//
// A ResourceType is immutable and shared; an updated CRD gets new ones, and whoever holds the old
// ones goes on with them. Hooks are called on the server's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/http.hpp"
#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/schema.hpp"
#include "k8s/sim/api/status.hpp"
#include "k8s/sim/api/store.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

struct Core;

// What a hook may use while an object is written.
struct WriteScope {
  Core& core;
  const ResourceType& type;
  WallTime now;
  std::string ns;
  std::string user;
  std::string subresource;
  bool dry_run = false;
  std::vector<std::string> warnings;  // become Warning headers
};

// A column of `kubectl get`. Priority 0 is always shown, higher ones with -o wide.
struct Column {
  std::string name;
  std::string type = "string";
  std::string format = {};
  std::string description = {};
  int priority = 0;
  std::function<json::value(const json::object& object, WallTime now)> cell;
};

// A value for a field that the client left out; set only where the parent exists. `[]` stands for
// each item of a list: "spec.containers[].ports[].protocol".
struct FieldDefault {
  std::string path;
  json::value value;
};

struct ScalePaths {
  std::string spec_replicas;
  std::string status_replicas;
  std::string selector;  // a string, or a LabelSelector; empty: none
};

enum class NameRule { DnsSubdomain, DnsLabel, PathSegment };

struct Strategy {
  // Turns an object of another version of the kind into this version's shape.
  std::function<void(json::object& object, const ResourceType& from)> adopt;
  // Moves what is only ever written (a Secret's stringData) to where it is kept, before anybody is
  // noted as the owner of a field.
  std::function<void(json::object& object)> read;
  // Completes an object before it is validated; `old` is null on create.
  std::function<ApiResult<void>(WriteScope&, json::object& object, const json::object* old)>
      prepare;
  std::function<void(const WriteScope&, const json::object& object, const json::object* old,
                     std::vector<FieldError>&)>
      validate;
  // Seconds of grace that a deletion gets; 0 removes at once.
  std::function<std::int64_t(const json::object& object, std::optional<std::int64_t> wanted)> grace;
  // Marks an object whose deletion begins (a namespace's phase, for one).
  std::function<void(WriteScope&, json::object& object)> begin_deletion;
  // Whether a deleted object must stay, beside its finalizers and its grace.
  std::function<bool(const json::object& object)> holds_deletion;
  // Stands in for storage: reviews are answered, not kept.
  std::function<ApiResult<json::object>(WriteScope&, json::object object)> answer;
};

struct SubresourceCall;

struct Subresource {
  std::string name;
  std::string group;  // of the kind that it takes and gives
  std::string version;
  std::string kind;
  std::vector<std::string> verbs;
  // Null for status and scale, which work alike for all kinds, and for what the node serves.
  std::function<ApiResult<Response>(SubresourceCall&)> handle;
};

struct ResourceType {
  std::string group;
  std::string version;
  std::string kind;
  std::string plural;
  std::string singular;
  std::vector<std::string> short_names = {};
  std::vector<std::string> categories = {};
  bool namespaced = true;
  bool custom = false;
  // Empty: all. Otherwise what discovery shows and the server allows.
  std::vector<std::string> verbs = {};

  // Where the objects are; versions and groups that show the same objects name the same one.
  std::string collection = {};

  std::optional<Schema> schema = {};
  bool preserve_unknown = false;          // nothing is pruned
  json::value open_api_schema = nullptr;  // as the CRD gave it

  bool has_status = false;
  bool counts_generations = false;
  bool unconditional_update = true;
  bool create_on_update = false;
  bool returns_deleted = false;  // a delete answers with the object instead of a Status
  NameRule name_rule = NameRule::DnsSubdomain;
  std::optional<ScalePaths> scale = {};
  std::vector<std::string> selectable_fields = {};  // beside metadata.name and .namespace
  std::vector<FieldDefault> defaults = {};
  std::vector<Column> columns = {};
  std::vector<Subresource> subresources = {};
  Strategy strategy = {};

  ResourceName name() const { return {group, plural}; }
  std::string api_version() const { return sim::api_version(group, version); }
  bool allows(std::string_view verb) const;
  const Subresource* find_subresource(std::string_view subresource) const;
};

void apply_field_defaults(const std::vector<FieldDefault>& defaults, json::object& object);

// All types that are served now.
class Registry {
 public:
  void add(TypePtr type);
  void remove(const ResourceType& type);

  TypePtr find(std::string_view group, std::string_view version, std::string_view plural) const;
  TypePtr find_kind(std::string_view group, std::string_view version, std::string_view kind) const;
  // In the group's preferred version. `resource` as kubectl writes it: "pods",
  // "leases.coordination.k8s.io".
  TypePtr find_resource(std::string_view resource) const;
  TypePtr find_collection(std::string_view collection) const;

  const std::vector<TypePtr>& types() const { return types_; }
  // Raised by every add() and remove(): what is derived from the types is stale then.
  std::uint64_t generation() const { return generation_; }

 private:
  std::vector<TypePtr> types_;  // in the order of registration, preferred versions first
  std::uint64_t generation_ = 0;
};

}  // namespace troupe::sim
