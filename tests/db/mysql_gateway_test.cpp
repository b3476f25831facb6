// The gateway against real servers: what a probe sees of a semi-synchronous pair, and how deaths,
// pauses and wrong credentials look.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "engines/mysql/gateway.hpp"
#include "runtime/clock.hpp"
#include "tests/db/mysqld.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::mysql {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Mysqld;
using testing::sql;
using OutcomePtr = std::shared_ptr<const ProbeOutcome>;

constexpr auto kPatience = 20s;

// A gateway on an io_context that the test turns until a condition holds.
class Watcher {
 public:
  explicit Watcher(GatewayOptions options = {100ms, 1s, 1s})
      : gateway_(io_.get_executor(), clock_, options,
                 [this](OutcomePtr outcome) { outcomes_.push_back(std::move(outcome)); }) {}

  Gateway& gateway() { return gateway_; }

  // The first outcome from now on that satisfies it; null after kPatience.
  OutcomePtr await(const std::function<bool(const ProbeOutcome&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      while (!outcomes_.empty()) {
        const auto outcome = outcomes_.front();
        outcomes_.pop_front();
        if (wanted(*outcome)) return outcome;
      }
      io_.run_one_for(1s);
    }
    return nullptr;
  }

  void turn_for(Duration time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) io_.run_one_for(10ms);
  }

  // The last outcome that nobody awaited yet.
  OutcomePtr newest() const { return outcomes_.empty() ? nullptr : outcomes_.back(); }

  OutcomePtr await(Reachability wanted) {
    return await([wanted](const ProbeOutcome& o) { return o.reachability == wanted; });
  }

  std::shared_ptr<const MemberObservation> await_member(
      const EndpointId& id, const std::function<bool(const MemberObservation&)>& wanted) {
    const auto outcome = await([&](const ProbeOutcome& o) {
      return o.ok() && o.endpoint == id && wanted(*o.observation);
    });
    return outcome ? outcome->observation : nullptr;
  }

  template <class T>
  T await_value(const std::optional<T>& value) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!value && std::chrono::steady_clock::now() < deadline) io_.run_one_for(1s);
    return value.value();
  }

 private:
  boost::asio::io_context io_;
  SystemClock clock_;
  std::deque<OutcomePtr> outcomes_;
  Gateway gateway_;
};

Endpoint endpoint(const Mysqld& server, std::string id) {
  return {EndpointId{std::move(id)}, server.admin_over_tls()};
}

// A source and a replica, semi-synchronous, one acknowledgement.
class SemiSyncPair {
 public:
  SemiSyncPair()
      : source_(1, {"--plugin-load-add=semisync_source.so"}),
        replica_(2, {"--plugin-load-add=semisync_replica.so"}) {
    Client source(source_.admin());
    source.run(create_user("repl", "%", Secret("repl-password")));
    const AccountPurpose purposes[] = {AccountPurpose::Replication};
    source.run(grant("repl", "%", purposes));
    source.run("CREATE DATABASE app");
    source.run("CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT)");
    source.run(enable_semi_sync_source(SemiSyncNames::New, 1));

    Client replica(replica_.admin());
    replica.run(set_super_read_only(true));
    SourceConfig config;
    config.host = "127.0.0.1";
    config.port = source_.port();
    config.user = "repl";
    config.password = Secret("repl-password");
    config.tls = SourceTls{};
    replica.run(change_source(DialectId::From8_2, config));
    replica.run(set_semi_sync_replica(SemiSyncNames::New, true));
    replica.run(start_replica(DialectId::From8_2));
  }
  Mysqld& source() { return source_; }
  Mysqld& replica() { return replica_; }

 private:
  Mysqld source_;
  Mysqld replica_;
};

