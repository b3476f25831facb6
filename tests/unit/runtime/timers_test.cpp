#include "runtime/timers.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/clock.hpp"
#include "tests/support/eventually.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr ActorId kA{1}, kB{2}, kC{3};
TimePoint at(Duration d) { return TimePoint(d); }

TEST(TimerQueue, GivesTheDueInOrderOfTime) {
  TimerQueue queue;
  queue.set(kA, at(3s));
  queue.set(kB, at(1s));
  queue.set(kC, at(2s));
  EXPECT_EQ(queue.next(), at(1s));
  EXPECT_EQ(queue.take_due(at(2s)), (std::vector{kB, kC}));
  EXPECT_EQ(queue.next(), at(3s));
  EXPECT_EQ(queue.size(), 1u);
}

TEST(TimerQueue, TheLastSettingOfAnActorCounts) {
  TimerQueue queue;
  queue.set(kA, at(1s));
  queue.set(kA, at(5s));
  EXPECT_TRUE(queue.take_due(at(4s)).empty());
  queue.set(kA, at(2s));
  EXPECT_EQ(queue.take_due(at(4s)), std::vector{kA});
  EXPECT_TRUE(queue.take_due(at(9s)).empty());
}

TEST(TimerQueue, ReturningToAnEarlierSettingFiresOnce) {
  TimerQueue queue;
  queue.set(kA, at(1s));
  queue.set(kA, at(2s));
  queue.set(kA, at(1s));
  EXPECT_EQ(queue.take_due(at(3s)), std::vector{kA});
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TimerQueue, MaxCancels) {
  TimerQueue queue;
  queue.set(kA, at(1s));
  queue.set(kA, TimePoint::max());
  EXPECT_EQ(queue.next(), std::nullopt);
  EXPECT_EQ(queue.size(), 0u);
  queue.set(kB, TimePoint::max());
  EXPECT_EQ(queue.size(), 0u);
}

// A level-triggered actor names the same deadline at each of its runs. This would take minutes if
// each setting kept an entry.
TEST(TimerQueue, NamingTheSameTimeAgainCostsNothing) {
  TimerQueue queue;
  for (int i = 0; i < 1'000'000; ++i) queue.set(kA, at(1h));
  EXPECT_EQ(queue.take_due(at(1h)), std::vector{kA});
  EXPECT_TRUE(queue.take_due(at(1h)).empty());
}

TEST(TimerQueue, AgreesWithAPlainMapUnderRandomUse) {
  std::mt19937 random(7);
  TimerQueue queue;
  std::map<ActorId, TimePoint> expected;
  for (int step = 0; step < 20'000; ++step) {
    const ActorId actor{static_cast<std::uint32_t>(random() % 50)};
    const auto when = TimePoint(Duration(random() % 1000));
    switch (random() % 8) {
      case 0:
        queue.set(actor, TimePoint::max());
        expected.erase(actor);
        break;
      case 1: {
        std::vector<std::pair<TimePoint, ActorId>> due;
        std::erase_if(expected, [&](const auto& e) {
          if (e.second > when) return false;
          due.emplace_back(e.second, e.first);
          return true;
        });
        std::sort(due.begin(), due.end());
        std::vector<ActorId> ids;
        for (const auto& [t, id] : due) ids.push_back(id);
        ASSERT_EQ(queue.take_due(when), ids);
        break;
      }
      default:
        queue.set(actor, when);
        expected[actor] = when;
    }
    ASSERT_EQ(queue.size(), expected.size());
  }
}

class TimerThreadTest : public testing::Test {
 protected:
  ~TimerThreadTest() override {
    guard_.reset();
    io_.stop();
    thread_.join();
  }

  TimerThread::Fire record() {
    return [this](ActorId actor) {
      const std::scoped_lock lock(mutex_);
      fired_.push_back(actor);
    };
  }
  std::vector<ActorId> fired() {
    const std::scoped_lock lock(mutex_);
    return fired_;
  }

  SystemClock clock_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  std::thread thread_{[this] { io_.run(); }};
  std::mutex mutex_;
  std::vector<ActorId> fired_;
};

TEST_F(TimerThreadTest, FiresEarlierTimersThatWereSetLater) {
  TimerThread timers(io_, clock_, record());
  const auto now = clock_.now();
  timers.set(kA, now + 1h);
  timers.set(kB, now + 20ms);
  timers.set(kC, now + 10ms);
  EXPECT_TRUE(support::eventually([&] { return fired().size() == 2; }));
  EXPECT_EQ(fired(), (std::vector{kC, kB}));
}

TEST_F(TimerThreadTest, ACancelledTimerDoesNotFire) {
  TimerThread timers(io_, clock_, record());
  const auto now = clock_.now();
  timers.set(kA, now + 5ms);
  timers.set(kA, TimePoint::max());
  timers.set(kB, now + 10ms);
  EXPECT_TRUE(support::eventually([&] { return !fired().empty(); }));
  EXPECT_EQ(fired(), std::vector{kB});
}

TEST_F(TimerThreadTest, FiresWhatIsDueAlready) {
  TimerThread timers(io_, clock_, record());
  timers.set(kA, clock_.now() - 1s);
  EXPECT_TRUE(support::eventually([&] { return !fired().empty(); }));
}

TEST_F(TimerThreadTest, MayGoBeforeItsTimers) {
  { TimerThread(io_, clock_, record()).set(kA, clock_.now() + 1ms); }
  TimerThread second(io_, clock_, record());
  second.set(kB, clock_.now() + 20ms);
  EXPECT_TRUE(support::eventually([&] { return !fired().empty(); }));
  EXPECT_EQ(fired(), std::vector{kB});
}

}  // namespace
}  // namespace troupe
