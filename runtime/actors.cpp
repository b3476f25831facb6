#include "runtime/actors.hpp"

#include <array>
#include <mutex>

#include "caf/actor_system.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "runtime/model/time.hpp"

namespace troupe {
namespace {

struct RunNow {};
struct Stop {};
struct AskState {
  std::function<void(std::string)> done;
};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RunNow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AskState)

namespace troupe {
namespace {

// A few instructions are all that is ever done under it.
class SpinLock {
 public:
  void lock() noexcept {
    while (flag_.test_and_set(std::memory_order_acquire)) {
      while (flag_.test(std::memory_order_relaxed)) __builtin_ia32_pause();
    }
  }
  void unlock() noexcept { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_ = ATOMIC_FLAG_INIT;
};

// What the outside knows of an actor, and what waits for it.
struct Slot {
  mutable SpinLock lock;
  bool queued = false;  // a RunNow is in the mailbox or being handled
  bool live = false;
  bool failing = false;
  bool quarantined = false;
  std::uint32_t merged = 0;
  std::vector<Cause> inbox;
  caf::actor handle;
  std::string kind;
  std::string name;
  std::uint64_t runs = 0;
  std::uint64_t faults = 0;
  std::string doing;
  std::uint32_t guards = 0;
  WallTime last_run;
};

constexpr std::size_t kChunk = 1024;
using Chunk = std::array<Slot, kChunk>;

}  // namespace

struct Actors::Impl {
  Impl(caf::actor_system& s, const Clock& c, Timers& t, History& h)
      : system(s), clock(c), timers(t), history(h) {}

  Slot* find(ActorId id) const {
    if (!id || id.value >= kMaxActors) return nullptr;
    const auto* chunk = chunks[id.value / kChunk].load(std::memory_order_acquire);
    return chunk ? const_cast<Slot*>(&(*chunk)[id.value % kChunk]) : nullptr;
  }

  ActorId allocate() {
    const std::scoped_lock guard(mutex);
    if (!free.empty()) {
      const auto id = free.back();
      free.pop_back();
      return id;
    }
    if (used == kMaxActors) throw std::length_error("more than 4194304 object actors");
    const auto index = used / kChunk;
    if (!chunks[index].load(std::memory_order_relaxed)) {
      owned.push_back(std::make_unique<Chunk>());
      chunks[index].store(owned.back().get(), std::memory_order_release);
    }
    return ActorId{static_cast<std::uint32_t>(used++)};
  }

  void reuse(ActorId id) {
    const std::scoped_lock guard(mutex);
    free.push_back(id);
  }

  void push(ActorId id, Cause&& cause) {
    Slot* slot = find(id);
    if (!slot) return;
    caf::actor target;
    {
      const std::scoped_lock guard(slot->lock);
      if (!slot->live) return;
      if (slot->inbox.size() < kMaxCauses || cause.type == CauseType::EffectResult) {
        slot->inbox.push_back(std::move(cause));
      } else {
        ++slot->merged;
        merged.fetch_add(1, std::memory_order_relaxed);
      }
      if (slot->queued) return;
      slot->queued = true;
      queued.fetch_add(1, std::memory_order_relaxed);
      target = slot->handle;
    }
    caf::anon_send(target, RunNow{});
  }

  caf::actor_system& system;
  const Clock& clock;
  Timers& timers;
  History& history;

  std::array<std::atomic<Chunk*>, kMaxActors / kChunk> chunks{};
  mutable std::mutex mutex;  // of allocation
  std::vector<std::unique_ptr<Chunk>> owned;
  std::vector<ActorId> free;
  std::size_t used = 0;

  std::atomic<std::uint64_t> causal{0};
  std::atomic<std::uint64_t> runs{0}, faults{0}, merged{0}, quarantined{0}, queued{0}, live{0},
      nanos{0};
};

namespace {

// The CAF side of an object. It decides nothing.
class ObjectActor final : public caf::event_based_actor {
 public:
  ObjectActor(caf::actor_config& cfg, std::shared_ptr<Actors::Impl> impl, ActorId id,
              std::unique_ptr<Logic> logic)
      : caf::event_based_actor(cfg), impl_(std::move(impl)), id_(id), logic_(std::move(logic)) {
    // CAF's defaults answer, print or quit; this actor counts on none of that.
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::message{};
    });
    set_error_handler([](caf::scheduled_actor*, caf::error&) {});
    set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
    set_exit_handler([](caf::scheduled_actor* self, caf::exit_msg& m) {
      if (m.reason) self->quit(m.reason);
    });
    set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) { return caf::error{}; });
  }

