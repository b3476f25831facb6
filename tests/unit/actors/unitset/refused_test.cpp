// What the API server refuses to a set and to its Units, and what its Units cannot read.
#include "tests/unit/actors/unitset/set_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitSetRefused : public UnitSetTest {
 protected:
  void unit_says(const std::string& unit, std::string_view status, std::string_view reason,
                 std::string_view message = "refused: the Pod") {
    cluster.edit<k8s::Unit>(unit, fmt::format(R"({{"status": {{"conditions": [
        {{"type": "Reconciled", "status": "{}", "reason": "{}", "message": "{}"}}]}}}})",
                                              status, reason, message));
  }
};

TEST_F(UnitSetRefused, AWriteOfItsOwnIsNamed) {
  cluster.admission = [](const Effect& e) -> std::optional<Error> {
    if (!e.key.starts_with("apply Unit ")) return {};
    return error(Code::Denied, "apply Unit prod/x: HTTP 403: exceeded quota");
  };
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("False WriteRefused: refused: apply Unit"));
}

TEST_F(UnitSetRefused, WhatHoldsItsUnitsBackIsItsOwnTrouble) {
  make_all_ready();
  unit_says("db-1", "False", "WriteRefused");
  set.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False WriteRefused: 1 of 3 Units is held back; db-1: WriteRefused: refused: the Pod");
  unit_says("db-0", "False", "WriteRefused");
  set.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False WriteRefused: 2 of 3 Units are held back; db-0: WriteRefused: refused: the Pod");
  for (const auto* unit : {"db-0", "db-1"}) unit_says(unit, "True", "AllApplied");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Normal AllApplied: WriteRefused is over")));
}

TEST_F(UnitSetRefused, ASecretThatItsUnitsCannotReadIsToldOnceForAllOfThem) {
  make_all_ready();
  const auto text = "Secret users, key root does not decrypt to a text";
  for (const auto* unit : {"db-2", "db-0", "db-1"}) {
    unit_says(unit, "False", "CredentialsInvalid", text);
    set.settle();
    EXPECT_EQ(condition("Reconciled"), fmt::format("False CredentialsInvalid: {}", text));
  }
  EXPECT_THAT(cluster.events(),
              Contains(fmt::format("Warning CredentialsInvalid: {}", text)).Times(1));
  for (const auto* unit : {"db-0", "db-1", "db-2"}) unit_says(unit, "True", "AllApplied");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("CredentialsInvalid is over")));
}

TEST_F(UnitSetRefused, ASecretThatItsUnitsLackIsTold) {
  make_all_ready();
  unit_says("db-1", "False", "CredentialsMissing", "Secret aes-secret-key does not exist");
  set.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False CredentialsMissing: Secret aes-secret-key does not exist");
}

TEST_F(UnitSetRefused, AUnitThatHandsItsRoleOverIsNotHeldBack) {
  make_all_ready();
  unit_says("db-1", "False", "HandsOverFirst");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
}

TEST_F(UnitSetRefused, OfDifferentTroublesTheFirstUnitsIsTold) {
  make_all_ready();
  unit_says("db-2", "False", "PodUnscheduled", "no node");
  unit_says("db-1", "False", "StorageClassMissing", "StorageClass fast does not exist");
  set.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False StorageClassMissing: 2 of 3 Units are held back; db-1: StorageClassMissing: "
            "StorageClass fast does not exist");
}

}  // namespace
}  // namespace troupe::actors
