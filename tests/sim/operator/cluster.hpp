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
#include <set>
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
inline constexpr std::string_view kUnitSet = "db";
inline constexpr std::string_view kReplication = "db";
inline constexpr std::string_view kReplications = "mysqlreplications.upm.syntropycloud.io";
inline constexpr std::string_view kUnitSets = "unitsets.upm.syntropycloud.io";

WallTime wall_at(TimePoint now);
actors::Settings settings();

// A MysqlReplication as it is stored.
struct Stored {
  std::string spec_source;
  std::uint64_t epoch = 0;
  std::string current;
  std::string honored;
  std::string operation;  // type and step; empty: none
  std::string external;   // the Secret of the server that all data come from; empty: none
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

  // --- what a user does: members are those of the first so many servers
  struct Wanted {
    int units = 3;
    bool group = false;  // group_replication; else
    bool semi_sync = true;
    bool failover = true;
    bool keeps_volumes = true;  // of Units that are too many
    int source = 0;
    std::set<int> isolated;
    bool fed = false;  // by the Fleet's server outside
  };
  void apply_manifests(Wanted wanted);
  const Wanted& wanted() const { return wanted_; }
  void order_source(int member);
  void isolate(int member, bool isolated);
  void scale(int units);  // Units and members at once
  void change_template();
  void feed(bool fed);  // the annotation
  void stop_clustering(bool stop);
  void describe_outside(bool is);  // the Secret that says where the server outside is
  void add_rival();                // a second MysqlReplication of the same Units
  void remove_rival();
  bool has_rival() const;
  void delete_pod(int member, bool at_once);
  void take_unit(int member);  // its label is edited by hand
  // Units whose Pods are there, and labelled so at the API server.
  std::vector<std::string> labelled(std::string_view readonly) const;
  bool two_labelled_as_source() const;

  // --- what is stored
  const std::map<std::string, Stored>& replications() const { return replications_; }
  const Stored& replication() const;
  bool units_ready() const;
  // As it is specified, also where an update was under way.
  bool unit_set_settled() const { return unit_set_settled_; }

  // Whose address that is, or was in an earlier life.
  static int member_behind(const std::string& ip);
  // Which server has that address; nothing if its Pod is gone.
  std::optional<int> at_address(const std::string& ip) const;
  // Of servers outside, too.
  std::string host_of(int server) const;
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
  void unit_set_changed(sim::WatchEventType type, const boost::json::value& object);
  boost::json::object member_spec(int member) const;
  boost::json::object topology_spec() const;
  boost::json::value replication_object(std::string_view name) const;
  void annotate(std::string_view annotation, std::optional<std::string_view> value);
  void specify_topology();
  void specify_units(boost::json::object spec);

  Timeline& timeline_;
  Fleet& fleet_;
  Wanted wanted_;
  int template_changes_ = 0;
  sim::ApiServer api_;
  std::unique_ptr<sim::LocalClient> client_;
  std::vector<std::unique_ptr<sim::LocalWatch>> watches_;
  std::map<int, Pod> pods_;  // by server
  std::map<std::string, Stored> replications_;
  std::map<std::string, bool> units_;  // Ready
  bool unit_set_settled_ = false;
};

}  // namespace troupe::operator_sim
