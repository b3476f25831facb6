// A MysqlReplication of a simulated cluster as a judge sees it: through kubectl, the Services and
// the members themselves.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/kubectl.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::oracle {

class MysqlCluster {
 public:
  // The sample's names are the default.
  explicit MysqlCluster(const Kubectl& kubectl, std::string ns = "default",
                        std::string replication = "mysql-cluster-replication");

  // Everything of the sample is up: the topology, its Units, and the UnitSets that have them.
  bool ready() const;
  // That, with one source, and every other member a replica that is ready.
  bool is_whole() const;
  // What is not ready, for people.
  std::string state() const;
  std::string source() const;  // status.currentSource
  std::vector<std::string> members() const;
  bool is_replica(const std::string& member) const;  // by status.topology

  // An account that may write, made through the primary as a person would: kubectl exec, mysql.
  std::optional<std::string> make_writer_account() const;
  // That account, and its table, made through the Service.
  std::optional<std::string> prepare_writers() const;
  Address read_write() const;  // through the Service
  Address member(const std::string& name) const;
  std::string version() const;  // SELECT VERSION()
  // What a statement prints, as root in the member's container; empty if it fails.
  std::string query(const std::string& member, const std::string& statement) const;
  // Where clients have all connections: through the admin port, as the operator.
  std::string query_as_administrator(const std::string& member, const std::string& statement) const;

  // The host's end of its Pod's network, and empty without one.
  std::string network_interface(const std::string& member) const;
  // The database process of a member on this machine: the child of its container's process 1.
  std::optional<pid_t> database_process(const std::string& name) const;

 private:
  boost::json::object object() const;
  // It, its Units and their UnitSets.
  boost::json::array objects() const;
  struct Account {
    std::string options;  // of the client: who it is, and how it comes to the server
    std::string password;
  };
  std::string mysql(const std::string& member, const std::string& sql, std::string* error,
                    const Account& as = {"-uroot", "Demo-root-password-1"}) const;

  const Kubectl& kubectl_;
  std::string ns_;
  std::string replication_;
};

}  // namespace troupe::oracle
