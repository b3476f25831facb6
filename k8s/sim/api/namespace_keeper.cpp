#include "k8s/sim/api/namespace_keeper.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kRootCa = "kube-root-ca.crt";

}  // namespace

NamespaceKeeper::NamespaceKeeper(Core& core) : core_(core) {
  core_.store.subscribe([this](const Collection& collection, const Change& change) {
    const auto& object = change.object->object();
    if (collection.name() == "namespaces") {
      std::string name(name_of(object));
      if (change.type == ChangeType::Deleted) {
        terminating_.erase(name);
      } else {
        if (is_deleting(object)) terminating_.insert(name);
        dirty_.insert(std::move(name));
      }
      return;
    }
    const auto ns = namespace_of(object);
    if (change.type == ChangeType::Deleted && terminating_.contains(ns)) dirty_.emplace(ns);
  });
}

void NamespaceKeeper::work(Writer& writer, WallTime now) {
  for (const auto& name : std::exchange(dirty_, {})) {
    if (terminating_.contains(name)) {
      empty_out(name, writer, now);
    } else {
      furnish(name, writer, now);
    }
  }
}

void NamespaceKeeper::furnish(const std::string& name, Writer& writer, WallTime now) {
  const auto make = [&](const char* collection, std::string_view object_name, json::object object) {
    if (core_.find(collection, name, object_name) != nullptr) return;
    object["metadata"] = json::object{{"name", object_name}};
    // A namespace that is deleted at this moment refuses it, rightly.
    (void)writer.create({.type = core_.registry.find_collection(collection),
                         .ns = name,
                         .manager = "kube-controller-manager",
                         .now = now},
                        json::value(std::move(object)));
  };
  make("serviceaccounts", "default", {});
  make("configmaps", kRootCa, {{"data", {{"ca.crt", core_.options.ca_certificate}}}});
}

void NamespaceKeeper::empty_out(const std::string& name, Writer& writer, WallTime now) {
  bool empty = true;
  for (const auto& type : std::vector<TypePtr>(core_.registry.types())) {
    const auto* collection = core_.store.find_collection(type->collection);
    if (!type->namespaced || collection == nullptr) continue;
    const auto content = collection->snapshot(name, "", core_.store.revision());
    for (const auto& object : *content) {
      if (is_deleting(object->object())) continue;
      const WriteRequest request{
          .type = type, .ns = name, .name = std::string(name_of(object->object())), .now = now};
      (void)writer.remove(request, {.propagation = "Background"});
    }
    empty &= collection->snapshot(name, "", core_.store.revision())->empty();
  }
  if (!empty) return;
  edit_stored(core_, "namespaces", name,
              [](json::object& object) { set_at(object, "spec.finalizers", json::array()); });
}

}  // namespace troupe::sim
