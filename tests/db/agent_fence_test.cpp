// A member that closes itself, and members that end, with a real mysqld: no client is told that a
// commit is done which nobody has acknowledged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>

#include "tests/db/agent_unit.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::agent::testing {
namespace {

using namespace std::chrono_literals;
using mysql::testing::Client;
using support::eventually;
using ::testing::HasSubstr;

std::vector<std::string> limits(std::chrono::milliseconds lease,
                                std::chrono::milliseconds shortage) {
  return {"TROUPE_FENCE_LEASE_MS=" + std::to_string(lease.count()),
          "TROUPE_FENCE_SHORTAGE_MS=" + std::to_string(shortage.count())};
}

// A source of one replica, whose commits wait for it. Nobody renews its lease, which is over.
class SelfFenceOf : public ::testing::Test {
 protected:
  explicit SelfFenceOf(std::chrono::milliseconds lease = 500ms)
      : source("db-0", limits(lease, 300ms)) {
    for (auto* unit : {&source, &replica}) unit->bring_up();
    source.must<Promoted>({1}, Promote{.acks = 1});
    replica.must<Following>({1}, Follow{.source = source.as_source()});
    source.must<Opened>({1}, OpenForWrites{.acks = 1});
    Client(source.login()).run("CREATE DATABASE d");
    source.renew_leases(false);
  }

  void detach() { replica.must<ReceiverStopped>({1}, StopReceiver{}); }
  void attach() { replica.must<Following>({1}, Follow{.source = source.as_source()}); }

  // True: the client was told that it is done.
  void begin_commit() {
    commit = std::async(std::launch::async, [this] {
      return Client(source.login())
          .execute({mysql::testing::sql("CREATE DATABASE waiting")}, 60s)
          .has_value();
    });
  }
  bool commit_waits() {
    return eventually([this] { return source.semi_sync_source("wait_sessions") == "1"; });
  }
  bool becomes_fenced() const {
    return source.becomes([](const auto& now) { return now.fenced && !now.operation; }, 30s);
  }
  bool serves() const { return Client::try_connect(source.login()).has_value(); }
  pid_t database() const { return static_cast<pid_t>(source.seen()->process.pid); }
  bool runs_after(pid_t pid) const {
    return source.becomes([pid](const auto& now) {
      return now.process.state == ProcessState::Running && now.process.pid != pid;
    });
  }

  Unit source;
  Unit replica{"db-1"};
  std::future<bool> commit;
};

TEST_F(SelfFenceOf, A09ALonelySourceClosesItAndOnlyAnOrderOpensItAgain) {
  const auto pid = database();
  detach();
  ASSERT_TRUE(becomes_fenced());
  EXPECT_THAT(source.seen()->fenced->reason, HasSubstr("0 of 1 replicas"));
  EXPECT_FALSE(serves());
  EXPECT_EQ(database(), pid) << "nothing kept it from closing in peace";
  attach();
  EXPECT_TRUE(source.seen()->fenced) << "a replica that comes back opens nothing";
  source.must<Opened>({1}, OpenForWrites{.acks = 1});
  EXPECT_TRUE(source.becomes([](const auto& now) { return !now.fenced; }));
  Client(source.login()).run("CREATE DATABASE again");
}

TEST_F(SelfFenceOf, A12ASourceWhoseCommitsWaitKillsIt) {
  const auto pid = database();
  detach();
  begin_commit();
  ASSERT_TRUE(becomes_fenced());
  EXPECT_FALSE(commit.get()) << "the client was told OK";
  EXPECT_TRUE(runs_after(pid)) << "super_read_only cannot pass a commit that waits";
  EXPECT_FALSE(serves()) << "it boots closed";
}

TEST_F(SelfFenceOf, A49ASourceWithItsReplicaGoesOnWithoutAnOperator) {
  const auto until = std::chrono::steady_clock::now() + 4s;  // five times what it takes
  for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
    Client(source.login()).run("CREATE DATABASE IF NOT EXISTS d" + std::to_string(i % 10));
  }
  EXPECT_FALSE(source.seen()->fenced);
  detach();
  EXPECT_TRUE(becomes_fenced()) << "it was its replica that kept it open";
}

