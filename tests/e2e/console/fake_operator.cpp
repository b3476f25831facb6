// An operator without a cluster, for the console's tests: real actors, history and endpoint; what
// the actors decide is made up.
//
//   fake_operator [--listen ADDR:PORT] [--actors N]
//
// prints its address once all actors have run. POST /test/failover plays a failover of MySQL in
// "shop/orders": one chain from the death of the primary's process over four actors.
#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "runtime/actors.hpp"
#include "runtime/clock.hpp"
#include "runtime/console/api.hpp"
#include "runtime/console/page.hpp"
#include "runtime/http_probes.hpp"
#include "runtime/http_server.hpp"
#include "runtime/metrics.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What an actor is told to do; travels as its cause's subject.
struct Beat {
  std::string cause;
  std::string doing;
  std::vector<Guard> guards = {};
  std::vector<Record::EffectText> effects = {};
  std::string fault = {};
};

std::string text_of(const Cause& cause) {
  return static_cast<const Beat*>(cause.subject.get())->cause;
}

Cause to_cause(CauseType type, CausalId chain, TimePoint at, Beat beat) {
  Cause cause;
  cause.type = type;
  cause.id = chain;
  cause.at = at;
  cause.subject = std::make_shared<const Beat>(std::move(beat));
  cause.describe = text_of;
  return cause;
}

// Plays the newest beat it was given. One that breaks it does so at every run until it is released
// by hand.
class Player final : public Logic {
 public:
  explicit Player(std::string state) : state_(std::move(state)) {}

  void absorb(std::span<const Cause>, TimePoint) noexcept override {}
  Outcome run(std::span<const Cause> causes, TimePoint) override {
    Outcome outcome;
    for (const auto& cause : causes) {
      outcome.id = cause.id;
      if (cause.type == CauseType::Manual) broken_.clear();
      if (cause.describe != text_of) continue;
      const auto& beat = *static_cast<const Beat*>(cause.subject.get());
      broken_ = beat.fault;
      outcome.doing = beat.doing;
      outcome.guards = beat.guards;
      outcome.effects = beat.effects;
    }
    if (!broken_.empty()) throw std::runtime_error(broken_);
    return outcome;
  }
  void faulted(const std::string&, bool, CausalId) noexcept override {}
  std::string state_json() const override { return state_; }

 private:
  std::string state_;
  std::string broken_;
};

// The three members of shop/orders and what manages them.
struct Cluster {
  ActorId set, replication, db0, db1, db2;
};

struct Step {
  Duration after;  // the step before
  ActorId actor;
  CauseType type;
  Beat beat;
};

class Theatre {
 public:
  Theatre(Actors& actors, const Clock& clock, http::Schedule schedule)
      : actors_(actors), clock_(clock), schedule_(std::move(schedule)) {}

  ActorId hire(std::string kind, std::string name, std::string state) {
    return actors_.spawn(std::move(kind), std::move(name),
                         [&](ActorId) { return std::make_unique<Player>(std::move(state)); });
  }
  void tell(ActorId actor, CauseType type, Beat beat) {
    actors_.wake(actor, to_cause(type, actors_.next_causal_id(), clock_.now(), std::move(beat)));
  }
  // All steps under one chain.
  void play(std::vector<Step> steps) {
    const auto chain = actors_.next_causal_id();
    Duration at{};
    for (auto& step : steps) {
      at += step.after;
      schedule_(at, [this, chain, step = std::move(step)] {
        actors_.wake(step.actor, to_cause(step.type, chain, clock_.now(), step.beat));
      });
    }
  }
  Guard guard(std::string rule, std::string text, Duration held) const {
    return {std::move(rule), std::move(text), clock_.now() - held};
  }

 private:
  Actors& actors_;
  const Clock& clock_;
  http::Schedule schedule_;
};

constexpr const char* kReplicationState = R"({
  "epoch": 5, "source": "orders-1", "mode": "rpl_semi_sync",
  "members": {
    "orders-0": {"role": "lost", "seen": "1.2s ago", "gtid": "3E11FA47:1-88213"},
    "orders-1": {"role": "source", "seen": "40ms ago", "gtid": "3E11FA47:1-88213,9A02C1D0:1-412",
                 "semiSyncClients": 1},
    "orders-2": {"role": "replica", "seen": "38ms ago", "gtid": "3E11FA47:1-88213,9A02C1D0:1-412",
                 "lagSeconds": 0, "follows": "orders-1"}},
  "quorum": {"members": 3, "needed": 2, "agree": ["orders-1", "orders-2"]},
  "operation": null, "isolated": []})";

