// A journal of a Unit's actor, and what becomes of it when it is gone through again.
#include "actors/journal/journal.hpp"

#include <fmt/format.h>

#include "actors/journal/kind_rules.hpp"
#include "actors/journal/replay.hpp"
#include "actors/model/described.hpp"
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

constexpr std::size_t kRoom = 1 << 20;
// What the password of root is encrypted with.
constexpr std::string_view kAesKey = "0123456789abcdef0123456789abcdef";

template <class Kind>
std::unique_ptr<Rules> only(std::string_view name) {
  return name == Kind::kName ? std::make_unique<KindRules<Kind>>() : nullptr;
}

class JournalTest : public UnitTest {
 protected:
  JournalTest() {
    cluster.put<k8s::SecretObject>("aes-secret-key",
                                   R"({"data": {"AES_SECRET_KEY":
        "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}})");
    cluster.put<k8s::SecretObject>("users", R"({"data": {"root":
        "AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wA="}})");
    spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
        {"name": "SECRET_NAME", "value": "users"}, {"name": "ADM_USER", "value": "root"}]}]}}})");
    begin(kRoom);
  }

  void begin(std::size_t room) {
    journal = std::make_unique<Journal>("Unit", self, cluster.settings(), room);
    mark();
  }
  void mark() {
    journal->mark([this](const Veil& veil) { return described_json(memory, veil); });
  }
  // As an actor does it: a run on record, its effects carried out, their results taken in.
  void step() {
    cluster.now += std::chrono::seconds(1);
    journal->begin_run(cluster, cluster.now);
    auto decision =
        UnitKind::decide(UnitKind::observe(self, journal->sight()), memory, cluster.now);
    journal->end_run(decision);
    ++runs;
    mark();
    for (const auto& effect : decision.effects) {
      EffectResult result{.key = effect.key, .what = describe(effect)};
      result.fingerprint = fingerprint(effect);
      result.finished = cluster.now;
      cluster.carry_out(effect);
      journal->folded(result);
      UnitKind::fold(memory, result);
    }
  }
  void live() {
    for (int i = 0; i < 5; ++i) step();
    cluster.run_pod("db-0");
    for (int i = 0; i < 5; ++i) step();
  }

  const ObjectRef self = ref<k8s::Unit>(kNs, "db-0");
  UnitKind::Memory memory;
  std::unique_ptr<Journal> journal;
  std::size_t runs = 0;
};

TEST_F(JournalTest, ReplayedByTheSameRulesTellsTheSameDecisions) {
  live();
  const auto report = replay(journal->text(), &only<UnitKind>);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->kind, "Unit");
  EXPECT_EQ(report->object, "prod/db-0");
  EXPECT_EQ(report->runs, runs);
  for (const auto& d : report->differences)
    ADD_FAILURE() << d.run << "\n" << d.recorded << "\n" << d.replayed;
  // Otherwise there was nothing to go wrong.
  EXPECT_THAT(cluster.asked(), Contains("EnsureAccounts"));
}

struct UnitThatHolds : UnitKind {
  static Decision decide(const World& world, Memory& memory, TimePoint now) {
    auto d = UnitKind::decide(world, memory, now);
    d.hold("Reluctant", "it does not feel like it");
    return d;
  }
};

TEST_F(JournalTest, ReplayedByOtherRulesShowsWhereTheyDecideOtherwise) {
  live();
  const auto report = replay(journal->text(), &only<UnitThatHolds>);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->differences.size(), ReplayReport::kMaxDifferences);
  EXPECT_EQ(report->differences[0].run, 1u);
  EXPECT_THAT(report->differences[0].recorded, Not(HasSubstr("Reluctant")));
  EXPECT_THAT(report->differences[0].replayed, HasSubstr("Reluctant"));
}

struct UnitThatForgets : UnitKind {
  static void fold(Memory&, const EffectResult&) {}
};

TEST_F(JournalTest, ResultsThatCameInCountInTheReplay) {
  live();
  const auto report = replay(journal->text(), &only<UnitThatForgets>);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->differences.empty());
}

struct UnitThatLooksAround : UnitKind {
  static World observe(const ObjectRef& self, Sight& sight) {
    sight.get<k8s::Node>({}, "elsewhere");
    return UnitKind::observe(self, sight);
  }
};

