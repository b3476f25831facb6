// A cluster in memory, for tables of decisions: objects as JSON, which a kind looks at and whose
// effects change them, with nothing in between.
//
//   MemoryCluster cluster;
//   cluster.put<k8s::UnitSet>("db", R"({"spec": {"units": 3, ...}})");
//   Subject<UnitSetKind> set(cluster, "db");
//   set.settle();
//   EXPECT_TRUE(cluster.has<k8s::Unit>("db-2"));
//
// It does what an API server does to what is applied (uid, generation, resourceVersion, fields of a
// manager that are applied no more, finalizers), and nothing that controllers do: Pods do not run,
// claims are not bound, until the test says so.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/decision.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/ledger.hpp"
#include "actors/model/sight.hpp"
#include "tests/unit/actors/memory_cluster/decisions.hpp"

namespace troupe::actors {

inline constexpr std::string_view kNs = "prod";
inline constexpr std::string_view kOperatorNs = "troupe-system";

class MemoryCluster final : public Sight {
 public:
  MemoryCluster();

  // Makes the object or writes over it; `text` holds what differs from an empty one.
  template <k8s::KindStruct T>
  void put(std::string_view name, std::string_view text = "{}", std::string_view ns = kNs) {
    k8s::kind_info<T>();  // so that it is found by its id
    auto object = skeleton<T>(ns, name);
    merge(object, boost::json::parse(text).as_object());
    write(ref<T>(ns, name), std::move(object));
  }
  // A JSON merge patch on what is there: null removes.
  template <k8s::KindStruct T>
  void edit(std::string_view name, std::string_view patch, std::string_view ns = kNs) {
    patch_object(ref<T>(ns, name), boost::json::parse(patch).as_object());
  }
  // As `kubectl delete`: an object with finalizers stays, and says since when it goes.
  template <k8s::KindStruct T>
  void remove(std::string_view name, std::string_view ns = kNs) {
    remove_object(ref<T>(ns, name));
  }
  template <k8s::KindStruct T>
  k8s::ObjectPtr<T> find(std::string_view name, std::string_view ns = kNs) {
    return get<T>(ns, name);
  }
  template <k8s::KindStruct T>
  bool has(std::string_view name, std::string_view ns = kNs) {
    return bool(find<T>(name, ns));
  }
  // A value of it by JSON pointer, as text: "/spec/units" is "3". Empty where there is none.
  template <k8s::KindStruct T>
  std::string at(std::string_view name, std::string_view pointer, std::string_view ns = kNs) const {
    return value_at(ref<T>(ns, name), pointer);
  }
  template <k8s::KindStruct T>
  boost::json::object json(std::string_view name, std::string_view ns = kNs) const {
    return objects_.at(ref<T>(ns, name)).json;
  }
  template <k8s::KindStruct T>
  std::vector<std::string> names() const {
    return names_of(k8s::kKindId<T>);
  }

  // What the agent of a Pod says; and the endpoint's id, as Sight asks for it.
  agent::AgentObservation& agent_of_pod(std::string_view pod);
  // Runs the Pod: it gets a node, an address, an agent that is connected to nothing yet done.
  void run_pod(std::string_view name, std::string_view node = "node-1", bool ready = true);

  // Carries an effect out. AskAgent does to the agent's observation what the agent would.
  void carry_out(const Effect& effect);

  // Asked before an effect is carried out: an error refuses it, as an API server would.
  std::function<std::optional<Error>(const Effect&)> admission;
  // What the subject that decides next has been refused; Sight shows it.
  void show(std::vector<Refusal> refused) { refused_ = std::move(refused); }

  // Another operator takes over, whose agents are of this image.
  void upgrade_operator(std::string image) { settings_.image = std::move(image); }

  const std::vector<std::string>& events() const { return events_; }
  // "stop", "Render": the commands that agents were sent.
  const std::vector<std::string>& asked() const { return asked_; }
  std::vector<agent::Action> actions;

  TimePoint now = TimePoint(std::chrono::hours(1));