  const char* name() const override { return "object"; }

  caf::behavior make_behavior() override {
    return {[this](const RunNow&) { run(); }, [this](const AskState& ask) { ask.done(state()); },
            [this](const Stop&) {
              logic_.reset();
              {
                // A wake that raced with the stop comes after it and is not handled any more.
                Slot& slot = *impl_->find(id_);
                const std::scoped_lock guard(slot.lock);
                unqueue(slot);
              }
              impl_->reuse(id_);
              quit();
            }};
  }

 private:
  std::string state() const {
    try {
      return logic_ ? logic_->state_json() : "{}";
    } catch (const std::exception&) {
      return "{}";
    }
  }

  // With the slot's lock held.
  void unqueue(Slot& slot) {
    if (std::exchange(slot.queued, false)) impl_->queued.fetch_sub(1, std::memory_order_relaxed);
  }

  void run() {
    Slot& slot = *impl_->find(id_);
    std::vector<Cause> causes;
    std::uint32_t merged = 0;
    bool quarantined = false;
    {
      const std::scoped_lock guard(slot.lock);
      causes.swap(slot.inbox);
      merged = std::exchange(slot.merged, 0);
      unqueue(slot);
      quarantined = slot.quarantined;
    }
    if (!logic_) return;
    const auto begin = impl_->clock.now();
    logic_->absorb(causes, begin);
    if (quarantined && !released_by(causes)) return;
    if (begin < retry_at_ && !released_by(causes)) return;

    Record record;
    record.actor = id_;
    record.at = begin;
    record.wall = impl_->clock.wall();
    record.merged_causes = merged;
    for (const auto& c : causes) record.causes.push_back({c.type, c.id, c.text(), c.at});
    try {
      auto outcome = logic_->run(causes, begin);
      succeed(slot, record, outcome);
    } catch (const std::exception& e) {
      fail(slot, record, causes, e.what());
    } catch (...) {
      fail(slot, record, causes, "an exception of unknown type");
    }
    record.took = impl_->clock.now() - begin;
    impl_->runs.fetch_add(1, std::memory_order_relaxed);
    impl_->nanos.fetch_add(static_cast<std::uint64_t>(record.took.count()),
                           std::memory_order_relaxed);
    impl_->history.add(std::move(record));
  }

  static bool released_by(std::span<const Cause> causes) {
    for (const auto& c : causes)
      if (c.type == CauseType::Timer || c.type == CauseType::Manual) return true;
    return false;
  }

  void succeed(Slot& slot, Record& record, Logic::Outcome& outcome) {
    faults_in_a_row_ = 0;
    retry_at_ = TimePoint{};
    record.id = outcome.id;
    record.doing = std::move(outcome.doing);
    record.guards = std::move(outcome.guards);
    record.effects = std::move(outcome.effects);
    impl_->timers.set(id_, outcome.wake);
    const std::scoped_lock guard(slot.lock);
    if (std::exchange(slot.quarantined, false))
      impl_->quarantined.fetch_sub(1, std::memory_order_relaxed);
    ++slot.runs;
    slot.failing = false;
    if (slot.doing != record.doing) slot.doing = record.doing;
    slot.guards = static_cast<std::uint32_t>(record.guards.size());
    slot.last_run = record.wall;
  }

  void fail(Slot& slot, Record& record, std::span<const Cause> causes, const std::string& what) {
    ++faults_in_a_row_;
    impl_->faults.fetch_add(1, std::memory_order_relaxed);
    const bool quarantine = faults_in_a_row_ >= Actors::kQuarantineAfter;
    const auto delay = quarantine
                           ? Actors::kQuarantine
                           : Backoff{}.delay(faults_in_a_row_, mix(id_.value, faults_in_a_row_));
    retry_at_ = impl_->clock.now() + delay;
    record.id = causes.empty() ? CausalId{} : causes.front().id;
    record.fault = what;
    {
      const std::scoped_lock guard(slot.lock);
      ++slot.runs;
      ++slot.faults;
      slot.failing = true;
      slot.last_run = record.wall;
      if (quarantine && slot.live && !std::exchange(slot.quarantined, true))
        impl_->quarantined.fetch_add(1, std::memory_order_relaxed);
    }
    logic_->faulted(what, quarantine, record.id);
    impl_->timers.set(id_, retry_at_);
  }