TEST(MysqlGateway, SeesBothSidesOfASemiSynchronousPair) {
  SemiSyncPair pair;
  Watcher watcher;
  const EndpointId source_id{"source"}, replica_id{"replica"};
  watcher.gateway().set_members(
      {endpoint(pair.source(), "source"), endpoint(pair.replica(), "replica")});

  const auto source = watcher.await_member(source_id, [](const MemberObservation& member) {
    return member.semi_sync_source.clients == 1u;
  });
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->version.major, 9);
  EXPECT_EQ(source->dialect, DialectId::From8_2);
  EXPECT_EQ(source->server_id, 1u);
  EXPECT_FALSE(source->read_only);
  EXPECT_FALSE(source->replica.has_value());
  EXPECT_EQ(source->semi_sync_source.names, SemiSyncNames::New);
  EXPECT_EQ(source->semi_sync_source.enabled, true);
  EXPECT_EQ(source->semi_sync_source.active, true);
  EXPECT_EQ(source->semi_sync_source.timeout_ms, kSemiSyncTimeoutMs);
  EXPECT_EQ(source->semi_sync_source.wait_for_replica_count, 1u);
  EXPECT_EQ(source->semi_sync_source.wait_no_replica, true);
  EXPECT_EQ(source->semi_sync_source.wait_point, WaitPoint::AfterSync);
  EXPECT_EQ(source->semi_sync_source.wait_sessions, 0u);
  EXPECT_FALSE(source->semi_sync_replica.installed());
  EXPECT_EQ(source->durability.sync_binlog, 1u);
  EXPECT_EQ(source->durability.gtid_mode, true);
  ASSERT_EQ(source->attached.size(), 1u);
  EXPECT_EQ(source->attached[0].server_id, 2u);
  EXPECT_EQ(source->attached[0].host, "127.0.0.1");

  const auto replica = watcher.await_member(replica_id, [&](const MemberObservation& member) {
    return member.replica && member.replica->heartbeat_age &&
           member.gtid_executed == source->gtid_executed;
  });
  ASSERT_NE(replica, nullptr);
  EXPECT_TRUE(replica->super_read_only);
  EXPECT_EQ(replica->semi_sync_replica.enabled, true);
  EXPECT_EQ(replica->semi_sync_replica.active, true);
  EXPECT_EQ(replica->replica->source_uuid, source->server_uuid);
  EXPECT_EQ(replica->replica->source_port, pair.source().port());
  EXPECT_EQ(replica->replica->source_user, "repl");
  EXPECT_EQ(replica->replica->io, ThreadState::On);
  EXPECT_EQ(replica->replica->sql, ThreadState::On);
  EXPECT_TRUE(replica->replica->auto_position);
  EXPECT_EQ(replica->replica->seconds_behind, 0u);
  EXPECT_EQ(replica->position(), source->gtid_executed);
  EXPECT_LT(*replica->replica->heartbeat_age, 10s);
  EXPECT_EQ(source->attached[0].server_uuid, replica->server_uuid);
}

TEST(MysqlGateway, SeesCommitsThatWaitForAStoppedReplicaAndWritesResumeByThemselves) {
  SemiSyncPair pair;
  Watcher watcher;
  const EndpointId source_id{"source"};
  watcher.gateway().watch(endpoint(pair.source(), "source"));
  ASSERT_NE(watcher.await_member(source_id,
                                 [](const auto& m) { return m.semi_sync_source.clients == 1u; }),
            nullptr);

  pair.replica().signal(SIGSTOP);
  boost::asio::io_context io;
  Connection writer(io.get_executor());
  std::optional<bool> written;
  writer.connect(pair.source().admin(), 10s, [&](auto) {
    writer.execute({sql("INSERT INTO app.t VALUES ()")}, 60s,
                   [&](auto answers) { written = answers.has_value(); });
  });
  const auto blocked = watcher.await_member(source_id, [&](const auto& member) {
    io.poll();
    return member.semi_sync_source.wait_sessions.value_or(0) > 0;
  });
  ASSERT_NE(blocked, nullptr);
  EXPECT_FALSE(written.has_value());

  pair.replica().signal(SIGCONT);
  const auto resumed = watcher.await_member(source_id, [&](const auto& member) {
    io.poll();
    return member.semi_sync_source.wait_sessions == 0u && written.has_value();
  });
  ASSERT_NE(resumed, nullptr);
  EXPECT_EQ(written, true);
  EXPECT_GT(resumed->semi_sync_source.yes_tx, blocked->semi_sync_source.yes_tx);
}