constexpr const char* kUnitState = R"({
  "pod": {"name": "orders-0", "uid": "0b4d", "ip": "10.1.0.7", "ready": true},
  "process": {"pid": 4711, "running": true, "restarts": 1},
  "config": {"revision": "7f3a", "synced": true}, "agent": {"connected": true, "epoch": 5}})";

Cluster open_shop(Theatre& t) {
  Cluster c;
  c.set = t.hire("unitset", "shop/orders", R"({"replicas": 3, "ready": 3})");
  c.replication = t.hire("mysqlreplication", "shop/orders", kReplicationState);
  c.db0 = t.hire("unit", "shop/orders-0", kUnitState);
  c.db1 = t.hire("unit", "shop/orders-1", kUnitState);
  c.db2 = t.hire("unit", "shop/orders-2", kUnitState);
  t.tell(c.set, CauseType::Watch,
         {"UnitSet shop/orders changed",
          "keeping 3 units",
          {},
          {{"apply Service shop/orders-readwrite", ""}}});
  t.tell(c.replication, CauseType::Observation,
         {"orders-0 is writable, two replicas follow", "watching the source orders-0", {}, {}});
  for (const auto db : {c.db0, c.db1, c.db2})
    t.tell(db, CauseType::Watch, {"Pod is ready", "serving", {}, {}});
  return c;
}

std::vector<Step> failover(const Theatre& t, const Cluster& c) {
  using Type = CauseType;
  const milliseconds none(0);
  return {
      {none,
       c.db0,
       Type::Observation,
       {"process died: mysqld of orders-0, signal 9",
        "telling the topology, then starting it again",
        {t.guard("WaitsForFencing", "orders-0 starts again only behind epoch 5", none)},
        {}}},
      {none,
       c.replication,
       Type::Observation,
       {"orders-0 (source) is dead, says its agent",
        "fencing orders-0 at epoch 5",
        {t.guard("NotDrained", "orders-2 still applies 12 transactions", milliseconds(3)),
         t.guard("NoQuorum", "1 of 2 needed replicas has answered", milliseconds(4))},
        {{"patch MysqlReplication shop/orders", "status: epoch 5, operation Failover, step Fence"},
         {"fence orders-0", "epoch 5"},
         {"stop-receiving orders-1", ""},
         {"stop-receiving orders-2", ""}}}},
      {milliseconds(12),
       c.replication,
       Type::EffectResult,
       {"fence orders-0: done, epoch 5 is kept",
        "comparing what the replicas received",
        {t.guard("NotDrained", "orders-2 still applies 3 transactions", milliseconds(15))},
        {}}},
      {milliseconds(21),
       c.replication,
       Type::Observation,
       {"orders-1 has all that was acknowledged: 3E11FA47:1-88213",
        "promoting orders-1",
        {},
        {{"patch MysqlReplication shop/orders", "status: step Promote, source orders-1"},
         {"promote orders-1", "epoch 5, writable, semi-sync with 1 replica"}}}},
      {milliseconds(9),
       c.db1,
       Type::EffectResult,
       {"promote orders-1: done, writable since 2ms",
        "serving as the source",
        {},
        {{"apply Pod shop/orders-1", "label role=source"}}}},
      {milliseconds(2),
       c.replication,
       Type::EffectResult,
       {"promote orders-1: done",
        "moving traffic to orders-1",
        {},
        {{"apply EndpointSlice shop/orders-readwrite", "10.1.0.8:3306"},
         {"follow orders-2", "source orders-1, epoch 5"}}}},
      {milliseconds(14),
       c.db2,
       Type::EffectResult,
       {"follow orders-2: done, receiving from orders-1",
        "serving as a replica",
        {},
        {{"apply Pod shop/orders-2", "label role=replica"}}}},
      {milliseconds(6),
       c.replication,
       Type::EffectResult,
       {"apply EndpointSlice shop/orders-readwrite: done",
        "watching the source orders-1",
        {t.guard("MemberMissing", "orders-0 is dead; 2 of 3 members serve", milliseconds(64))},
        {}}},
      {milliseconds(120),
       c.db0,
       Type::EffectResult,
       {"start orders-0: done, read-only",
        "rejoining behind orders-1",
        {},
        {{"follow orders-0", "source orders-1, epoch 5"}}}},
      {milliseconds(85),
       c.replication,
       Type::Observation,
       {"orders-0 follows orders-1, nothing is missing",
        "watching the source orders-1",
        {},
        {{"patch MysqlReplication shop/orders", "status: operation done, 3 of 3 members"}}}},
  };
}