  k8s::SnapshotPtr object(k8s::KindId kind, std::string_view ns, std::string_view name) override;
  std::vector<k8s::SnapshotPtr> owned(k8s::KindId kind, std::string_view ns,
                                      std::string_view owner_uid) override;
  using Sight::labelled;
  std::vector<k8s::SnapshotPtr> labelled(k8s::KindId kind, std::string_view ns,
                                         std::string_view label, std::string_view value) override;
  using Sight::all;
  std::vector<k8s::SnapshotPtr> all(k8s::KindId kind) override;
  std::shared_ptr<const mysql::ProbeOutcome> probe(const mysql::EndpointId&) override { return {}; }
  std::shared_ptr<const agent::AgentObservation> agent(const std::string& endpoint) override;
  std::vector<Refusal> refused() const override { return refused_; }
  WallTime wall() const override;
  const Settings& settings() const override { return settings_; }

 private:
  struct Held {
    boost::json::object json;
    k8s::SnapshotPtr snapshot;
    std::map<std::string, boost::json::object> applied;  // by field manager
  };

  static void merge(boost::json::object& into, const boost::json::object& from);
  void write(const ObjectRef& ref, boost::json::object json);
  void patch_object(const ObjectRef& ref, const boost::json::object& patch);
  void remove_object(const ObjectRef& ref);
  void apply(const Apply& a);
  void answer(const AskAgent& a);
  void issue(const ObjectRef& certificate);
  void trust(const ObjectRef& certificate);
  void store(const StoreAuthority& a);
  void advance(const AdvanceAuthority& a);
  void describe(const ObjectRef& authority, std::string_view signer, std::string_view trusted,
                std::string_view stage);
  std::string value_at(const ObjectRef& ref, std::string_view pointer) const;
  std::vector<std::string> names_of(k8s::KindId kind) const;

  Settings settings_;
  std::map<ObjectRef, Held> objects_;
  std::map<std::string, agent::AgentObservation> agents_;  // by endpoint
  std::vector<Refusal> refused_;
  std::uint64_t version_ = 0;
  int authorities_ = 0;   // made so far
  int certificates_ = 0;  // issued so far
  std::vector<std::string> events_;
  std::vector<std::string> asked_;
};

// One object under test, with its memory.
template <class Kind>
class Subject {
 public:
  Subject(MemoryCluster& cluster, std::string name)
      : Subject(cluster, ref<typename Kind::Object>(kNs, name)) {}
  Subject(MemoryCluster& cluster, ObjectRef self) : cluster_(cluster), self_(std::move(self)) {}

  // What it decides now; nothing is carried out.
  Decision decide() {
    cluster_.show(ledger_.refusals());
    const auto world = Kind::observe(self_, cluster_);
    return Kind::decide(world, memory, cluster_.now);
  }
  // Decides and carries out once; the decision.
  Decision step() {
    auto decision = decide();
    done_ = 0;
    for (const auto& effect : decision.effects) {
      EffectResult result;
      result.key = effect.key;
      result.fingerprint = fingerprint(effect);
      result.finished = cluster_.now;
      if (cluster_.admission) result.failed = cluster_.admission(effect);
      result.refused = result.failed.has_value();
      if (!result.refused) {
        cluster_.carry_out(effect);
        ++done_;
      }
      ledger_.finish(result, 0);
      Kind::fold(memory, result);
    }
    return decision;
  }
  // Until it asks for nothing more but what is refused: the last decision. An endless one fails the
  // test.
  Decision settle() {
    constexpr int kRounds = 20;
    for (int i = 0; i < kRounds; ++i)
      if (auto decision = step(); done_ == 0) return decision;
    ADD_FAILURE() << "still asks for " << ::testing::PrintToString(keys_of(decide()));
    return {};
  }

  typename Kind::Memory memory;

 private:
  MemoryCluster& cluster_;
  ObjectRef self_;
  Ledger ledger_;
  std::size_t done_ = 0;  // effects of the last step that were carried out
};

}  // namespace troupe::actors