TEST(MysqlGateway, ReportsTheHangupOfAKilledServerAndThenThatNobodyListens) {
  Mysqld server(1);
  Watcher watcher({1h, 5s, 5s});  // no probe of its own could see it in time
  watcher.gateway().watch(endpoint(server, "m"));
  const auto alive = watcher.await(Reachability::Ok);
  ASSERT_NE(alive, nullptr);
  server.kill();
  const auto reset = watcher.await(Reachability::Reset);
  ASSERT_NE(reset, nullptr);
  EXPECT_GT(reset->since, alive->since);
  EXPECT_EQ(reset->seen, alive->seen);
  ASSERT_NE(reset->observation, nullptr);
  const auto refused = watcher.await(Reachability::Refused);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(watcher.gateway().metrics().hangups, 1u);
}

TEST(MysqlGateway, APausedServerTimesOutAndIsFoundAgain) {
  Mysqld server(1);
  Watcher watcher({100ms, 300ms, 1s});
  watcher.gateway().watch(endpoint(server, "m"));
  ASSERT_NE(watcher.await(Reachability::Ok), nullptr);
  server.signal(SIGSTOP);
  const auto timeout = watcher.await(Reachability::Timeout);
  server.signal(SIGCONT);
  ASSERT_NE(timeout, nullptr);
  EXPECT_FALSE(is_alive(timeout->reachability));
  EXPECT_NE(watcher.await(Reachability::Ok), nullptr);
}

TEST(MysqlGateway, AnObservationIsAsOldAsTheQuestionHoweverLateTheAnswer) {
  Mysqld server(1);
  Watcher watcher({100ms, 5s, 1s});
  watcher.gateway().watch(endpoint(server, "m"));
  ASSERT_NE(watcher.await(Reachability::Ok), nullptr);
  server.signal(SIGSTOP);
  watcher.turn_for(500ms);  // a probe is sent by now
  const auto resumed = SystemClock().now();
  server.signal(SIGCONT);
  const auto late = watcher.await([resumed](const ProbeOutcome& o) {
    return o.ok() && o.seen > resumed && o.observation->seen < resumed;
  });
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->observation->answered(), late->seen);
}

TEST(MysqlGateway, WrongCredentialsAreNotADeath) {
  Mysqld server(1);
  Watcher watcher;
  auto wrong = endpoint(server, "m");
  wrong.login.password = Secret("wrong");
  watcher.gateway().watch(wrong);
  const auto denied = watcher.await(Reachability::AuthFailed);
  ASSERT_NE(denied, nullptr);
  EXPECT_EQ(denied->error_number, error_number::kAccessDenied);
  EXPECT_TRUE(is_alive(denied->reachability));
  EXPECT_EQ(denied->message.find("wrong"), std::string::npos);

  watcher.gateway().watch(endpoint(server, "m"));  // the password was corrected
  EXPECT_NE(watcher.await(Reachability::Ok), nullptr);
}

TEST(MysqlGateway, PrivilegesGrantedLaterCountByThemselves) {
  Mysqld server(1);
  Client admin(server.admin());
  admin.run(create_user("late", "%", Secret("late-password")));
  Watcher watcher;
  auto late = endpoint(server, "db-0");
  late.login.user = "late";
  late.login.password = Secret("late-password");
  watcher.gateway().watch(std::move(late));
  ASSERT_NE(watcher.await(Reachability::Failed), nullptr);
  const AccountPurpose purposes[] = {AccountPurpose::Probe};
  admin.run(grant("late", "%", purposes));
  EXPECT_NE(watcher.await(Reachability::Ok), nullptr);
}

