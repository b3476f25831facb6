// A MysqlReplication of a simulated cluster as a judge sees it: through kubectl, the Services and
// the members themselves.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/kubectl.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::oracle {

// A member's Pod on the machine that runs it, as it was when it was looked at.
struct MemberPod {
  std::string name;
  std::string host;                       // its address; empty without one
  std::string interface;                  // this machine's end of its network; empty without one
  std::optional<pid_t> container;         // process 1 of its database's container
  std::optional<pid_t> database() const;  // that one's child
};

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
  std::int64_t epoch() const;  // status.epoch
  std::vector<std::string> members() const;
  bool is_replica(const std::string& member) const;  // by status.topology
  std::string wanted_source() const;                 // spec.source
  // The specification's: the first is its source, and one of them may be isolated.
  Ran list_members(const std::vector<std::string>& names, const std::string& isolated = {}) const;
  std::size_t counted() const;  // members in status.quorum
  int relied_on() const;        // acknowledgements by status.quorum
  // "KEY=VALUE", or "KEY-" to take it away.
  Ran annotate(const std::string& annotation) const;

  // An account that may write, made through the primary as a person would: kubectl exec, mysql.
  std::optional<std::string> make_writer_account() const;
  // That account, and its table, made through the Service.
  std::optional<std::string> prepare_writers() const;
  Address read_write() const;  // through the Service
  Address read_only() const;   // likewise
  Address member(const std::string& name) const;
  static Address address_of(const MemberPod& pod);
  std::string version() const;  // SELECT VERSION()
  // What a statement prints, as root in the member's container; empty if it fails.
  std::string query(const std::string& member, const std::string& statement) const;
  // Where clients have all connections: through the admin port, as the operator.
  std::string query_as_administrator(const std::string& member, const std::string& statement) const;

  // A shell's command in the member's database container.
  Ran run_in_container(const std::string& member, const std::string& command,
                       const std::string& input = {}) const;

  MemberPod pod(const std::string& name) const;
  // The database process of a member on this machine.
  std::optional<pid_t> database_process(const std::string& name) const {
    return pod(name).database();
  }
  // At one moment.
  struct Situation {
    std::string source;                     // status.currentSource
    std::map<std::string, MemberPod> pods;  // of its namespace, by their names
  };
  Situation situation() const;

 private:
  Address service(const std::string& suffix) const;
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
