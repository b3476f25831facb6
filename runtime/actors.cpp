#include "runtime/actors.hpp"

#include <array>
#include <map>
#include <mutex>
#include <thread>

#include "caf/actor_system.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "runtime/model/time.hpp"

namespace troupe {
namespace {

struct RunNow {};
struct Stop {};
struct Ask {
  std::function<void(const Logic&)> look;
};

}  // namespace
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RunNow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Ask)

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

// Whether a cause is kept where `waiting` are already: results all are, as each tells of something
// that will not be told again, and alarms have some room of their own.
bool is_kept(const Cause& cause, std::size_t waiting) {
  if (cause.type == CauseType::EffectResult) return true;
  return waiting < (cause.alarm ? 2 : 1) * Actors::kMaxCauses;
}

// What the outside knows of an actor, and what waits for it.
struct Slot {
  mutable SpinLock lock;
  bool live = false;    // `id` means somebody
  bool queued = false;  // a RunNow is in the mailbox
  bool busy = false;    // somebody has the turn: calls the logic, or destroys it
  bool failing = false;
  bool quarantined = false;
  bool released = false;
  std::uint32_t merged = 0;
  std::uint32_t guards = 0;
  ActorId id;
  std::unique_ptr<Logic> logic;  // of whoever has the turn
  std::vector<Cause> inbox;
  caf::actor handle;
  KindActivity* kind = nullptr;
  std::string name;
  std::uint64_t runs = 0;
  std::uint64_t faults = 0;
  std::string doing;
  WallTime last_run;
};

// With the slot's lock held.
ActorInfo info_of(const Slot& slot) {
  return {slot.id,      slot.kind->kind,  slot.name,
          slot.runs,    slot.faults,      static_cast<std::uint32_t>(slot.inbox.size()),
          slot.failing, slot.quarantined, slot.doing,
          slot.guards,  slot.last_run};
}

void more(KindActivity::Count& count, std::uint64_t by = 1) noexcept {
  count.fetch_add(by, std::memory_order_relaxed);
}
void less(KindActivity::Count& count) noexcept { count.fetch_sub(1, std::memory_order_relaxed); }

constexpr std::size_t kChunk = 1024;
using Chunk = std::array<Slot, kChunk>;

}  // namespace

struct Actors::Impl {
  Impl(caf::actor_system& s, const Clock& c, Timers& t, History& h)
      : system(s), clock(c), timers(t), history(h) {}

  // `look` runs on an actor thread; never if the actor stops first.
  void ask(ActorId id, std::function<void(const Logic&)> look) const;
  // The slot at the id's place, whoever has it now.
  Slot* at_place(ActorId id) const {
    if (!id) return nullptr;
    const auto* chunk = chunks[id.place() / kChunk].load(std::memory_order_acquire);
    return chunk ? const_cast<Slot*>(&(*chunk)[id.place() % kChunk]) : nullptr;
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
    return ActorId{used++};
  }

  void vacate(ActorId id) {
    const std::scoped_lock guard(mutex);
    if (const auto next = id.next()) free.push_back(next);
  }

  KindActivity* kind_of(const std::string& name) {
    const std::scoped_lock guard(mutex);
    auto& kind = kinds[name];
    if (!kind) kind = std::make_unique<KindActivity>(name);
    return kind.get();
  }

  void push(ActorId id, Cause&& cause, bool release = false) {
    Slot* slot = at_place(id);
    if (!slot) return;
    caf::actor target;
    {
      const std::scoped_lock guard(slot->lock);
      if (!slot->live || slot->id != id) return;
      slot->released |= release;
      if (is_kept(cause, slot->inbox.size())) {
        slot->inbox.push_back(std::move(cause));
      } else {
        ++slot->merged;
        more(slot->kind->merged);
      }
      if (slot->queued) return;
      slot->queued = true;
      more(slot->kind->queued);
      more(slot->kind->waiting);
      target = slot->handle;
    }
    caf::anon_send(target, RunNow{});
  }

  // With the slot's lock held.
  void unqueue(Slot& slot) {
    if (std::exchange(slot.queued, false)) less(slot.kind->waiting);
  }

