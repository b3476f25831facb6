// What an actor may look at while it builds its world: snapshots of objects, what gateways have
// observed, and which of its own writes are refused. Whatever it looks at wakes it when it changes;
// looking at something that does not exist counts, too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/external_source.hpp"
#include "actors/model/refusal.hpp"
#include "engines/agent/model/observation.hpp"
#include "engines/mysql/model/observation.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::actors {

// What the operator was told at its start; the same for all actors.
struct Settings {
  std::string operator_namespace = "troupe-system";  // templates are read from here
  std::string image = "troupe:latest";               // of the agent and its supervisor
  std::string cluster_domain = "cluster.local";
};

// A password in a user's Secret, and the key that it is encrypted with.
struct PasswordPlace {
  std::string_view ns;
  std::string_view secret, user;  // the user is the key of the entry
  std::string_view aes_secret, aes_key;
};

class Sight {
 public:
  virtual ~Sight() = default;

  virtual k8s::SnapshotPtr object(k8s::KindId kind, std::string_view ns, std::string_view name) = 0;
  // Objects whose controller is the one with this uid, by name.
  virtual std::vector<k8s::SnapshotPtr> owned(k8s::KindId kind, std::string_view ns,
                                              std::string_view owner_uid) = 0;
  // Objects with that label, by name; the label is one of those the store indexes.
  virtual std::vector<k8s::SnapshotPtr> labelled(k8s::KindId kind, std::string_view ns,
                                                 std::string_view label,
                                                 std::string_view value) = 0;
  // In all namespaces, by namespace and name.
  virtual std::vector<k8s::SnapshotPtr> all(k8s::KindId kind) = 0;
  // Null: nothing was observed of that endpoint yet.
  virtual std::shared_ptr<const mysql::ProbeOutcome> probe(const mysql::EndpointId& id) = 0;
  virtual std::shared_ptr<const agent::AgentObservation> agent(const std::string& endpoint) = 0;
  // Decrypted; errors name the Secret and the key (credentials.hpp).
  virtual Result<Secret> password(const PasswordPlace& place);
  virtual Result<ExternalSource> external_source(std::string_view ns, std::string_view secret);
  // By key; hold_refused() makes guards of them.
  virtual std::vector<Refusal> refused() const = 0;
  virtual WallTime wall() const = 0;
  virtual const Settings& settings() const = 0;

  template <k8s::KindStruct T>
  k8s::ObjectPtr<T> get(std::string_view ns, std::string_view name) {
    return k8s::as<T>(object(k8s::kKindId<T>, ns, name));
  }
  template <k8s::KindStruct T>
  std::vector<k8s::ObjectPtr<T>> owned_by(std::string_view ns, std::string_view owner_uid) {
    return typed<T>(owned(k8s::kKindId<T>, ns, owner_uid));
  }
  template <k8s::KindStruct T>
  std::vector<k8s::ObjectPtr<T>> labelled(std::string_view ns, std::string_view label,
                                          std::string_view value) {
    return typed<T>(labelled(k8s::kKindId<T>, ns, label, value));
  }
  template <k8s::KindStruct T>
  std::vector<k8s::ObjectPtr<T>> all() {
    return typed<T>(all(k8s::kKindId<T>));
  }

 private:
  template <k8s::KindStruct T>
  static std::vector<k8s::ObjectPtr<T>> typed(std::vector<k8s::SnapshotPtr> snapshots) {
    std::vector<k8s::ObjectPtr<T>> out;
    for (auto& s : snapshots)
      if (auto object = k8s::as<T>(std::move(s))) out.push_back(std::move(object));
    return out;
  }
};

}  // namespace troupe::actors