TEST(MysqlGateway, A47ComesThroughTheAdminPortWhenAllConnectionsAreTaken) {
  const auto admin_port = testing::free_port();
  Mysqld server(1, {"--admin-address=127.0.0.1", "--admin-port=" + std::to_string(admin_port)});
  Client first(server.admin());
  ASSERT_TRUE(support::eventually([&] {  // the fixture's look at the port is still being ended
    return first.run(list_sessions({}, {})).empty();
  }));
  first.run("SET GLOBAL max_connections = 1");
  const Client second(server.admin());  // one beyond the maximum is kept for administrators
  Watcher watcher;
  auto crowded = endpoint(server, "m");
  watcher.gateway().watch(crowded);
  const auto overloaded = watcher.await(Reachability::Overloaded);
  ASSERT_NE(overloaded, nullptr);
  EXPECT_TRUE(is_alive(overloaded->reachability));

  Watcher of_no_admin_port;
  crowded.admin_port = testing::free_port();
  of_no_admin_port.gateway().watch(crowded);
  const auto first_seen = of_no_admin_port.await([](const ProbeOutcome&) { return true; });
  ASSERT_NE(first_seen, nullptr);
  EXPECT_EQ(first_seen->reachability, Reachability::Overloaded) << "it is full, and not away";

  crowded.admin_port = admin_port;
  watcher.gateway().watch(crowded);
  EXPECT_NE(watcher.await(Reachability::Ok), nullptr);
}

TEST(MysqlGateway, APluginInstalledLaterAppears) {
  Mysqld server(1);
  Watcher watcher;
  const EndpointId id{"m"};
  watcher.gateway().watch(endpoint(server, "m"));
  const auto before = watcher.await_member(id, [](const auto&) { return true; });
  ASSERT_NE(before, nullptr);
  EXPECT_FALSE(before->semi_sync_source.installed());
  EXPECT_FALSE(before->semi_sync_source.enabled.has_value());

  Client admin(server.admin());
  const auto& names = semi_sync_source_names(SemiSyncNames::New);
  admin.run(install_plugin(names.plugin, names.soname));
  admin.run(install_plugin("clone", "mysql_clone.so"));
  const auto after = watcher.await_member(
      id, [](const auto& member) { return member.semi_sync_source.installed(); });
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->semi_sync_source.enabled, false);

  admin.run(uninstall_plugin("clone"));  // a probe that names its table must recover
  EXPECT_NE(watcher.await_member(id, [](const auto& m) { return m.plugins.size() == 1; }), nullptr);
}

TEST(MysqlGateway, ClosesAMemberForWritingAndCutsItsSessions) {
  Mysqld server(1);
  Client admin(server.admin());
  admin.run("CREATE USER app@'%' IDENTIFIED BY 'app'");
  auto app_login = server.admin_over_tls();
  app_login.user = "app";
  app_login.password = Secret("app");
  Client app(app_login);

  Watcher watcher;
  const EndpointId id{"m"};
  watcher.gateway().watch(endpoint(server, "m"));
  ASSERT_NE(watcher.await(Reachability::Ok), nullptr);

  std::optional<KillOutcome> killed;
  watcher.gateway().kill_connections(id, {testing::kAdmin}, [&](auto outcome) {
    ASSERT_TRUE(outcome.has_value());
    killed = *outcome;
  });
  EXPECT_EQ(watcher.await_value(killed).killed, 1u);
  EXPECT_EQ(killed->left, 0u);
  EXPECT_FALSE(app.execute({sql("SELECT 1")}).has_value());

  std::optional<CloseOutcome> closed;
  watcher.gateway().close_member(id, {}, [&](const CloseOutcome& outcome) { closed = outcome; });
  const auto how = watcher.await_value(closed);
  EXPECT_TRUE(how.closed()) << how.failure->message;
  const auto after = watcher.await_member(
      id, [](const auto& member) { return member.super_read_only && member.offline_mode; });
  EXPECT_NE(after, nullptr);
  EXPECT_EQ(watcher.gateway().metrics().hangups, 0u);  // its own session was spared
}

