// One life of an operator's process: the real OperatorCore on CAF's deterministic scheduler, with
// the loop, the timers and the clock of that process in virtual time.
//
// Nothing in it runs but by an event of the Timeline; which of its actors runs next is chance. A
// process can be paused: what would have happened to it happens when it goes on. Its clock may
// stand still meanwhile, as that of a suspended machine does, so that it does not know that its
// Lease is over. It ends by being destroyed: what is on its way from it still arrives, and what is
// on its way to it does not.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "actors/host/operator_core.hpp"
#include "k8s/client/loop.hpp"
#include "runtime/history.hpp"
#include "runtime/timers.hpp"
#include "tests/sim/operator/cluster.hpp"
#include "tests/sim/operator/network.hpp"

namespace troupe::operator_sim {

class Transport;
class Members;

// The Timeline's, less the time that the machine was suspended; and a wall clock of its own.
class ProcessClock final : public Clock {
 public:
  ProcessClock(const Timeline& timeline, const Duration& wall_is_off)
      : timeline_(timeline), wall_is_off_(wall_is_off) {}
  TimePoint now() const override { return timeline_.now() - suspended_; }
  WallTime wall() const override { return wall_at(timeline_.now() + wall_is_off_); }
  void suspended_for(Duration d) { suspended_ += d; }

 private:
  const Timeline& timeline_;
  const Duration& wall_is_off_;
  Duration suspended_{};
};

// Where processes of the operator run, one after the other.
struct Machine {
  explicit Machine(int members) : network(members) {}
  Network network;
  Duration wall_is_off{};  // its wall clock, from everybody else's
};

struct World {
  Timeline& timeline;
  Fleet& fleet;
  Cluster& cluster;
};

class Process final : public k8s::Loop, public std::enable_shared_from_this<Process> {
 public:
  struct Options {
    std::string name;  // unique: the Lease's holder
    std::uint64_t seed = 0;
    std::span<const actors::RegisteredKind> kinds;
  };
  static std::shared_ptr<Process> start(World world, Machine& machine, Options options);
  ~Process() override;

  void pause();
  enum class ClockWas { Running, Suspended };
  void resume(ClockWas clock);
  bool paused() const { return paused_; }
  bool leads() const { return core_->leads(); }
  // Loses what the watches hold: their connections break.
  void break_watches();
  // A server's threads have had a turn.
  void server_turned(int member);

  const std::string& name() const { return options_.name; }
  // When it last asked for a change, of the API server or of a member; its Lease apart.
  TimePoint last_act() const { return last_act_; }
  void acted() { last_act_ = world_.timeline.now(); }
  std::uint64_t runs() const { return core_->actors().totals().runs; }
  std::string doing() const;

  // Runs `task` now, or when the process goes on.
  void run(Task task);
  // The same after `delay`, if the process still lives.
  void later(Duration delay, Task task);

  void post(Task task) override;
  k8s::TimerId call_at(TimePoint at, Task task) override;
  void cancel(k8s::TimerId timer) override;
  const Clock& clock() const override { return clock_; }

  // Of the actors.
  class ActorTimers final : public Timers {
   public:
    explicit ActorTimers(Process& process) : process_(process) {}
    void set(ActorId actor, TimePoint at) override;
    void fire_due();

   private:
    void arm();
    Process& process_;
    TimerQueue queue_;
    TimePoint armed_ = TimePoint::max();
  };

  actors::OperatorCore& core() { return *core_; }
  World& world() { return world_; }
  Network& network() { return machine_.network; }

 private:
  Process(World world, Machine& machine, Options options);
  void begin();
  void wait(std::uint64_t timer, TimePoint at, Task task);
  void schedule_turn();
  void turn();

  World world_;
  Machine& machine_;
  Options options_;
  ProcessClock clock_;
  bool paused_ = false;
  TimePoint paused_at_;
  std::deque<Task> backlog_;
  std::uint64_t next_timer_ = 1;
  std::set<std::uint64_t> timers_;
  bool turn_pending_ = false;
  TimePoint last_act_;
  History history_{std::size_t{64} << 10};
  caf::actor_system_config caf_config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  ActorTimers actor_timers_{*this};
  std::shared_ptr<Transport> transport_;
  std::shared_ptr<Members> members_;
  std::unique_ptr<actors::OperatorCore> core_;
};

}  // namespace troupe::operator_sim