  std::shared_ptr<Actors::Impl> impl_;
  ActorId id_;
  std::unique_ptr<Logic> logic_;
  std::uint32_t faults_in_a_row_ = 0;
  TimePoint retry_at_;
};

}  // namespace

Actors::Actors(caf::actor_system& system, const Clock& clock, Timers& timers, History& history)
    : impl_(std::make_shared<Impl>(system, clock, timers, history)) {}

Actors::~Actors() {
  for (const auto& actor : list()) stop(actor.id);
}

ActorId Actors::spawn(std::string kind, std::string name,
                      const std::function<std::unique_ptr<Logic>(ActorId)>& make) {
  const auto id = impl_->allocate();
  auto handle = impl_->system.spawn<ObjectActor>(impl_, id, make(id));
  // Of whoever had the id before: a run that was going on when it was stopped.
  impl_->timers.set(id, TimePoint::max());
  impl_->history.forget(id);
  Slot& slot = *impl_->find(id);
  const std::scoped_lock guard(slot.lock);
  slot.live = true;
  slot.failing = slot.quarantined = false;
  slot.last_run = WallTime{};
  slot.merged = slot.guards = 0;
  slot.runs = slot.faults = 0;
  slot.doing.clear();
  slot.kind = std::move(kind);
  slot.name = std::move(name);
  slot.handle = std::move(handle);
  impl_->live.fetch_add(1, std::memory_order_relaxed);
  return id;
}

void Actors::stop(ActorId id) {
  Slot* slot = impl_->find(id);
  if (!slot) return;
  caf::actor handle;
  {
    const std::scoped_lock guard(slot->lock);
    if (!std::exchange(slot->live, false)) return;
    if (std::exchange(slot->quarantined, false))
      impl_->quarantined.fetch_sub(1, std::memory_order_relaxed);
    handle = std::move(slot->handle);
    slot->inbox.clear();
    slot->inbox.shrink_to_fit();
  }
  impl_->live.fetch_sub(1, std::memory_order_relaxed);
  impl_->timers.set(id, TimePoint::max());
  impl_->history.forget(id);
  caf::anon_send(handle, Stop{});
}

void Actors::wake(ActorId actor, Cause cause) { impl_->push(actor, std::move(cause)); }

void Actors::wake(std::span<const Wake> wakes) {
  for (const auto& w : wakes) impl_->push(w.actor, Cause(w.cause));
}

void Actors::release(ActorId actor) {
  wake(actor, make_cause(CauseType::Manual, next_causal_id(), impl_->clock.now(), "released"));
}

std::optional<ActorInfo> Actors::info(ActorId id) const {
  const Slot* slot = impl_->find(id);
  if (!slot) return std::nullopt;
  const std::scoped_lock guard(slot->lock);
  if (!slot->live) return std::nullopt;
  return ActorInfo{id,
                   slot->kind,
                   slot->name,
                   slot->runs,
                   slot->faults,
                   static_cast<std::uint32_t>(slot->inbox.size()),
                   slot->failing,
                   slot->quarantined,
                   slot->doing,
                   slot->guards,
                   slot->last_run};
}

std::vector<ActorInfo> Actors::list() const {
  std::size_t used = 0;
  {
    const std::scoped_lock guard(impl_->mutex);
    used = impl_->used;
  }
  std::vector<ActorInfo> out;
  out.reserve(used);
  for (std::size_t i = 0; i < used; ++i)
    if (auto one = info(ActorId{static_cast<std::uint32_t>(i)})) out.push_back(std::move(*one));
  return out;
}

ActorTotals Actors::totals() const {
  return {impl_->live.load(),        impl_->runs.load(),   impl_->faults.load(),
          impl_->quarantined.load(), impl_->queued.load(), impl_->merged.load(),
          impl_->nanos.load()};
}

void Actors::ask_state(ActorId id, std::function<void(std::string)> done) {
  const Slot* slot = impl_->find(id);
  if (!slot) return;
  caf::actor handle;
  {
    const std::scoped_lock guard(slot->lock);
    if (!slot->live) return;
    handle = slot->handle;
  }
  caf::anon_send(handle, AskState{std::move(done)});
}

CausalId Actors::next_causal_id() {
  return CausalId{impl_->causal.fetch_add(1, std::memory_order_relaxed) + 1};
}

}  // namespace troupe
