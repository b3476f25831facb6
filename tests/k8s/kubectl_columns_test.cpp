// What `kubectl get` shows of Troupe's own kinds, by the CRDs of config/crd.
#include <gmock/gmock.h>

#include "tests/k8s/kubectl_fixture.hpp"
#include "tests/support/tree.hpp"

namespace troupe::sim {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const std::string kCrds = support::in_tree("config/crd");

constexpr const char* kReplication = R"(
apiVersion: upm.syntropycloud.io/v1alpha1
kind: MysqlReplication
metadata: {name: m}
spec:
  mode: rpl_semi_sync
  secret: {name: s, mysql: root, replication: replication}
  source: {name: db-0, host: db-0, port: 3306}
  replica: [{name: db-1, host: db-1, port: 3306}]
)";
constexpr const char* kHeldBack =
    R"({"status":{"ready":false,"currentSource":"db-1","epoch":7,"conditions":[)"
    R"({"type":"TopologyReady","status":"False","reason":"QuorumMissing","message":"1-of-3",)"
    R"("lastTransitionTime":"2026-01-31T12:00:00Z"}]}})";

constexpr const char* kUnit = R"(
apiVersion: upm.syntropycloud.io/v1alpha2
kind: Unit
metadata: {name: db-0, labels: {troupe.dev/replication: m}}
spec: {startup: true, template: {spec: {containers: [{name: mysql, image: "i:1"}]}}}
)";
constexpr const char* kUnitSet = R"(
apiVersion: upm.syntropycloud.io/v1alpha2
kind: UnitSet
metadata: {name: db}
spec: {type: mysql, version: 9.7.4, edition: community, units: 3,
       secret: {mountPath: /SECRET, name: s}}
)";
constexpr const char* kNotReconciled =
    R"({"status":{"conditions":[{"type":"Reconciled","status":"False","reason":"SecretMissing",)"
    R"("message":"no-secret","lastTransitionTime":"2026-01-31T12:00:00Z"}]}})";

class OwnKindsTest : public KubectlTest {
 protected:
  void SetUp() override {
    KubectlTest::SetUp();
    ok(std::string("apply --server-side --force-conflicts -f ") + kCrds);
    ok(std::string("wait --for=condition=Established --timeout=20s -f ") + kCrds);
  }
  void set_status(std::string_view object, std::string_view patch) const {
    ok("patch " + std::string(object) + " --subresource=status --type=merge -p " +
       std::string(patch));
  }
};

TEST_F(OwnKindsTest, AReplicationShowsItsSourceAndWhatHoldsItBack) {
  ok("create -f -", kReplication);
  set_status("mr/m", kHeldBack);
  EXPECT_THAT(ok("get mr"), AllOf(ContainsRegex("READY +SOURCE +MODE +REASON +AGE"),
                                  ContainsRegex("false +db-1 +rpl_semi_sync +QuorumMissing"),
                                  Not(HasSubstr("EPOCH"))));
  EXPECT_THAT(ok("get mr -o wide"), AllOf(ContainsRegex("OPERATION +EPOCH +SERVICE +MESSAGE"),
                                          ContainsRegex(" 7 +1-of-3")));
}

TEST_F(OwnKindsTest, AUnitShowsWhatHoldsItBackAndWhoCommandsIt) {
  ok("create -f -", kUnit);
  set_status("un/db-0", kNotReconciled);
  EXPECT_THAT(ok("get un"),
              AllOf(ContainsRegex("PHASE +PROCESS STATE +NODE NAME +NODE READY +REASON +AGE"),
                    HasSubstr("SecretMissing")));
  EXPECT_THAT(ok("get un -o wide"),
              AllOf(HasSubstr("REPLICATION"), ContainsRegex("SecretMissing +m ")));
}

TEST_F(OwnKindsTest, AUnitSetShowsWhatHoldsItBack) {
  ok("create -f -", kUnitSet);
  set_status("us/db", kNotReconciled);
  EXPECT_THAT(ok("get us"), AllOf(ContainsRegex("EXPECTED +CURRENT +READY +REASON +AGE"),
                                  HasSubstr("SecretMissing")));
  EXPECT_THAT(ok("get us -o wide"), AllOf(ContainsRegex("TYPE +VERSION"), HasSubstr("IN UPDATE"),
                                          HasSubstr("no-secret")));
}

}  // namespace
}  // namespace troupe::sim
