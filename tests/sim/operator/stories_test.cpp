// What the engine alone does not decide, told of the whole operator. Ids are those of
// docs/acceptance.md.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "actors/host/registry.hpp"
#include "tests/sim/mysql/judge.hpp"
#include "tests/sim/operator/cluster.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {
namespace {

using mysql_topology::sim::Judge;
using sim::Invariant;
using std::chrono::minutes;
using std::chrono::seconds;

// Three members, one operator, and clients that write all the time.
class Stories : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr int kMembers = 3;

  static void SetUpTestSuite() { spdlog::set_level(spdlog::level::off); }

  void SetUp() override {
    fleet_.on_turn([this](int member) { process_->server_turned(member); });
    judge_.let_clients_write();
    cluster_.apply_manifests({});
    await([this] { return is_well(); });
  }
  void TearDown() override {
    const auto& broken = judge_.violation();
    EXPECT_FALSE(broken) << sim::to_string(broken->of) << ": " << broken->text;
  }

  bool is_well() const {
    const auto& r = cluster_.replication();
    return r.ready && r.operation.empty() && cluster_.units_ready();
  }
  void await(std::function<bool()> what) {
    judge_.await({.reached = std::move(what),
                  .state = [this] { return cluster_.replication().trouble; },
                  .within = minutes(2)},
                 Invariant::ItConverges);
  }
  void await_writes() {
    const auto enough = fleet_.acknowledged_writes() + 20;
    await([this, enough] { return fleet_.acknowledged_writes() >= enough; });
  }

  Timeline timeline_{GetParam(), false};
  Fleet fleet_{timeline_, {}, kMembers, Upkeep::OnOrder};
  Cluster cluster_{timeline_, fleet_, GetParam()};
  Judge judge_{timeline_, fleet_, [] {}};
  Machine machine_{kMembers};
  std::shared_ptr<Process> process_ =
      Process::start({timeline_, fleet_, cluster_}, machine_,
                     {.name = "operator", .seed = 1, .kinds = actors::registered_kinds()});
};

class A44 : public Stories {};

TEST_P(A44, WhileClusteringIsStoppedNobodyIsReplacedNorOpened) {
  const auto before = cluster_.replication();
  cluster_.stop_clustering(true);
  await([this] { return cluster_.replication().trouble.starts_with("ClusteringStopped"); });
  fleet_.kill(fleet_.index_of(before.current), seconds(1));
  const auto acknowledged = fleet_.acknowledged_writes();
  judge_.until(timeline_.now() + minutes(5));
  EXPECT_EQ(cluster_.replication().epoch, before.epoch);
  EXPECT_EQ(cluster_.replication().current, before.current);
  EXPECT_EQ(fleet_.acknowledged_writes(), acknowledged);
  cluster_.stop_clustering(false);
  await([this] { return is_well(); });
  await_writes();
}

INSTANTIATE_TEST_SUITE_P(Story, A44, ::testing::Range<std::uint64_t>(1, 6));

}  // namespace
}  // namespace troupe::operator_sim