TEST_F(SelfFenceOf, AFencedMemberStaysSoWithANewAgentAndWhenOpenedByHand) {
  source.must<AccountsEnsured>(
      {}, EnsureAccounts{
              {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  detach();
  ASSERT_TRUE(becomes_fenced());
  const auto before = *source.seen();
  source.restart_agent();
  ASSERT_TRUE(source.becomes([&](const auto& now) {
    return now.connected() && now.boot_id != before.boot_id &&
           now.process.state == ProcessState::Running;
  }));
  EXPECT_EQ(source.seen()->fenced, before.fenced);
  Client(source.login("admin")).run("SET GLOBAL offline_mode = OFF");
  Client(source.login("admin")).run("SET GLOBAL read_only = OFF");
  EXPECT_TRUE(eventually([this] {
    try {
      Client admin(source.login("admin"));
      return admin.value("SELECT @@super_read_only + @@offline_mode") == "2";
    } catch (const std::runtime_error&) {
      return false;  // fencing cuts everybody's connection
    }
  }));
}

TEST_F(SelfFenceOf, A51AServerThatWasPausedIsFencedWhenItWakesUp) {
  const auto pid = database();
  begin_commit();
  ASSERT_TRUE(commit.get());
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  ASSERT_TRUE(source.becomes([](const auto& now) { return now.process.paused; }));
  detach();
  const auto until = std::chrono::steady_clock::now() + 2s;  // its lease is over, and the shortage
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_FALSE(source.seen()->fenced) << "who says nothing is not judged";
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  ASSERT_TRUE(becomes_fenced());
  EXPECT_FALSE(serves());
}

class SelfFenceWithALongLease : public SelfFenceOf {
 protected:
  SelfFenceWithALongLease() : SelfFenceOf(5000ms) { source.renew_leases(true); }
};

TEST_F(SelfFenceWithALongLease, A24DoesNotCloseWhatItsOperatorDirects) {
  detach();
  begin_commit();
  const auto waited = commit.wait_for(9s);
  EXPECT_EQ(waited, std::future_status::timeout) << "writes wait, and go on waiting";
  EXPECT_FALSE(source.seen()->fenced);
  source.renew_leases(false);
  ASSERT_TRUE(becomes_fenced()) << "it was the lease that kept it open";
  EXPECT_FALSE(commit.get());
}

// A source that is in nobody's way but whose commits wait.
class Ending : public SelfFenceOf {
 protected:
  Ending() : SelfFenceOf(600s) {
    detach();
    begin_commit();
  }
};

// A graceful shutdown of a source with too few replicas would switch semi-sync off.
TEST_F(Ending, A11AContainerThatWasToldToEndAcknowledgesNothing) {
  ASSERT_TRUE(commit_waits());
  source.end_container();
  ASSERT_TRUE(eventually(30s, [this] { return source.container_has_ended(); }));
  EXPECT_FALSE(commit.get()) << "the client was told OK";
}

TEST_F(Ending, A11AContainerWithoutAnAgentAcknowledgesNothing) {
  ASSERT_TRUE(commit_waits());
  source.kill_agent();
  source.end_container();
  ASSERT_TRUE(eventually(30s, [this] { return source.container_has_ended(); }));
  EXPECT_FALSE(commit.get()) << "the client was told OK";
}

TEST_F(Ending, A11AStoppedDatabaseAcknowledgesNothing) {
  ASSERT_TRUE(commit_waits());
  source.must<Done>({}, StopProcess{});
  EXPECT_FALSE(commit.get()) << "the client was told OK";
  EXPECT_EQ(source.seen()->process.state, ProcessState::Stopped);
}

}  // namespace
}  // namespace troupe::agent::testing
