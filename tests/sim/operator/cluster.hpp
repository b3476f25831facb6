// What is there beside the operator: the simulated API server, a kubelet that turns Pods into lives
// of the Fleet's servers, volumes that are bound, and what a user has applied.
//
// The kubelet is modelled: a Pod gets its node and its address after a while, is Ready while its
// server runs, and goes a while after it was deleted.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/model/sight.hpp"
#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/local_client.hpp"
#include "tests/sim/operator/network.hpp"

namespace troupe::operator_sim {

inline constexpr std::string_view kNs = "prod";
inline constexpr std::string_view kOperatorNs = "troupe-system";
inline constexpr std::string_view kReplication = "db";
inline constexpr std::string_view kReplications = "mysqlreplications.upm.syntropycloud.io";

WallTime wall_at(TimePoint now);
actors::Settings settings();

// A MysqlReplication as it is stored.
struct Stored {
  std::string spec_source;
  std::uint64_t epoch = 0;
  std::string current;
  std::string honored;
  std::string operation;  // type and step; empty: none
  bool ready = false;
  std::string trouble;  // the first guard
};

class Cluster {
 public:
  Cluster(Timeline& timeline, Fleet& fleet, std::uint64_t seed);

  sim::Response handle(const sim::Request& request);
  std::variant<sim::Response, std::unique_ptr<sim::WatchSession>> open_watch(
      const sim::Request& request, std::shared_ptr<sim::WatchSink> sink);
  void compact() { api_.compact(); }

  // --- what a user does
  void apply_manifests(int units, bool semi_sync, bool failover);
  void order_source(int member);
  void add_rival(int units);  // a second MysqlReplication of the same Units
  void remove_rival();
  bool has_rival() const;
  void delete_pod(int member, bool at_once);
  void take_unit(int member);  // its label is edited by hand
  // Units whose Pods are there, and labelled so at the API server.
  std::vector<std::string> labelled(std::string_view readonly) const;

  // --- what is stored
  const std::map<std::string, Stored>& replications() const { return replications_; }
  const Stored& replication() const;
  bool units_ready() const;

  // Which server has that address; nothing if its Pod is gone.
  std::optional<int> at_address(const std::string& ip) const;
  std::string host_of(int member) const;
  std::optional<int> by_host(std::string_view host) const;
  bool terminating(int member) const;

 private:
  struct Pod {
    std::string uid;
    std::string address;
    std::string readonly;  // the label
    bool deleting = false;
    bool ready = false;
    int life = 0;
  };

  void create(std::string_view resource, std::string_view ns, boost::json::value object);
  void apply_documents(const std::vector<boost::json::value>& documents);
  void watch();
  void tick();
  void pod_changed(sim::WatchEventType type, const boost::json::value& object);
  void run_pod(const std::string& name, const std::string& uid);
  void end_pod(const std::string& name, const std::string& uid, Duration after);
  void look_at_pods();
  void claim_changed(sim::WatchEventType type, const boost::json::value& object);
  void replication_changed(sim::WatchEventType type, const boost::json::value& object);
  void unit_changed(sim::WatchEventType type, const boost::json::value& object);
  boost::json::value replication_object(std::string_view name, int units) const;

  Timeline& timeline_;
  Fleet& fleet_;
  bool semi_sync_ = true;
  bool failover_ = true;
  sim::ApiServer api_;
  std::unique_ptr<sim::LocalClient> client_;
  std::vector<std::unique_ptr<sim::LocalWatch>> watches_;
  std::map<std::string, Pod> pods_;
  std::map<std::string, Stored> replications_;
  std::map<std::string, bool> units_;  // Ready
};

}  // namespace troupe::operator_sim
