#include "runtime/history.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>

namespace troupe {
namespace {

std::size_t size_of(const Record& r) {
  std::size_t n = sizeof(Record) + 64 + r.doing.capacity() + r.fault.capacity();
  for (const auto& c : r.causes) n += sizeof(c) + c.text.capacity();
  for (const auto& g : r.guards) n += sizeof(g) + g.rule.capacity() + g.text.capacity();
  for (const auto& e : r.effects) n += sizeof(e) + e.key.capacity() + e.text.capacity();
  return n;
}

bool same_rules(const std::vector<Guard>& a, const std::vector<Guard>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Guard& x, const Guard& y) { return x.rule == y.rule; });
}

// What became of an effect is always news.
bool brings_result(const Record& r) {
  return std::any_of(r.causes.begin(), r.causes.end(),
                     [](const auto& c) { return c.type == CauseType::EffectResult; });
}

bool says_nothing_new(const Record& last, const Record& next) {
  return !brings_result(next) && next.effects.empty() && next.fault.empty() && last.fault.empty() &&
         last.doing == next.doing && same_rules(last.guards, next.guards);
}

bool mentions(const Record& r, CausalId id) {
  return r.id == id ||
         std::any_of(r.causes.begin(), r.causes.end(), [id](const auto& c) { return c.id == id; });
}

}  // namespace

struct History::Impl {
  using Entries = std::list<Record>;  // of the whole process, oldest first
  struct Actor {
    std::deque<Entries::iterator> records;
    std::uint64_t sequence = 0;
  };

  explicit Impl(std::size_t b) : budget(b) {}

  void drop_oldest_of(Actor& actor) {
    const auto it = actor.records.front();
    bytes -= size_of(*it);
    actor.records.pop_front();
    entries.erase(it);
    ++evicted;
  }

  // The oldest of the process is the oldest of its actor too, as both are in order of arrival.
  void drop_oldest() { drop_oldest_of(actors.at(entries.front().actor)); }

  std::size_t budget;
  mutable std::mutex mutex;
  Entries entries;
  std::unordered_map<ActorId, Actor> actors;
  std::size_t bytes = 0;
  std::uint64_t evicted = 0;
};

History::History(std::size_t budget_bytes) : impl_(std::make_unique<Impl>(budget_bytes)) {}
History::~History() = default;

void History::add(Record record) {
  const std::scoped_lock lock(impl_->mutex);
  auto& actor = impl_->actors[record.actor];
  if (!actor.records.empty() && says_nothing_new(*actor.records.back(), record)) {
    auto& last = *actor.records.back();
    ++last.quiet_runs;
    last.last_quiet = record.wall;
    return;
  }
  record.sequence = ++actor.sequence;
  impl_->bytes += size_of(record);
  impl_->entries.push_back(std::move(record));
  actor.records.push_back(std::prev(impl_->entries.end()));
  if (actor.records.size() > kMaxRecords) impl_->drop_oldest_of(actor);
  while (impl_->bytes > impl_->budget && impl_->entries.size() > 1) impl_->drop_oldest();
}

void History::forget(ActorId id) {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->actors.find(id);
  if (found == impl_->actors.end()) return;
  for (const auto it : found->second.records) {
    impl_->bytes -= size_of(*it);
    impl_->entries.erase(it);
  }
  impl_->actors.erase(found);
}

std::vector<Record> History::of(ActorId id) const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Record> out;
  const auto found = impl_->actors.find(id);
  if (found == impl_->actors.end()) return out;
  for (const auto it : found->second.records) out.push_back(*it);
  return out;
}

std::vector<Record> History::of(CausalId id) const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Record> out;
  for (const auto& r : impl_->entries)
    if (mentions(r, id)) out.push_back(r);
  return out;
}

std::vector<Record> History::newest(std::size_t count) const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Record> out;
  for (auto it = impl_->entries.rbegin(); it != impl_->entries.rend() && out.size() < count; ++it)
    out.push_back(*it);
  return out;
}

std::size_t History::bytes() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->bytes;
}

std::uint64_t History::evicted() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->evicted;
}

}  // namespace troupe
