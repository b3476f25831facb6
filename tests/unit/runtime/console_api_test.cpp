#include "runtime/console/api.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>

#include "tests/unit/runtime/actors_fixture.hpp"
#include "tests/unit/runtime/fake_exchange.hpp"

namespace troupe::console {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class ConsoleApi : public test::ActorsFixture {
 protected:
  ConsoleApi() {
    add_api(router_, {.actors = actors_,
                      .history = history_,
                      .clock = clock_,
                      .schedule =
                          [this](Duration delay, std::function<void()> task) {
                            tasks_.emplace(clock_.now() + delay, std::move(task));
                          },
                      .version = "1.2.3",
                      .leader = [this] { return leader_; }});
  }

  // What actors still have to say, they say to this fixture.
  ~ConsoleApi() override { settle(); }

  // Turns the clock and runs what the API scheduled up to then.
  void pass(Duration by) {
    const auto end = clock_.now() + by;
    settle();
    while (!tasks_.empty() && tasks_.begin()->first <= end) {
      clock_.set(std::max(clock_.now(), tasks_.begin()->first));
      auto task = std::move(tasks_.begin()->second);
      tasks_.erase(tasks_.begin());
      task();
      settle();
    }
    clock_.set(end);
  }

  json::value get(std::string_view target, unsigned status = 200) {
    const auto exchange = test::begin(router_, target);
    if (!exchange->response) pass(0s);
    if (!exchange->response) return nullptr;
    EXPECT_EQ(exchange->response->status, status) << exchange->response->body;
    return json::parse(exchange->response->body);
  }

  void run(ActorId id, std::string doing, std::string cause_text, std::uint64_t chain) {
    scripts_[id]->run = [doing, chain](std::span<const Cause>) {
      Logic::Outcome outcome;
      outcome.id = CausalId{chain};
      outcome.doing = doing;
      return outcome;
    };
    actors_.wake(id, cause(CauseType::Observation, std::move(cause_text), chain));
    settle();
  }

  ActorId add(std::string name, std::string kind = "unit") {
    auto [id, script] = spawn(std::move(name), std::move(kind));
    scripts_[id] = script;
    return id;
  }

