// Where a member is by the specification, and whether anybody would find it there.
#include <gmock/gmock.h>

#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"
#include "tests/unit/actors/mysqlreplication/scene.hpp"

namespace troupe::actors::testing {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

// Pods as a UnitSet makes them: db-1 of headless Service "db-headless-svc" is at 10.0.0.2.
ReplicationScene scene_of_a_set() {
  auto scene = ReplicationScene::formed();
  for (const auto* name : {"db-0", "db-1", "db-2"})
    scene.documents.at(std::string("Pod/") + name)["spec"] = {{"hostname", name},
                                                              {"subdomain", "db-headless-svc"}};
  return scene;
}

json::value& host_of_replica(ReplicationScene& scene, std::size_t index) {
  return scene.spec()["replica"].as_array()[index].as_object()["host"];
}

// Of the replica db-1; that db-1 does not follow at another one's is not judged here.
std::string problem_of(std::string_view host) {
  auto scene = scene_of_a_set();
  host_of_replica(scene, 0) = host;
  for (const auto& guard : scene.decide().guards)
    if (guard.rule == "HostNotItsOwn") return guard.text;
  return {};
}

TEST(MemberHost, MayBeAnyThatLeadsToItsPodOrThatNothingIsKnownOf) {
  for (const auto* host :
       {"10.0.0.2", "db-1.db-headless-svc", "db-1.db-headless-svc.prod",
        "DB-1.db-headless-svc.prod", "db-1.db-headless-svc.prod.svc",
        "db-1.db-headless-svc.prod.svc.cluster.local",
        // The unit's own Service, others', and what lies outside.
        "db-1-svc", "db-1-svc.prod", "db-1-svc.prod.svc", "db-1-svc.prod.svc.cluster.local",
        "192.0.2.7", "db-1.example.com", "mysql.db-1.example.com"})
    EXPECT_EQ(problem_of(host), "") << host;
}

TEST(MemberHost, ThatIsMadeLikeAPodsNameHasToBeThatOfItsOwnPod) {
  for (const auto* host :
       {"db-11.db-headless-svc.prod", "typo.db.prod", "db-11.db-headless-svc",
        "db-1.db-headles-svc.prod", "db-1.db-headless-svc.prd", "typo.db-headless-svc.prod.svc",
        "typo.db-headless-svc.prod.svc.cluster.local"}) {
    const auto problem = problem_of(host);
    EXPECT_THAT(problem, HasSubstr(host));
    EXPECT_THAT(problem, HasSubstr("is no name of its Pod: expected db-1.db-headless-svc.prod"));
  }
}

TEST(MemberHost, IsNotThatOfAnother) {
  for (const auto* host : {"10.0.0.3", "db-2.db-headless-svc.prod", "db-2.db-headless-svc",
                           "db-2.db-headless-svc.prod.svc.cluster.local", "db-2.DB"})
    EXPECT_EQ(problem_of(host), std::string("the host of db-1, ") + host +
                                    ", is that of db-2: expected db-1.db-headless-svc.prod");
}

TEST(MemberHost, ThatIsWrongIsACondition) {
  auto scene = scene_of_a_set();
  scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
  host_of_replica(scene, 1) = "10.0.0.2";
  scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "False HostNotItsOwn");
  EXPECT_THAT(scene.condition_message("TopologyReady"),
              HasSubstr("the host of db-2, 10.0.0.2, is that of db-1"));
  EXPECT_EQ(scene.status()["ready"], json::value(false));
}

TEST(MemberHost, IsTheSameWithAndWithoutAFinalDot) {
  MemoryCluster cluster;
  cluster.put<k8s::MysqlReplication>("db", R"({"spec": {
    "source": {"name": "db-0", "host": "db-0.example.com.", "port": 3306},
    "replica": [{"name": "db-1", "host": "db-1.example.com.", "port": 3306},
                {"name": "db-2", "host": "db-1.example.com", "port": 3306}]}})");
  const auto world = MysqlReplicationKind::observe(ref<k8s::MysqlReplication>(kNs, "db"), cluster);
  EXPECT_EQ(world.nodes[0].host, "db-0.example.com");
  EXPECT_EQ(world.nodes[1].host, world.nodes[2].host);
}

}  // namespace
}  // namespace troupe::actors::testing