// Those few of a large fleet that an engineer would look for.
void add_troubled(Theatre& t) {
  for (int i = 0; i < 12; ++i) {
    const auto id = t.hire("unit", "billing/ledger-" + std::to_string(i), kUnitState);
    t.tell(id, CauseType::Watch,
           {"Unit changed",
            "waiting for its volume",
            {t.guard(
                "VolumeNotBound",
                "claim ledger-data-" + std::to_string(i) + " is Pending: no StorageClass \"fast\"",
                seconds(95))},
            {}});
  }
  const auto poisoned = t.hire("unitset", "lab/broken", R"({"replicas": 0})");
  t.tell(poisoned, CauseType::Watch,
         {"UnitSet lab/broken changed",
          "",
          {},
          {},
          "invariant broken: replicas 3, but ordinals up to 7 are in use"});
}

void add_crowd(Theatre& t, std::size_t count) {
  static constexpr std::array<const char*, 5> kKinds{"unit", "unit", "unit", "unitset",
                                                     "mysqlreplication"};
  for (std::size_t i = 0; i < count; ++i) {
    const auto tenant = "tenant-" + std::to_string(1000 + i / 50);
    const auto* kind = kKinds[i % kKinds.size()];
    const auto id = t.hire(kind, tenant + "/db-" + std::to_string(i % 50), "{}");
    t.tell(id, CauseType::Start,
           {"listed", std::string(kind) == "unit" ? "serving" : "steady", {}, {}});
  }
}

bool all_have_run(const Actors& actors) { return actors.totals().queued == 0; }

int run(const std::string& listen, std::size_t count) {
  const SystemClock clock;
  History history;
  boost::asio::io_context timer_io;
  const auto work = boost::asio::make_work_guard(timer_io);
  std::thread timer_thread([&] { timer_io.run(); });
  Actors* wakes = nullptr;
  TimerThread timers(timer_io, clock, [&](ActorId id) {
    wakes->wake(id, make_cause(CauseType::Timer, wakes->next_causal_id(), clock.now(), "due"));
  });
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system(config);
  Actors actors(system, clock, timers, history);
  wakes = &actors;

  Metrics metrics;
  collect_process(metrics);
  collect_actors(metrics, actors, history);
  const HealthChecks healthy;
  http::Server server({.listen = listen});
  Theatre theatre(actors, clock, server.schedule());
  add_crowd(theatre, count);
  add_troubled(theatre);
  const auto shop = open_shop(theatre);
  add_probes(server.router(), healthy, healthy, metrics);
  console::add_page(server.router());
  console::add_api(server.router(), {.actors = actors,
                                     .history = history,
                                     .clock = clock,
                                     .schedule = server.schedule(),
                                     .version = "0.1.0-test",
                                     .leader = [] { return true; }});
  server.router().add(http::Method::Post, "/test/failover", http::Access::Open,
                      [&](const http::Request&, const http::Responder& to) {
                        theatre.play(failover(theatre, shop));
                        to.reply(http::json(202, "{}"));
                      });
  if (const auto started = server.start(); !started) {
    std::cerr << started.error().message << "\n";
    return 1;
  }
  if (!troupe::support::eventually([&] { return all_have_run(actors); })) {
    std::cerr << "the actors have not run\n";
    return 1;
  }
  std::cout << "http://127.0.0.1:" << server.port() << std::endl;

  int signal = 0;
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  sigwait(&wanted, &signal);
  std::_Exit(0);  // a test's server: 100,000 goodbyes would only cost time
}

}  // namespace
}  // namespace troupe::test

int main(int argc, char** argv) {
  CLI::App app("An operator without a cluster, for the console's tests");
  std::string listen = "127.0.0.1:0";
  std::size_t actors = 100'000;
  app.add_option("--listen", listen, "ADDRESS:PORT");
  app.add_option("--actors", actors, "idle actors beside those of the story");
  CLI11_PARSE(app, argc, argv);
  // Before any thread starts, so that all inherit it and only sigwait gets them.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  return troupe::test::run(listen, actors);
}