TEST(MysqlGateway, ClosingDoesNotWaitForCommitsThatWaitForAcknowledgements) {
  Mysqld server(1, {"--plugin-load-add=semisync_source.so"});
  Client admin(server.admin());
  admin.run("CREATE DATABASE app");
  admin.run(enable_semi_sync_source(SemiSyncNames::New, 1));
  boost::asio::io_context io;
  Connection writer(io.get_executor());
  bool sent = false;
  writer.connect(server.admin(), 10s, [&](auto) {
    writer.execute({sql("CREATE TABLE app.t (id INT PRIMARY KEY)")}, 60s, [](auto) {});
    sent = true;
  });
  while (!sent) io.run_one();

  Watcher watcher({100ms, 2s, 500ms});
  const EndpointId id{"m"};
  watcher.gateway().watch(endpoint(server, "m"));
  ASSERT_NE(watcher.await_member(id,
                                 [&](const auto& m) {
                                   io.poll();
                                   return m.semi_sync_source.wait_sessions.value_or(0) > 0;
                                 }),
            nullptr);
  std::optional<CloseOutcome> closed;
  watcher.gateway().close_member(id, {}, [&](const CloseOutcome& outcome) { closed = outcome; });
  const auto outcome = watcher.await_value(closed);
  EXPECT_EQ(outcome.offline_mode, true);
  EXPECT_EQ(outcome.super_read_only, false);
  ASSERT_TRUE(outcome.failure.has_value());
  EXPECT_EQ(outcome.failure->reachability, Reachability::Timeout);
}

TEST(MysqlGateway, AnAskedForProbeIsAnsweredAfterWhatItSawIsKnown) {
  Mysqld server(1);
  Watcher watcher({.probe_period = 1h, .probe_deadline = 2s, .control_deadline = 1s});
  const EndpointId id{"db-0"};
  watcher.gateway().watch(endpoint(server, id.value));
  ASSERT_NE(watcher.await(Reachability::Ok), nullptr);
  Client(server.admin()).run(sql("CREATE DATABASE seen_by_the_next_probe"));

  std::optional<bool> fresh;
  watcher.gateway().probe_now(id, [&] {
    const auto outcome = watcher.newest();
    fresh = outcome && !outcome->observation->gtid_executed.empty();
  });
  EXPECT_TRUE(watcher.await_value(fresh)) << "the answer came before the observation";

  std::optional<bool> answered;
  watcher.gateway().probe_now(EndpointId{"nobody"}, [&] { answered = true; });
  EXPECT_TRUE(watcher.await_value(answered)) << "not watched: answered at once";

  std::optional<bool> ended;
  server.signal(SIGSTOP);  // the probe cannot end by itself soon
  watcher.gateway().probe_now(id, [&] { ended = true; });
  watcher.gateway().unwatch(id);
  EXPECT_TRUE(watcher.await_value(ended)) << "the watch ended under the probe";
  server.signal(SIGCONT);
}

TEST(MysqlGateway, NobodyIsCalledForAnEndpointThatIsNoLongerWatched) {
  Mysqld server(1);
  Watcher watcher;
  watcher.gateway().set_members({endpoint(server, "old")});
  ASSERT_NE(watcher.await(Reachability::Ok), nullptr);
  watcher.gateway().set_members({endpoint(server, "new")});
  const EndpointId fresh{"new"};
  ASSERT_NE(watcher.await([&](const auto& o) { return o.endpoint == fresh; }), nullptr);
  for (int i = 0; i < 3; ++i) {
    const auto outcome = watcher.await([](const auto&) { return true; });
    ASSERT_NE(outcome, nullptr);
    EXPECT_EQ(outcome->endpoint, fresh);
  }
  EXPECT_EQ(watcher.gateway().metrics().members, 1u);
  std::optional<CloseOutcome> closed;
  watcher.gateway().close_member(EndpointId{"old"}, {}, [&](const auto& o) { closed = o; });
  EXPECT_FALSE(watcher.await_value(closed).closed());
}

}  // namespace
}  // namespace troupe::mysql