TEST_F(JournalTest, ALookThatWasNotTakenThenIsADifference) {
  live();
  const auto report = replay(journal->text(), &only<UnitThatLooksAround>);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_FALSE(report->differences.empty());
  EXPECT_EQ(report->differences[0].replayed,
            "looks at what was not looked at then: object Node. /elsewhere");
}

TEST_F(JournalTest, HoldsStandInsForSecretsAndNoneOfThem) {
  live();
  const auto text = journal->text();
  std::string password;
  for (const auto& action : cluster.actions)
    if (const auto* asked = std::get_if<agent::EnsureAccounts>(&action))
      password = asked->accounts.at(0).password.reveal();
  ASSERT_FALSE(password.empty());
  EXPECT_THAT(text, HasSubstr(R"("password":"secret-)"));
  EXPECT_THAT(text, Not(HasSubstr(password)));
  EXPECT_THAT(text, Not(HasSubstr(kAesKey)));
  EXPECT_THAT(text, Not(HasSubstr("MDEyMzQ1Njc4OWFi")));
  EXPECT_THAT(text, Not(HasSubstr("AAECAwQFBgcICQoL")));
}

TEST_F(JournalTest, OlderRunsAreForgottenAndTheRestIsReplayedFromWhatWasRemembered) {
  live();
  const auto whole = journal->bytes();
  begin(whole);
  for (int i = 0; i < 10; ++i) live();
  EXPECT_LT(journal->bytes(), 2 * whole);
  const auto report = replay(journal->text(), &only<UnitKind>);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GT(report->runs, 0u);
  EXPECT_LT(report->runs, runs - 10);
  EXPECT_TRUE(report->differences.empty());
}

TEST_F(JournalTest, ARunThatFailedFailsAgain) {
  struct Broken : UnitKind {
    static Decision decide(const World&, Memory&, TimePoint) {
      throw std::logic_error("this cannot be");
    }
  };
  journal->begin_run(cluster, cluster.now);
  UnitKind::observe(self, journal->sight());
  journal->end_run("this cannot be");
  mark();
  const auto same = replay(journal->text(), &only<Broken>);
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_TRUE(same->differences.empty());
  const auto mended = replay(journal->text(), &only<UnitKind>);
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended->differences.size(), 1u);
}

TEST_F(JournalTest, WhatIsNoJournalIsRefusedWithTheLine) {
  const auto refusal = [](std::string_view text) {
    const auto report = replay(text, &only<UnitKind>);
    return report ? std::string("taken") : report.error().message;
  };
  step();
  const auto text = journal->text();
  const auto head = text.substr(0, text.find('\n') + 1);
  EXPECT_EQ(refusal(""), "expected a journal, found nothing");
  EXPECT_EQ(refusal("[mysqld]\n"), "line 1: expected a JSON object, found: [mysqld]");
  EXPECT_EQ(refusal("[1]"), "line 1: expected a JSON object, found: [1]");
  EXPECT_EQ(refusal(R"({"journal":2})"), "line 1: expected a journal of format 1, found format 2");
  EXPECT_EQ(refusal(R"({"journal":1})"), "line 1: expected \"kind\", found nothing of that name");
  EXPECT_EQ(refusal(head + "{\"run\":{}}\n"),
            "line 2: expected \"folded\", found nothing of that name");
  EXPECT_EQ(refusal(head + "{\"ran\":{}}\n"),
            "line 2: expected memory, seen or run, found: {\"ran\":{}}");
  EXPECT_EQ(refusal(head + R"({"run":{"folded":[],"looks":[3]}})"),
            "line 2: expected a question and its answer, found: 3");
  EXPECT_EQ(refusal(text.substr(head.size())).substr(0, 61),
            R"(line 1: expected the head of a journal, {"journal":1,...}, fo)")
      << "its beginning was cut off";
  EXPECT_THAT(refusal(text.substr(0, text.size() - 5)),
              HasSubstr(": expected a JSON object, found one without its end: was the file cut "
                        "short?"));
  EXPECT_THAT(refusal(head + "{\"memory\":{\"accounts\":{\"number_\":-1}}}\n"),
              HasSubstr("line 2: accounts.number_: expected a number that fits"));
}

}  // namespace
}  // namespace troupe::actors