  http::Router router_;
  std::multimap<TimePoint, std::function<void()>> tasks_;
  std::map<ActorId, std::shared_ptr<test::Script>> scripts_;
  std::optional<bool> leader_ = true;
};

std::string path_of(ActorId id) { return "/api/actors/" + std::to_string(id.value); }

TEST_F(ConsoleApi, ListsAPageOfWhatMatches) {
  for (int i = 0; i < 5; ++i) add("default/db-" + std::to_string(i));
  add("default/other", "unitset");
  const auto page = get("/api/actors?kind=unit&offset=3&limit=1");
  EXPECT_EQ(page.at("total"), 6);
  EXPECT_EQ(page.at("matched"), 5);
  ASSERT_EQ(page.at("actors").as_array().size(), 1u);
  EXPECT_EQ(page.at("actors").at(0).at("name"), "default/db-3");
  EXPECT_TRUE(get("/api/actors?offset=99").at("actors").as_array().empty());
}

TEST_F(ConsoleApi, TheListIsAtMostASecondOld) {
  add("default/a");
  EXPECT_EQ(get("/api/actors").at("total"), 1);
  add("default/b");
  EXPECT_EQ(get("/api/actors").at("total"), 1);
  pass(1s);
  EXPECT_EQ(get("/api/actors").at("total"), 2);
}

TEST_F(ConsoleApi, NothingStaysScheduledWhenNobodyAsks) {
  add("default/a");
  get("/api/actors");
  pass(5s);
  get("/api/actors");
  pass(30s);
  EXPECT_TRUE(tasks_.empty());
}

TEST_F(ConsoleApi, WrongParametersAre400) { get("/api/actors?limit=0", 400); }

TEST_F(ConsoleApi, ShowsAnActorWithItsStateAndLatestRun) {
  const auto id = add("default/db-0");
  scripts_[id]->state = R"({"epoch":4})";
  run(id, "serving", "pod ready", 7);
  const auto body = get(path_of(id));
  EXPECT_EQ(body.at("actor").at("name"), "default/db-0");
  EXPECT_EQ(body.at("state").at("epoch"), 4);
  EXPECT_TRUE(body.at("stateError").is_null());
  EXPECT_EQ(body.at("latest").at("causes").at(0).at("text"), "pod ready");
}

TEST_F(ConsoleApi, AnActorThatDoesNotAnswerIsShownWithoutState) {
  const auto id = add("default/db-0");
  const auto exchange = test::begin(router_, path_of(id));
  clock_.advance(2s);
  tasks_.begin()->second();  // the deadline, before the actor had its turn
  ASSERT_TRUE(exchange->response);
  const auto body = json::parse(exchange->response->body);
  EXPECT_TRUE(body.at("state").is_null());
  EXPECT_NE(std::string(body.at("stateError").as_string()).find("2.0s"), std::string::npos);
}

TEST_F(ConsoleApi, AStateThatIsNoJsonIsSaid) {
  const auto id = add("default/db-0");
  scripts_[id]->state = "{broken";
  const auto body = get(path_of(id));
  EXPECT_TRUE(body.at("state").is_null());
  EXPECT_NE(std::string(body.at("stateError").as_string()).find("not valid JSON"),
            std::string::npos);
}

TEST_F(ConsoleApi, UnknownActorsAre404) {
  add("default/a");
  for (const char* id : {"999", "x", "", "-1", "99999999999999999999", "0x1"})
    get("/api/actors/" + std::string(id), 404);
  get("/api/actors/999/history", 404);
  EXPECT_EQ(test::ask(router_, "/api/stream?actor=999").status, 404u);
}

TEST_F(ConsoleApi, HistoryIsInOrder) {
  const auto id = add("default/db-0");
  run(id, "first", "a", 1);
  run(id, "second", "b", 2);
  const auto records = get(path_of(id) + "/history").at("records");
  EXPECT_EQ(records.at(0).at("doing"), "first");
  EXPECT_EQ(records.at(1).at("doing"), "second");
}

TEST_F(ConsoleApi, FollowsAChainOverAllActors) {
  const auto unit = add("default/db-0");
  const auto replication = add("default/db", "mysqlreplication");
  run(unit, "dead", "process died", 42);
  clock_.advance(5ms);
  run(replication, "promoting db-1", "db-0 died", 42);
  run(unit, "restarting", "backoff over", 43);
  const auto chain = get("/api/causal/42");
  ASSERT_EQ(chain.at("records").as_array().size(), 2u);
  EXPECT_EQ(chain.at("records").at(0).at("actor").at("name"), "default/db-0");
  EXPECT_EQ(chain.at("records").at(1).at("actor").at("kind"), "mysqlreplication");
  EXPECT_EQ(chain.at("records").at(1).at("offsetMicros"), 5000);
  get("/api/causal/999", 404);
  get("/api/causal/x", 404);
}

TEST_F(ConsoleApi, RecentIsNewestFirst) {
  const auto id = add("default/db-0");
  run(id, "first", "a", 1);
  run(id, "second", "b", 2);
  const auto records = get("/api/recent?limit=1").at("records");
  ASSERT_EQ(records.as_array().size(), 1u);
  EXPECT_EQ(records.at(0).at("doing"), "second");
  get("/api/recent?limit=1001", 400);
}

TEST_F(ConsoleApi, SummaryCountsByKind) {
  add("default/a");
  add("default/b");
  add("default/c", "unitset");
  const auto body = get("/api/summary");
  EXPECT_EQ(body.at("version"), "1.2.3");
  EXPECT_EQ(body.at("leader"), true);
  EXPECT_EQ(body.at("totals").at("actors"), 3);
  EXPECT_EQ(body.at("kinds").at(0).at("kind"), "unit");
  EXPECT_EQ(body.at("kinds").at(0).at("actors"), 2);
  EXPECT_GT(body.at("memory").at("residentBytes").as_int64(), 0);
  leader_.reset();
  EXPECT_TRUE(get("/api/summary").at("leader").is_null());
}

TEST_F(ConsoleApi, OnlyAQuarantinedActorIsReleased) {
  const auto id = add("default/db-0");
  const auto post = [&] {
    return test::ask(router_, path_of(id) + "/release", http::Method::Post).status;
  };
  EXPECT_EQ(post(), 409u);
  scripts_[id]->run = [](std::span<const Cause>) -> Logic::Outcome {
    throw std::runtime_error("broken");
  };
  wake(id, "changed");
  settle();
  while (!actors_.info(id)->quarantined) advance(1min);
  scripts_[id]->run = [](std::span<const Cause>) { return Logic::Outcome{}; };
  EXPECT_EQ(post(), 202u);
  settle();
  EXPECT_FALSE(actors_.info(id)->quarantined);
  EXPECT_EQ(test::ask(router_, "/api/actors/999/release", http::Method::Post).status, 404u);
  EXPECT_EQ(test::ask(router_, path_of(id) + "/release", http::Method::Get).status, 405u);
  EXPECT_EQ(test::ask(router_, path_of(id), http::Method::Post).status, 405u);
}

using Events = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> doings(const Events& events) {
  std::vector<std::string> out;
  for (const auto& [name, data] : events)
    if (name == "record") out.emplace_back(json::parse(data).at("doing").as_string());
  return out;
}

TEST_F(ConsoleApi, AStreamTellsAnActorsNewRuns) {
  const auto id = add("default/db-0");
  run(id, "old", "a", 1);
  run(id, "seen", "b", 2);
  const auto exchange =
      test::begin(router_, "/api/stream?actor=" + std::to_string(id.value) + "&after=2");
  pass(1s);
  exchange->sink->events.clear();
  run(id, "new", "c", 3);
  pass(250ms);
  EXPECT_EQ(doings(exchange->sink->events), (std::vector<std::string>{"seen", "new"}));
  exchange->sink->events.clear();
  pass(5s);
  EXPECT_LE(exchange->sink->events.size(), 2u);  // a second look, then silence
}

TEST_F(ConsoleApi, AStreamSaysWhenItsActorHasEnded) {
  const auto id = add("default/db-0");
  const auto exchange = test::begin(router_, "/api/stream?actor=" + std::to_string(id.value));
  actors_.stop(id);
  pass(250ms);
  ASSERT_FALSE(exchange->sink->events.empty());
  EXPECT_EQ(exchange->sink->events.back().first, "gone");
  pass(1s);
  EXPECT_TRUE(tasks_.empty());
}

TEST_F(ConsoleApi, TheFleetsStreamSpeaksOnlyWhenSomethingRan) {
  const auto id = add("default/db-0");
  const auto exchange = test::begin(router_, "/api/stream");
  pass(5s);
  EXPECT_TRUE(exchange->sink->events.empty());
  run(id, "new", "c", 3);
  pass(250ms);
  ASSERT_EQ(exchange->sink->events.size(), 1u);
  EXPECT_EQ(exchange->sink->events[0].first, "fleet");
  EXPECT_EQ(json::parse(exchange->sink->events[0].second).at("runs"), 1);
}

TEST_F(ConsoleApi, NothingTicksOnceTheLastListenerHasLeft) {
  const auto exchange = test::begin(router_, "/api/stream");
  pass(1s);
  EXPECT_FALSE(tasks_.empty());
  exchange->sink->is_open = false;
  pass(1s);
  EXPECT_TRUE(tasks_.empty());
}

}  // namespace
}  // namespace troupe::console
