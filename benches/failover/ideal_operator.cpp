#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "benches/failover/peer.hpp"
#include "engines/mysql/model/choice.hpp"

namespace troupe::bench {
namespace {

using mysql::GtidSet;
using mysql::testing::Client;
using mysql::testing::Mysqld;

// An applier in a transaction whose rest was never sent would wait a minute for it.
void stop_replicating(Client& client) {
  const auto rows = client.run(
      "SELECT t.PROCESSLIST_ID AS id FROM "
      "performance_schema.replication_applier_status_by_coordinator c JOIN "
      "performance_schema.threads t USING (THREAD_ID) WHERE c.PROCESSING_TRANSACTION <> ''");
  for (std::size_t i = 0; i < rows.size(); ++i) client.run("KILL " + rows[i].text("id"));
  client.run("STOP REPLICA");
}

class IdealOperator final : public Peer {
 public:
  IdealOperator() {
    for (std::size_t i = 0; i < kServers; ++i) connect(i);
    open(0);
    for (const std::size_t i : {1u, 2u}) follow(i, 0);
    watcher_ = std::jthread([this](const std::stop_token& stopping) { watch(stopping); });
  }

  Mysqld& primary() override { return servers_[primary_]; }
  void lose_primary(Loss how) override { servers_.take_away(primary_, how); }
  oracle::Address route() override { return address_of(primary()); }

  void mend() override {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [this] { return dead_ || !problem_.empty(); });
    if (!problem_.empty()) throw std::runtime_error(problem_);
    const auto back = *std::exchange(dead_, std::nullopt);
    servers_.bring_back(back);
    connect(back);
    // What it alone has, nobody was told of: it is passed over, as no client looks here.
    const auto theirs = clients_[primary_]->value("SELECT @@GLOBAL.gtid_executed");
    const auto alone = clients_[back]->value(
        fmt::format("SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, '{}')", theirs));
    if (!alone.empty()) {
      clients_[back]->run("RESET BINARY LOGS AND GTIDS");
      clients_[back]->run(fmt::format("SET GLOBAL gtid_purged = '{}'", theirs));
    }
    follow(back, primary_);
    watched_ = true;
  }

 private:
  void connect(std::size_t i) { clients_[i] = std::make_unique<Client>(servers_[i].admin()); }

  void follow(std::size_t replica, std::size_t source) {
    auto& client = *clients_[replica];
    stop_replicating(client);
    client.run("SET GLOBAL super_read_only = ON");
    client.run(
        fmt::format("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{}', SOURCE_PORT = {}, "
                    "SOURCE_USER = '{}', SOURCE_PASSWORD = '{}', SOURCE_AUTO_POSITION = 1, "
                    "GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1",
                    servers_[source].address(), servers_[source].port(), mysql::testing::kAdmin,
                    mysql::testing::kAdminPassword));
    client.run("SET GLOBAL rpl_semi_sync_source_enabled = OFF");
    client.run("SET GLOBAL rpl_semi_sync_replica_enabled = ON");
    client.run("START REPLICA");
  }

  void open(std::size_t i) {
    auto& client = *clients_[i];
    stop_replicating(client);
    client.run("RESET REPLICA ALL");
    client.run("SET GLOBAL rpl_semi_sync_source_timeout = 4294967295");
    client.run("SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 1");
    client.run("SET GLOBAL rpl_semi_sync_source_enabled = ON");
    client.run("SET GLOBAL read_only = OFF");
  }

  void watch(const std::stop_token& stopping) {
    using namespace std::chrono_literals;
    std::unique_lock lock(mutex_);
    while (!stopping.stop_requested()) {
      tick_.wait_for(lock, stopping, 1ms, [] { return false; });
      if (!watched_ || !servers_.is_away(primary_)) continue;
      watched_ = false;
      try {
        fail_over();
      } catch (const std::exception& e) {
        problem_ = e.what();
      }
      settled_.notify_all();
    }
  }

  struct Stopped {
    GtidSet received;
    mysql::Candidate candidate;
  };
  Stopped stop_receiver(std::size_t i) {
    auto& client = *clients_[i];
    client.run("STOP REPLICA IO_THREAD");
    const auto set = [&client](const char* sql) {
      return GtidSet::parse(client.value(sql)).value();
    };
    Stopped out;
    out.received = set(
        "SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status");
    out.candidate.ordinal = static_cast<int>(i);
    out.candidate.position = set("SELECT @@GLOBAL.gtid_executed");
    out.candidate.position.add(out.received);
    return out;
  }

  void fail_over() {
    const std::size_t dead = primary_;
    const std::array<std::size_t, 2> left{(dead + 1) % kServers, (dead + 2) % kServers};
    auto other = std::async(std::launch::async, [&] { return stop_receiver(left[1]); });
    const std::array stopped{stop_receiver(left[0]), other.get()};
    const std::array candidates{stopped[0].candidate, stopped[1].candidate};
    const auto choice = mysql::choose(candidates);
    const auto* chosen = std::get_if<mysql::Chosen>(&choice);
    if (!chosen) throw std::runtime_error("the two replicas have diverged");
    const auto winner = left[chosen->index], loser = left[1 - chosen->index];
    clients_[winner]->run(fmt::format("SELECT WAIT_FOR_EXECUTED_GTID_SET('{}')",
                                      stopped[chosen->index].received.to_string()));
    auto following = std::async(std::launch::async, [&] { follow(loser, winner); });
    open(winner);
    primary_ = winner;
    following.get();
    dead_ = dead;
  }

  Servers servers_{[](const std::string&) -> std::vector<std::string> {
    return {"--plugin-load-add=rpl_semi_sync_source=semisync_source.so",
            "--plugin-load-add=rpl_semi_sync_replica=semisync_replica.so"};
  }};
  std::array<std::unique_ptr<Client>, kServers> clients_;
  std::atomic<std::size_t> primary_ = 0;
  std::mutex mutex_;
  std::condition_variable settled_;
  std::condition_variable_any tick_;
  bool watched_ = true;
  std::optional<std::size_t> dead_;  // whom the last failover has replaced
  std::string problem_;              // why there will be none any more
  std::jthread watcher_;             // ends before what it looks at
};

}  // namespace

std::unique_ptr<Peer> ideal_operator() { return std::make_unique<IdealOperator>(); }

}  // namespace troupe::bench
