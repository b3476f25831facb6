// Leader election: the machine step by step, two of them against each other, and the shell.
#include "k8s/client/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

LeaseOptions options(std::string identity = "us") {
  return {.ns = "ops", .name = "troupe", .identity = std::move(identity)};
}

lease::Record record(std::string holder, int renewal, std::uint64_t version = 1) {
  return {std::move(holder), 15s, 3, WallTime(1s), WallTime(std::chrono::seconds(renewal)),
          {version}};
}

class LeaseMachineTest : public testing::Test {
 protected:
  void feed(lease::Input input) {
    out_.clear();
    machine_.step(std::move(input), now_, 0, out_);
  }
  template <class T>
  const T* output() const {
    for (const auto& each : out_) {
      if (const auto* found = std::get_if<T>(&each)) return found;
    }
    return nullptr;
  }
  void lead() {
    feed(lease::Start{});
    feed(lease::Found{});
    feed(lease::Wrote{record("us", 1)});
    ASSERT_TRUE(machine_.leading());
  }

  LeaseMachine machine_{options()};
  LeaseMachine::Outputs out_;
  TimePoint now_{1h};
};

TEST_F(LeaseMachineTest, CreatesALeaseThatIsNotThere) {
  feed(lease::Start{});
  EXPECT_TRUE(output<lease::Get>());
  feed(lease::Found{});
  EXPECT_TRUE(output<lease::Create>());
  feed(lease::Wrote{record("us", 1)});
  EXPECT_TRUE(output<lease::Elected>());
  EXPECT_EQ(machine_.held_until(), now_ + 10s);
}

TEST_F(LeaseMachineTest, WaitsAWholeDurationOfItsOwnClockBeforeItTakesOver) {
  feed(lease::Start{});
  feed(lease::Found{record("them", 1)});
  EXPECT_EQ(output<lease::NewHolder>()->identity, "them");
  EXPECT_EQ(output<lease::WakeAt>()->at, now_ + 2s);
  for (int i = 0; i < 7; ++i) {  // to 14 s
    now_ += 2s;
    feed(lease::Woken{});
    feed(lease::Found{record("them", 1)});
    ASSERT_FALSE(output<lease::Update>());
  }
  now_ += 1s;
  feed(lease::Woken{});
  feed(lease::Found{record("them", 1, 9)});
  ASSERT_TRUE(output<lease::Update>());
  EXPECT_EQ(output<lease::Update>()->version.value, 9u);
  EXPECT_EQ(output<lease::Update>()->transitions, 4);
  EXPECT_TRUE(output<lease::Update>()->acquires);
}

TEST_F(LeaseMachineTest, ARenewalByTheHolderStartsTheWaitAgain) {
  feed(lease::Start{});
  feed(lease::Found{record("them", 1)});
  now_ += 14s;
  feed(lease::Woken{});
  feed(lease::Found{record("them", 2)});
  now_ += 14s;
  feed(lease::Woken{});
  feed(lease::Found{record("them", 2)});
  EXPECT_FALSE(output<lease::Update>());
}

TEST_F(LeaseMachineTest, TakesAReleasedLeaseAtOnce) {
  feed(lease::Start{});
  feed(lease::Found{record("", 1)});
  EXPECT_TRUE(output<lease::Update>());
}

TEST_F(LeaseMachineTest, RenewsWithoutReadingFirst) {
  lead();
  now_ += 2s;
  feed(lease::Woken{});
  EXPECT_FALSE(output<lease::Get>());
  ASSERT_TRUE(output<lease::Update>());
  EXPECT_FALSE(output<lease::Update>()->acquires);
  now_ += 1s;
  feed(lease::Wrote{record("us", 2)});
  EXPECT_EQ(machine_.held_until(), now_ - 1s + 10s);  // from when the renewal was sent
  EXPECT_FALSE(output<lease::Elected>());
}

TEST_F(LeaseMachineTest, GivesUpWhenItCannotRenewInTime) {
  lead();
  for (int i = 0; i < 4; ++i) {
    now_ += 2s;
    feed(lease::Woken{});
    feed(lease::Failed{"connection refused"});
    ASSERT_FALSE(output<lease::Lost>());
  }
  now_ += 2s;
  feed(lease::Woken{});
  ASSERT_TRUE(output<lease::Lost>());
  EXPECT_FALSE(machine_.leading());
}