  // By whoever has the turn, once the actor is not live any more.
  void finish(Slot& slot, ActorId id) {
    slot.logic.reset();
    timers.set(id, TimePoint::max());
    history.forget(id);
    {
      const std::scoped_lock guard(slot.lock);
      slot.busy = false;
    }
    vacate(id);
  }

  caf::actor_system& system;
  const Clock& clock;
  Timers& timers;
  History& history;

  std::array<std::atomic<Chunk*>, kMaxActors / kChunk> chunks{};
  mutable std::mutex mutex;  // of allocation
  std::vector<std::unique_ptr<Chunk>> owned;
  std::vector<ActorId> free;
  std::map<std::string, std::unique_ptr<KindActivity>> kinds;
  std::size_t used = 0;

  std::atomic<std::uint64_t> causal{0};
};

namespace {

// The right to call an actor's logic, which one thread has at a time. If the actor is stopped
// meanwhile, the turn's end is the actor's.
class Turn {
 public:
  Turn(Actors::Impl& impl, ActorId id) : impl_(impl), id_(id), slot_(*impl.at_place(id)) {
    const std::scoped_lock guard(slot_.lock);
    if (!slot_.live || slot_.id != id) return;
    has_it_ = slot_.busy = true;
  }
  ~Turn() {
    if (!has_it_) return;
    {
      const std::scoped_lock guard(slot_.lock);
      if (slot_.live) {
        slot_.busy = false;
        return;
      }
    }
    impl_.finish(slot_, id_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  explicit operator bool() const { return has_it_; }
  Slot& slot() { return slot_; }
  Logic& logic() { return *slot_.logic; }

 private:
  Actors::Impl& impl_;
  const ActorId id_;
  Slot& slot_;
  bool has_it_ = false;
};

// The CAF side of an object. It decides nothing.
class ObjectActor final : public caf::event_based_actor {
 public:
  ObjectActor(caf::actor_config& cfg, std::shared_ptr<Actors::Impl> impl, ActorId id)
      : caf::event_based_actor(cfg), impl_(std::move(impl)), id_(id) {
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
    return {[this](const RunNow&) { run(); }, [this](const Ask& ask) { be_looked_at(ask); },
            [this](const Stop&) { quit(); }};
  }

 private:
  struct Told {
    std::vector<Cause> causes;
    std::uint32_t merged = 0;
    bool released = false;
  };

  void be_looked_at(const Ask& ask) {
    if (Turn turn(*impl_, id_); turn) ask.look(turn.logic());
  }

  Told take_causes(Slot& slot) {
    const std::scoped_lock guard(slot.lock);
    impl_->unqueue(slot);
    return {std::exchange(slot.inbox, {}), std::exchange(slot.merged, 0),
            std::exchange(slot.released, false)};
  }

  void run() {
    Turn turn(*impl_, id_);
    if (!turn) return;
    auto told = take_causes(turn.slot());
    const auto begin = impl_->clock.now();
    turn.logic().absorb(told.causes, begin);
    if (begin < retry_at_ && !told.released) return hold_back(turn.slot(), std::move(told));
    if (held_) {
      told.causes.insert(told.causes.begin(), std::make_move_iterator(held_->causes.begin()),
                         std::make_move_iterator(held_->causes.end()));
      told.merged += held_->merged;
      held_.reset();
    }

    auto& kind = *turn.slot().kind;
    more(kind.running);
    if (!told.causes.empty()) kind.waited.observe(begin - told.causes.front().at);
    Record record;
    record.actor = id_;
    record.at = begin;
    record.wall = impl_->clock.wall();
    record.merged_causes = told.merged;
    try {
      auto outcome = turn.logic().run(told.causes, begin);
      succeed(turn.slot(), record, outcome);
    } catch (const std::exception& e) {
      fail(turn, record, told.causes, e.what());
    } catch (...) {
      fail(turn, record, told.causes, "an exception of unknown type");
    }
    record.took = impl_->clock.now() - begin;
    kind.took.observe(record.took);
    less(kind.running);
    impl_->history.add(std::move(record), told.causes);
  }

  // What is absorbed while the actor may not run is told by the run that comes next. Kept as text:
  // a cause's subject may hold a whole batch of snapshots, and this can take minutes.
  void hold_back(Slot& slot, Told&& told) {
    if (!held_) held_ = std::make_unique<Told>();
    held_->merged += told.merged;
    for (const auto& c : told.causes) {
      if (is_kept(c, held_->causes.size())) {
        held_->causes.push_back(make_cause(c.type, c.id, c.at, c.text()));
        held_->causes.back().alarm = c.alarm;
      } else {
        ++held_->merged;
        more(slot.kind->merged);
      }
    }
  }

  void succeed(Slot& slot, Record& record, Logic::Outcome& outcome) {
    faults_in_a_row_ = 0;
    retry_at_ = TimePoint{};
    record.id = outcome.id;
    record.doing = std::move(outcome.doing);
    record.guards = std::move(outcome.guards);
    record.effects = std::move(outcome.effects);
    // Most runs name no time and find none set: they leave the timers' lock alone.
    const bool named = outcome.wake != TimePoint::max();
    if (named || timer_set_) impl_->timers.set(id_, outcome.wake);
    timer_set_ = named;
    const std::scoped_lock guard(slot.lock);
    more(named ? slot.kind->succeeded_with_wake : slot.kind->succeeded);
    if (outcome.retries) more(slot.kind->retries, outcome.retries);
    if (std::exchange(slot.quarantined, false)) less(slot.kind->quarantined);
    ++slot.runs;
    slot.failing = false;
    if (slot.doing != record.doing) slot.doing = record.doing;
    slot.guards = static_cast<std::uint32_t>(record.guards.size());
    slot.last_run = record.wall;
  }

  void fail(Turn& turn, Record& record, std::span<const Cause> causes, const std::string& what) {
    ++faults_in_a_row_;
    const bool quarantine = faults_in_a_row_ >= Actors::kQuarantineAfter;
    const auto delay = quarantine
                           ? Actors::kQuarantine
                           : Backoff{}.delay(faults_in_a_row_, mix(id_.value, faults_in_a_row_));
    retry_at_ = impl_->clock.now() + delay;
    record.id = causes.empty() ? CausalId{} : causes.front().id;
    record.fault = what;
    {
      Slot& slot = turn.slot();
      const std::scoped_lock guard(slot.lock);
      ++slot.runs;
      ++slot.faults;
      more(slot.kind->faults);
      slot.failing = true;
      slot.last_run = record.wall;
      if (quarantine && slot.live && !std::exchange(slot.quarantined, true))
        more(slot.kind->quarantined);
    }
    turn.logic().faulted(what, quarantine, record.id);
    impl_->timers.set(id_, retry_at_);
    timer_set_ = true;
  }

  std::shared_ptr<Actors::Impl> impl_;
  ActorId id_;
  std::unique_ptr<Told> held_;
  std::uint32_t faults_in_a_row_ = 0;
  bool timer_set_ = false;
  TimePoint retry_at_;
};

}  // namespace

Actors::Actors(caf::actor_system& system, const Clock& clock, Timers& timers, History& history)
    : impl_(std::make_shared<Impl>(system, clock, timers, history)) {}

Actors::~Actors() {
  for (std::size_t place = 0; place < impl_->used; ++place) {
    Slot& slot = *impl_->at_place(ActorId{place});
    const auto look = [&slot](auto member) {
      const std::scoped_lock guard(slot.lock);
      return slot.*member;
    };
    stop(look(&Slot::id));
    while (look(&Slot::busy)) std::this_thread::yield();
  }
}

ActorId Actors::spawn(std::string kind, std::string name,
                      const std::function<std::unique_ptr<Logic>(ActorId)>& make) {
  auto* activity = impl_->kind_of(kind);
  const auto id = impl_->allocate();
  std::unique_ptr<Logic> logic;
  caf::actor handle;
  try {
    logic = make(id);
    handle = impl_->system.spawn<ObjectActor>(impl_, id);
  } catch (...) {
    logic.reset();
    impl_->vacate(id);
    throw;
  }
  Slot& slot = *impl_->at_place(id);
  const std::scoped_lock guard(slot.lock);
  slot.live = true;
  slot.id = id;
  slot.logic = std::move(logic);
  slot.failing = slot.quarantined = slot.released = false;
  slot.last_run = WallTime{};
  slot.merged = slot.guards = 0;
  slot.runs = slot.faults = 0;
  slot.doing.clear();
  slot.kind = activity;
  slot.name = std::move(name);
  slot.handle = std::move(handle);
  more(activity->actors);
  return id;
}

void Actors::stop(ActorId id) {
  Slot* slot = impl_->at_place(id);
  if (!slot) return;
  caf::actor handle;
  bool ours = false;
  std::vector<Cause> dropped;
  {
    const std::scoped_lock guard(slot->lock);
    if (!slot->live || slot->id != id) return;
    slot->live = false;
    if (std::exchange(slot->quarantined, false)) less(slot->kind->quarantined);
    impl_->unqueue(*slot);
    less(slot->kind->actors);
    handle = std::move(slot->handle);
    dropped.swap(slot->inbox);
    ours = !std::exchange(slot->busy, true);
  }
  if (ours) impl_->finish(*slot, id);
  caf::anon_send(handle, Stop{});
}

void Actors::wake(ActorId actor, Cause cause) { impl_->push(actor, std::move(cause)); }

void Actors::wake(std::span<const Wake> wakes) {
  for (const auto& w : wakes) impl_->push(w.actor, Cause(w.cause));
}

void Actors::release(ActorId actor) {
  impl_->push(
      actor, make_cause(CauseType::Manual, next_causal_id(), impl_->clock.now(), "released"), true);
}

std::optional<ActorInfo> Actors::info(ActorId id) const {
  const Slot* slot = impl_->at_place(id);
  if (!slot) return std::nullopt;
  const std::scoped_lock guard(slot->lock);
  if (!slot->live || slot->id != id) return std::nullopt;
  return info_of(*slot);
}

std::vector<ActorInfo> Actors::list() const {
  std::size_t used = 0;
  {
    const std::scoped_lock guard(impl_->mutex);
    used = impl_->used;
  }
  std::vector<ActorInfo> out;
  out.reserve(used);
  for (std::size_t place = 0; place < used; ++place) {
    const Slot& slot = *impl_->at_place(ActorId{place});
    const std::scoped_lock guard(slot.lock);
    if (slot.live) out.push_back(info_of(slot));
  }
  return out;
}

ActorTotals Actors::totals() const {
  ActorTotals out;
  for (const auto* kind : kinds()) {
    const auto took = kind->took.value();
    out.actors += kind->actors;
    out.runs += took.count();
    out.faults += kind->faults;
    out.quarantined += kind->quarantined;
    out.queued += kind->waiting;
    out.merged_causes += kind->merged;
    out.run_nanoseconds += static_cast<std::uint64_t>(took.sum_seconds * 1e9);
  }
  return out;
}

void Actors::declare(const std::string& kind) { impl_->kind_of(kind); }

std::vector<const KindActivity*> Actors::kinds() const {
  const std::scoped_lock guard(impl_->mutex);
  std::vector<const KindActivity*> out;
  for (const auto& [name, kind] : impl_->kinds) out.push_back(kind.get());
  return out;
}

void Actors::ask_state(ActorId id, std::function<void(std::string)> done) {
  impl_->ask(id, [done = std::move(done)](const Logic& logic) {
    std::string state = "{}";
    try {
      state = logic.state_json();
    } catch (const std::exception&) {
      // Shown without: the console is a courtesy.
    }
    done(std::move(state));
  });
}

void Actors::ask_journal(ActorId id, std::function<void(Result<std::string>)> done) {
  impl_->ask(id, [done = std::move(done)](const Logic& logic) {
    try {
      done(logic.journal());
    } catch (const std::exception& e) {
      done(error(Code::Fatal, e.what()));
    }
  });
}

void Actors::Impl::ask(ActorId id, std::function<void(const Logic&)> look) const {
  const Slot* slot = at_place(id);
  if (!slot) return;
  caf::actor handle;
  {
    const std::scoped_lock guard(slot->lock);
    if (!slot->live || slot->id != id) return;
    handle = slot->handle;
  }
  caf::anon_send(handle, Ask{std::move(look)});
}

CausalId Actors::next_causal_id() {
  return CausalId{impl_->causal.fetch_add(1, std::memory_order_relaxed) + 1};
}

}  // namespace troupe
