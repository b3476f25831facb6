// A MysqlReplication with its Units, Pods and Secrets as JSON documents, its servers, and what the
// kind decides on seeing them. Effects on objects can be carried out, so that a test can look at
// what comes after them.
//
//   auto scene = ReplicationScene::formed();
//   scene.settle();
//   EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/mysqlreplication/kind.hpp"
#include "tests/unit/actors/memory_cluster/decisions.hpp"
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::actors::testing {

using mysql_topology::testing::Servers;

class ReplicationScene {
 public:
  // db-0 is the source, the others follow it, and the status says so.
  static ReplicationScene formed(int count = 3);

  Decision decide();
  // Carries out every effect on objects; true if there was any.
  bool apply(const Decision& decision);
  // Decides and applies until nothing is written any more, and gives the last decision.
  Decision settle();

  boost::json::object& object() { return documents["MysqlReplication/db"]; }
  boost::json::object& spec() { return object()["spec"].as_object(); }
  // Whose the Unit is; empty: nobody's.
  std::string owner(std::string_view unit) const;
  void give_unit(std::string_view unit, std::string_view owner);
  // Another MysqlReplication.
  void add_replication(std::string_view name);
  // The resourceVersion of the MysqlReplication that was decided on last.
  std::uint64_t version_seen() const { return written_.at("MysqlReplication/db").resource_version; }
  boost::json::object& status() { return object()["status"].as_object(); }
  std::string pod_label(std::string_view pod, std::string_view label) const;
  // "False SourceDead": status and reason.
  std::string condition(std::string_view type);
  std::string condition_message(std::string_view type);
  // An annotation that names that Secret, with those keys in it.
  void take_data_from(std::string_view secret, const std::map<std::string, std::string>& keys);
  void set_password(std::string_view user, std::string_view plain, std::string_view aes_key);

  Servers servers;
  WallTime wall{std::chrono::seconds(1769860800)};       // 2026-01-31T12:00:00Z
  std::map<std::string, boost::json::object> documents;  // by "Kind/name"
  MysqlReplicationKind::Memory memory;
  std::vector<Refusal> refused;

 private:
  explicit ReplicationScene(int count);
  std::string label_of(const std::string& key, std::string_view label) const;
  void put(std::string_view kind, std::string_view name, boost::json::object rest);
  template <class T>
  k8s::ObjectPtr<T> get(std::string_view kind, const std::string& name) const;
  // Which writes `document` has gone through since it was looked at first; as an API server counts.
  void count_writes(const std::string& key, boost::json::object& document) const;
  Result<MysqlReplicationKind::Credentials> credentials() const;
  MysqlReplicationKind::World world() const;

  struct Written {
    boost::json::object document;
    std::uint64_t resource_version = 7, generation = 3;
  };
  mutable std::map<std::string, Written> written_;  // by key, as looked at last
};

inline constexpr std::string_view kAesKey = "0123456789abcdef0123456789abcdef";

}  // namespace troupe::actors::testing
