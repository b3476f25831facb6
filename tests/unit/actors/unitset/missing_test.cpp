// Objects that a set is told to use and that do not exist: named, never made, waited for.
#include "tests/unit/actors/unitset/set_fixture.hpp"

namespace troupe::actors {
namespace {

using ::testing::SizeIs;

class UnitSetMissing : public UnitSetTest {
 protected:
  // It is told to the user, nothing is half made, and it mends by itself.
  template <class Appear>
  void expect_waits_for(const std::string& rule, const std::string& name, Appear appear) {
    set.settle();
    EXPECT_THAT(cluster.names<k8s::Unit>(), IsEmpty());
    EXPECT_THAT(condition("Reconciled"), HasSubstr("False " + rule + ": "));
    EXPECT_THAT(condition("Reconciled"), HasSubstr(name));
    EXPECT_THAT(cluster.events(), Contains(AllOf(HasSubstr("Warning " + rule), HasSubstr(name))));
    appear();
    set.settle();
    EXPECT_THAT(cluster.names<k8s::Unit>(), SizeIs(3));
    EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
  }
};

TEST_F(UnitSetMissing, PodTemplateOfTheVersion) {
  cluster.remove<k8s::PodTemplate>("mysql-community-8.0.41", kOperatorNs);
  expect_waits_for("PodTemplateMissing", "PodTemplate troupe-system/mysql-community-8.0.41",
                   [this] { install_templates("8.0.41"); });
}

TEST_F(UnitSetMissing, ConfigurationTemplateOfTheVersion) {
  cluster.remove<k8s::ConfigMap>("mysql-community-8.0.41-config-template", kOperatorNs);
  expect_waits_for("ConfigTemplateMissing",
                   "ConfigMap troupe-system/mysql-community-8.0.41-config-template",
                   [this] { install_templates("8.0.41"); });
}

TEST_F(UnitSetMissing, ConfigurationValuesOfTheVersion) {
  cluster.remove<k8s::ConfigMap>("mysql-community-8.0.41-config-value", kOperatorNs);
  expect_waits_for("ConfigValuesMissing",
                   "ConfigMap troupe-system/mysql-community-8.0.41-config-value",
                   [this] { install_templates("8.0.41"); });
}

TEST_F(UnitSetMissing, SharedConfigMap) {
  spec(R"({"sharedConfigName": "shared"})");
  expect_waits_for("SharedConfigMissing", "ConfigMap prod/shared (spec.sharedConfigName)",
                   [this] { cluster.put<k8s::ConfigMap>("shared"); });
}

TEST_F(UnitSetMissing, Secret) {
  spec(R"({"secret": {"name": "users", "mountPath": "/S"}})");
  expect_waits_for("SecretMissing", "Secret prod/users (spec.secret.name)",
                   [this] { cluster.put<k8s::SecretObject>("users"); });
}

TEST_F(UnitSetMissing, CertificateAuthority) {
  spec(R"({"certificateSecret": {"name": "ca"}})");
  expect_waits_for("SecretMissing", "Secret prod/ca (spec.certificateSecret.name)",
                   [this] { cluster.put<k8s::SecretObject>("ca"); });
}

TEST_F(UnitSetMissing, ContainerOfTheDatabaseInTheTemplate) {
  spec(R"({"type": "postgresql"})");
  for (const auto suffix : {"", "-config-template", "-config-value"}) {
    const auto name = std::string("postgresql-community-8.0.41") + suffix;
    if (*suffix)
      cluster.put<k8s::ConfigMap>(name, "{}", kOperatorNs);
    else
      cluster.put<k8s::PodTemplate>(
          name, R"({"template": {"spec": {"containers": [{"name": "mysql"}]}}})", kOperatorNs);
  }
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("has no container named postgresql"));
}

TEST_F(UnitSetMissing, SeveralAreNamedAtOnceAndANewOneIsToldAgain) {
  spec(R"({"sharedConfigName": "shared", "secret": {"name": "users", "mountPath": "/S"}})");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), AllOf(HasSubstr("prod/shared"), HasSubstr("prod/users")));
  cluster.put<k8s::ConfigMap>("shared");
  spec(R"({"secret": {"name": "other"}})");
  set.settle();
  EXPECT_THAT(cluster.events(), Contains("Warning SecretMissing: Secret prod/other "
                                         "(spec.secret.name) does not exist"));
}

TEST_F(UnitSetMissing, TemplatesThatGoAwayLaterAreReplacedByTheCopies) {
  make_all_ready();
  cluster.remove<k8s::PodTemplate>("mysql-community-8.0.41", kOperatorNs);
  for (const auto suffix : {"-config-template", "-config-value"})
    cluster.remove<k8s::ConfigMap>(std::string("mysql-community-8.0.41") + suffix, kOperatorNs);
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True"));
  spec(R"({"version": "8.0.42"})");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("PodTemplateMissing"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("mysql-community-8.0.42-config-template"));
}

}  // namespace
}  // namespace troupe::actors