TEST_F(LeaseMachineTest, GivesUpWhileARenewalHangs) {
  lead();
  now_ += 2s;
  feed(lease::Woken{});
  EXPECT_EQ(output<lease::WakeAt>()->at, now_ - 2s + 10s);
  now_ += 8s;
  feed(lease::Woken{});
  EXPECT_TRUE(output<lease::Cancel>());
  EXPECT_TRUE(output<lease::Lost>());
}

TEST_F(LeaseMachineTest, ARenewalWhoseAnswerCameTooLateProvesNothing) {
  lead();
  now_ += 2s;
  feed(lease::Woken{});
  now_ += 11s;
  feed(lease::Wrote{record("us", 2)});
  EXPECT_TRUE(output<lease::Lost>());
}

TEST_F(LeaseMachineTest, GivesUpAtOnceWhenSomebodyElseHoldsIt) {
  lead();
  now_ += 2s;
  feed(lease::Woken{});
  feed(lease::Conflict{});
  EXPECT_TRUE(output<lease::Get>());
  feed(lease::Found{record("them", 5)});
  ASSERT_TRUE(output<lease::Lost>());
  EXPECT_THAT(output<lease::Lost>()->reason, HasSubstr("them"));
}

TEST_F(LeaseMachineTest, KeepsItWhenTheConflictWasItsOwnEarlierWrite) {
  lead();
  now_ += 2s;
  feed(lease::Woken{});
  feed(lease::Failed{"timeout"});
  now_ += 2s;
  feed(lease::Woken{});
  EXPECT_TRUE(output<lease::Get>());
  feed(lease::Found{record("us", 2, 8)});
  EXPECT_FALSE(output<lease::Lost>());
  EXPECT_EQ(output<lease::Update>()->version.value, 8u);
}

TEST_F(LeaseMachineTest, ReleasesAtExit) {
  lead();
  feed(lease::Release{});
  EXPECT_FALSE(machine_.leading());
  ASSERT_TRUE(output<lease::Update>());
  EXPECT_TRUE(output<lease::Update>()->releases);
  feed(lease::Wrote{record("", 3)});
  EXPECT_TRUE(output<lease::Released>());
  feed(lease::Woken{});
  EXPECT_TRUE(out_.empty());
}

TEST_F(LeaseMachineTest, ACandidateReleasesNothing) {
  feed(lease::Start{});
  feed(lease::Found{record("them", 1)});
  feed(lease::Release{});
  EXPECT_FALSE(output<lease::Update>());
  EXPECT_TRUE(output<lease::Released>());
}

// Two machines on one lease, with clocks that run alike but answers that get lost at random: at no
// instant do both think that they hold it.
TEST(LeaseMachines, NeverHoldItBothWhateverGetsLost) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::uint64_t draws = 0;
    const auto random = [&] { return mix(seed, ++draws); };
    std::optional<lease::Record> stored;
    std::uint64_t version = 0;
    struct Side {
      LeaseMachine machine;
      TimePoint wake;
    };
    Side sides[] = {{LeaseMachine(options("a")), {}}, {LeaseMachine(options("b")), {}}};
    int elections = 0;
    TimePoint now{1h};

    const auto drive = [&](Side& side, const std::string& me, lease::Input input) {
      std::vector<lease::Input> inputs{std::move(input)};
      while (!inputs.empty()) {
        LeaseMachine::Outputs out;
        side.machine.step(std::move(inputs.back()), now, random(), out);
        inputs.pop_back();
        for (auto& output : out) {
          if (auto* wake = std::get_if<lease::WakeAt>(&output)) side.wake = wake->at;
          if (std::holds_alternative<lease::Elected>(output)) ++elections;
          const bool lost_before = random() % 4 == 0;
          const bool lost_after = random() % 4 == 0;
          const auto answer = [&](lease::Input reply) {
            inputs.push_back(lost_after ? lease::Input(lease::Failed{"lost"}) : std::move(reply));
          };
          const auto write = [&](std::int32_t transitions) {
            stored = lease::Record{
                me,         15s, transitions, {}, WallTime(now.time_since_epoch() / 1us * 1us),
                {++version}};
            answer(lease::Wrote{*stored});
          };
          if (std::holds_alternative<lease::Get>(output)) {
            if (lost_before)
              inputs.push_back(lease::Failed{"lost"});
            else
              answer(lease::Found{stored});
          } else if (std::holds_alternative<lease::Create>(output)) {
            if (lost_before)
              inputs.push_back(lease::Failed{"lost"});
            else if (stored)
              answer(lease::Conflict{});
            else
              write(0);
          } else if (const auto* update = std::get_if<lease::Update>(&output)) {
            if (lost_before)
              inputs.push_back(lease::Failed{"lost"});
            else if (!stored || stored->version != update->version)
              answer(lease::Conflict{});
            else
              write(update->transitions);
          }
        }
      }
    };
    drive(sides[0], "a", lease::Start{});
    drive(sides[1], "b", lease::Start{});
    for (int step = 0; step < 500; ++step) {
      const int which = sides[0].wake <= sides[1].wake ? 0 : 1;
      // One that is asleep for long (a paused process) wakes late.
      now = std::max(now, sides[which].wake + (random() % 10 == 0 ? Duration(20s) : Duration(0)));
      drive(sides[which], which == 0 ? "a" : "b", lease::Woken{});
      ASSERT_FALSE(sides[0].machine.held_until() > now && sides[1].machine.held_until() > now)
          << "seed " << seed << " step " << step;
    }
    EXPECT_GT(elections, 1) << "seed " << seed;
  }
}

