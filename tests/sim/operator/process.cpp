#include "tests/sim/operator/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <caf/atom.hpp>
#include <utility>

#include "tests/sim/operator/members.hpp"
#include "tests/sim/operator/transport.hpp"

namespace troupe::operator_sim {
namespace {

using std::chrono::milliseconds;

// How long an actor that can run may wait for a thread.
constexpr Duration kTurnMax = milliseconds(2);

// As the operator's, but shorter in proportion: a seed has a minute of faults.
k8s::LeaseOptions lease_of(const std::string& holder) {
  return {.ns = std::string(kOperatorNs),
          .name = "troupe-operator",
          .identity = holder,
          .lease_duration = std::chrono::seconds(6),
          .renew_deadline = milliseconds(4500),
          .retry_period = std::chrono::seconds(1)};
}

}  // namespace

std::shared_ptr<Process> Process::start(World world, Machine& machine, Options options) {
  auto process = std::shared_ptr<Process>(new Process(world, machine, std::move(options)));
  world.timeline.tell("{}: starts", process->name());
  process->begin();
  return process;
}

Process::Process(World world, Machine& machine, Options options)
    : world_(world),
      machine_(machine),
      options_(std::move(options)),
      clock_(world.timeline, machine.wall_is_off) {
  caf_config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(caf_config_);
  scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  actors::CoreOptions core{.kinds = options_.kinds,
                           .namespaces = {},
                           .settings = settings(),
                           .lease = lease_of(options_.name),
                           .identity = options_.name,
                           .seed = options_.seed};
  core_ = std::make_unique<actors::OperatorCore>(
      actors::CoreHost{*system_, clock_, actor_timers_, history_}, std::move(core));
}

Process::~Process() {
  world_.timeline.tell("{}: ends", name());
  members_->close();
  transport_->close();
  core_.reset();
  scheduler_->run();  // CAF's side of the actors that have ended
}

void Process::begin() {
  transport_ = std::make_shared<Transport>(*this);
  members_ = std::make_shared<Members>(*this);
  core_->connect(*this, *transport_);
  core_->open({.ask_agent =
                   [this](const std::string& endpoint, agent::Command command, auto done) {
                     members_->ask(endpoint, std::move(command), std::move(done));
                   },
               .probe_now = [this](const mysql::EndpointId& server,
                                   auto done) { members_->probe_now(server, std::move(done)); },
               .watchers = members_->watchers(),
               .leading =
                   [this](bool leads) {
                     world_.timeline.tell("{}: {}", name(), leads ? "leads" : "leads no more");
                   }});
  core_->begin();
  schedule_turn();
}

// --- pausing -------------------------------------------------------------------------------------

void Process::pause() {
  if (std::exchange(paused_, true)) return;
  paused_at_ = world_.timeline.now();
  world_.timeline.tell("{}: is paused", name());
}

void Process::resume(ClockWas clock) {
  if (!std::exchange(paused_, false)) return;
  world_.timeline.tell("{}: goes on{}", name(),
                       clock == ClockWas::Suspended ? ", its clock has stood still" : "");
  if (clock == ClockWas::Suspended) clock_.suspended_for(world_.timeline.now() - paused_at_);
  // In the order in which it came, but at once.
  for (auto& task : std::exchange(backlog_, {})) post(std::move(task));
}

void Process::break_watches() { transport_->break_watches(); }

void Process::server_turned(int member) {
  if (!paused_) members_->look_at_agents_of(member);
}

std::string Process::doing() const {
  std::string text;
  for (const auto& actor : core_->actors().list())
    text +=
        fmt::format("{}{} {}: {}", text.empty() ? "" : "; ", actor.kind, actor.name, actor.doing);
  return text;
}

// --- the loop ------------------------------------------------------------------------------------

void Process::run(Task task) {
  if (paused_) {
    backlog_.push_back(std::move(task));
    return;
  }
  task();
  schedule_turn();
}

void Process::later(Duration delay, Task task) {
  world_.timeline.after(delay, [weak = weak_from_this(), task = std::move(task)]() mutable {
    if (const auto self = weak.lock()) self->run(std::move(task));
  });
}

void Process::post(Task task) { later({}, std::move(task)); }

k8s::TimerId Process::call_at(TimePoint at, Task task) {
  const auto id = next_timer_++;
  timers_.insert(id);
  wait(id, at, std::move(task));
  return k8s::TimerId{id};
}

void Process::wait(std::uint64_t id, TimePoint at, Task task) {
  later(std::max(Duration::zero(), at - clock_.now()), [this, id, at, task = std::move(task)] {
    if (clock_.now() < at) return wait(id, at, task);  // it has stood still
    if (timers_.erase(id) != 0) task();
  });
}

void Process::cancel(k8s::TimerId timer) { timers_.erase(timer.value); }

// --- actors --------------------------------------------------------------------------------------

void Process::ActorTimers::set(ActorId actor, TimePoint at) {
  queue_.set(actor, at);
  arm();
}

void Process::ActorTimers::arm() {
  const auto next = queue_.next();
  if (!next || *next >= armed_) return;
  armed_ = *next;
  process_.later(std::max(Duration::zero(), *next - process_.clock_.now()), [this, at = *next] {
    if (armed_ == at) fire_due();
  });
}

void Process::ActorTimers::fire_due() {
  armed_ = TimePoint::max();
  for (const auto actor : queue_.take_due(process_.clock_.now())) process_.core_->fire(actor);
  arm();
}

void Process::schedule_turn() {
  if (turn_pending_ || !scheduler_->has_job()) return;
  turn_pending_ = true;
  later(world_.timeline.chance.between({}, kTurnMax), [this] { turn(); });
}

void Process::turn() {
  turn_pending_ = false;
  auto& jobs = scheduler_->jobs;
  if (jobs.empty()) return;
  std::swap(
      jobs.front(),
      jobs[static_cast<std::size_t>(world_.timeline.chance.pick(static_cast<int>(jobs.size())))]);
  scheduler_->run_once();
}

}  // namespace troupe::operator_sim
