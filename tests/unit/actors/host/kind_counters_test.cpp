// A kind counts what its objects come to show, each once; here a MysqlReplication, changes of roles
// that its status shows to have ended.
#include "actors/host/kind_counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <map>
#include <string>

#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::actors {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

k8s::SnapshotPtr with(k8s::Opt<k8s::ReplicationOperation> last) {
  k8s::MysqlReplication object;
  object.status.lastOperation = last;
  return k8s::snapshot_of(object).snapshot();
}

k8s::ReplicationOperation failover(k8s::Text id, k8s::OperationOutcome outcome) {
  return {.id = id, .type = k8s::OperationType::Failover, .outcome = outcome};
}

class KindCountersTest : public ::testing::Test {
 protected:
  void see(const k8s::SnapshotPtr& before, const k8s::SnapshotPtr& after) {
    counters_.see({k8s::ChangeType::Modified, before, after});
  }
  // Those that were: "Failover Succeeded".
  std::map<std::string, std::uint64_t> counted() const {
    std::map<std::string, std::uint64_t> out;
    counters_.each([&out](const KindCounter&, const KindCounter::Row& row, std::uint64_t count) {
      if (count > 0) out.emplace(row[0].second + " " + row[1].second, count);
    });
    return out;
  }

  KindCounters counters_{registered_kinds()};
  const k8s::SnapshotPtr none_ = with({});
  const k8s::SnapshotPtr first_ = with(failover("Failover-2", k8s::OperationOutcome::Succeeded));
  const k8s::SnapshotPtr second_ = with(failover("Failover-3", k8s::OperationOutcome::Undone));
};

TEST_F(KindCountersTest, EachTypeAndResultIsThereFromTheStart) {
  std::map<std::string, std::uint64_t> all;
  counters_.each([&all](const KindCounter&, const KindCounter::Row& row, std::uint64_t count) {
    all.emplace(row[0].second + " " + row[1].second, count);
  });
  constexpr auto kTypes =
      boost::mp11::mp_size<boost::describe::describe_enumerators<k8s::OperationType>>::value;
  constexpr auto kResults =
      boost::mp11::mp_size<boost::describe::describe_enumerators<k8s::OperationOutcome>>::value;
  EXPECT_THAT(all, SizeIs(kTypes * kResults));
  EXPECT_THAT(all, Each(Pair(testing::_, 0)));
}

TEST_F(KindCountersTest, AnOperationCountsOnceHoweverOftenItIsShown) {
  see(none_, first_);
  see(first_, first_);
  see(first_, second_);
  EXPECT_THAT(counted(), ElementsAre(Pair("Failover Succeeded", 1), Pair("Failover Undone", 1)));
}

TEST_F(KindCountersTest, WhatEndedBeforeTheFirstLookDoesNotCount) {
  counters_.see({k8s::ChangeType::Added, {}, first_});
  counters_.see({k8s::ChangeType::Deleted, first_, {}});
  EXPECT_THAT(counted(), IsEmpty());
}

}  // namespace
}  // namespace troupe::actors