TEST(LeaseOptions, RefusesDurationsThatDoNotFit) {
  EXPECT_TRUE(validate(options()));
  auto wrong = options();
  wrong.renew_deadline = 15s;
  EXPECT_FALSE(validate(wrong));
  wrong = options();
  wrong.retry_period = 9s;
  EXPECT_FALSE(validate(wrong));
  wrong = options();
  wrong.identity.clear();
  EXPECT_FALSE(validate(wrong));
}

TEST(LeaseHolder, WritesMicroTimesAndTellsWhenItHolds) {
  test::ManualLoop loop;
  test::FakeTransport transport;
  int elected = 0;
  bool released = false;
  LeaseHolder holder(loop, transport, options(), {.elected = [&] { ++elected; }}, 1);
  holder.start();
  EXPECT_EQ(transport.request().target,
            "/apis/coordination.k8s.io/v1/namespaces/ops/leases/troupe");
  transport.respond("leases/troupe", 404, "{}");
  const auto body = boost::json::parse(transport.request().body);
  EXPECT_EQ(body.at("spec").at("holderIdentity"), "us");
  EXPECT_EQ(body.at("spec").at("leaseDurationSeconds"), 15);
  EXPECT_THAT(std::string(body.at("spec").at("renewTime").as_string()),
              testing::EndsWith(".000000Z"));
  EXPECT_FALSE(holder.holds());

  transport.respond("leases", 201,
                    R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{
                        "name":"troupe","namespace":"ops","uid":"u","resourceVersion":"7"},
                        "spec":{"holderIdentity":"us","leaseDurationSeconds":15,
                        "renewTime":"2026-01-01T00:00:00.000000Z","leaseTransitions":0}})");
  EXPECT_EQ(elected, 1);
  EXPECT_TRUE(holder.holds());

  holder.release([&] { released = true; });
  EXPECT_FALSE(holder.holds());
  const auto release = boost::json::parse(transport.request().body);
  EXPECT_EQ(release.at("metadata").at("resourceVersion"), "7");
  EXPECT_EQ(release.at("spec").at("holderIdentity"), "");
  transport.fail("leases", Code::Retry, true);
  EXPECT_TRUE(released);
}

TEST(LeaseHolder, NoLongerHoldsItWhenTimePassesUnnoticed) {
  test::ManualLoop loop;
  test::FakeTransport transport;
  std::string reason;
  LeaseHolder holder(loop, transport, options(),
                     {.lost = [&](const std::string& why) { reason = why; }}, 1);
  holder.start();
  transport.respond("leases/troupe", 404, "{}");
  transport.respond("leases", 201,
                    R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{
                        "name":"troupe","namespace":"ops","uid":"u","resourceVersion":"7"},
                        "spec":{"holderIdentity":"us","leaseDurationSeconds":15}})");
  ASSERT_TRUE(holder.holds());
  loop.advance(9s);
  EXPECT_TRUE(holder.holds());
  EXPECT_TRUE(reason.empty());
  loop.advance(1s);
  EXPECT_FALSE(holder.holds());
  EXPECT_THAT(reason, HasSubstr("could not be renewed in time"));
}

}  // namespace
}  // namespace troupe::k8s
