#include "runtime/history.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>

#include "runtime/model/backoff.hpp"
#include "runtime/model/id_index.hpp"
#include "runtime/model/record_codec.hpp"

namespace troupe {
namespace {

using Number = std::uint32_t;  // of a record in its shard
constexpr Number kNone = UINT32_MAX;

struct Kept {
  ActorId actor;
  std::uint64_t arrival = 0;  // among all records of the process; 0: a free place
  std::unique_ptr<char[]> bytes;
  std::uint32_t size = 0;
  std::uint32_t quiet_runs = 0;
  WallTime last_quiet;
  Number successor = kNone;  // the next one of the same actor
  // In the list of those that have a successor, by when they got it.
  Number before = kNone, after = kNone;

  std::string_view view() const { return {bytes.get(), size}; }
  std::size_t cost() const { return sizeof(Kept) + size; }
};

struct Story {
  Number oldest = kNone, newest = kNone;
  std::uint32_t count = 0;
  std::uint64_t sequence = 0;
  std::optional<std::uint64_t> saying;  // of the last run, if the next one may repeat it
};

std::uint64_t key_of(CausalId id) { return mix(id.value, 0); }

// What makes two runs the same to a reader: what it is doing, and which rules hold it back.
std::uint64_t saying_of(const Record& run) {
  const std::hash<std::string_view> hash;
  std::uint64_t all = hash(run.doing);
  for (const auto& guard : run.guards) all = mix(all, hash(guard.rule));
  return all;
}

bool brings_result(const Record& run, std::span<const Cause> causes) {
  const auto is_result = [](const auto& c) { return c.type == CauseType::EffectResult; };
  return std::any_of(causes.begin(), causes.end(), is_result) ||
         std::any_of(run.causes.begin(), run.causes.end(), is_result);
}

// The chains that lead to a record, each once.
std::vector<CausalId> chains_of(const Record& record) {
  std::vector<CausalId> ids{record.id};
  for (const auto& cause : record.causes) ids.push_back(cause.id);
  std::erase_if(ids, [](CausalId id) { return !id; });
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Record record_of(const Kept& kept) {
  auto record = decode(kept.view());
  record.actor = kept.actor;
  record.quiet_runs = kept.quiet_runs;
  record.last_quiet = kept.last_quiet;
  return record;
}

// A record on its way out, to be put in order with those of other shards.
struct Found {
  std::uint64_t arrival;
  Record record;
};

class Shard {
 public:
  void set_budget(std::size_t bytes) { budget_ = bytes; }

  // True if the run was only counted.
  bool repeats(const Record& run, std::uint64_t saying) {
    const std::scoped_lock lock(mutex_);
    const auto story = stories_.find(run.actor);
    if (story == stories_.end() || story->second.saying != saying) return false;
    auto& last = kept_[story->second.newest];
    ++last.quiet_runs;
    last.last_quiet = run.wall;
    if (!run.guards.empty()) renew_guards(last, run.guards);
    return true;
  }

  std::uint64_t next_sequence(ActorId actor) {
    const std::scoped_lock lock(mutex_);
    return ++stories_[actor].sequence;
  }

  void add(const Record& record, std::string_view bytes, std::uint64_t arrival,
           std::optional<std::uint64_t> saying) {
    const auto chains = chains_of(record);
    const std::scoped_lock lock(mutex_);
    const auto number = place();
    auto& kept = kept_[number];
    kept.actor = record.actor;
    kept.arrival = arrival;
    put(kept, bytes);
    bytes_ += sizeof(Kept);
    for (const auto id : chains) chains_.insert(key_of(id), number);

    auto& story = stories_[record.actor];
    if (story.newest == kNone) {
      story.oldest = number;
    } else {
      kept_[story.newest].successor = number;
      append(story.newest);
    }
    story.newest = number;
    story.saying = saying;
    if (++story.count > History::kMaxRecords) evict(story.oldest);
    while (succeeded_bytes_ > budget_) evict(first_);
  }

  void forget(ActorId actor) {
    const std::scoped_lock lock(mutex_);
    const auto found = stories_.find(actor);
    if (found == stories_.end()) return;
    for (auto number = found->second.oldest; number != kNone;) {
      const auto next = kept_[number].successor;
      if (next != kNone) unlink(number);
      drop(number);
      number = next;
    }
    stories_.erase(found);
  }

  void of(ActorId actor, std::vector<Record>& out) const {
    const std::scoped_lock lock(mutex_);
    const auto found = stories_.find(actor);
    if (found == stories_.end()) return;
    for (auto n = found->second.oldest; n != kNone; n = kept_[n].successor)
      out.push_back(record_of(kept_[n]));
  }

  void of(CausalId id, std::size_t limit, std::vector<Found>& out) const {
    const std::scoped_lock lock(mutex_);
    const auto found = chains_.find(key_of(id));
    tell({found.begin(), found.end()}, limit, std::less<>(), out);
  }

  void newest(std::size_t count, std::vector<Found>& out) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Number> all;
    for (Number n = 0; n < kept_.size(); ++n)
      if (kept_[n].arrival) all.push_back(n);
    tell(std::move(all), count, std::greater<>(), out);
  }

  std::size_t bytes() const {
    const std::scoped_lock lock(mutex_);
    return bytes_;
  }
  std::size_t budgeted_bytes() const {
    const std::scoped_lock lock(mutex_);
    return succeeded_bytes_;
  }
  std::uint64_t evicted() const {
    const std::scoped_lock lock(mutex_);
    return evicted_;
  }

 private:
  // The first `limit` of them in that order of arrival.
  template <class Order>
  void tell(std::vector<Number> numbers, std::size_t limit, Order order,
            std::vector<Found>& out) const {
    const auto cut = numbers.begin() + static_cast<std::ptrdiff_t>(std::min(limit, numbers.size()));
    if (cut != numbers.end())
      std::nth_element(numbers.begin(), cut, numbers.end(), [&](Number a, Number b) {
        return order(kept_[a].arrival, kept_[b].arrival);
      });
    for (auto n = numbers.begin(); n != cut; ++n)
      out.push_back({kept_[*n].arrival, record_of(kept_[*n])});
  }

  void put(Kept& kept, std::string_view bytes) {
    bytes_ += bytes.size();
    bytes_ -= kept.size;
    if (bytes.size() != kept.size) kept.bytes.reset(new char[bytes.size()]);
    std::memcpy(kept.bytes.get(), bytes.data(), bytes.size());
    kept.size = static_cast<std::uint32_t>(bytes.size());
  }

  // Only the last record of an actor: its size counts in no budget.
  void renew_guards(Kept& last, const std::vector<Guard>& guards) {
    auto record = decode(last.view());
    if (record.guards == guards) return;
    record.guards = guards;
    put(last, encode(record));
  }

  Number place() {
    if (free_.empty()) {
      kept_.emplace_back();
      return static_cast<Number>(kept_.size() - 1);
    }
    const auto number = free_.back();
    free_.pop_back();
    return number;
  }

  void append(Number number) {
    auto& kept = kept_[number];
    kept.before = last_;
    kept.after = kNone;
    (last_ == kNone ? first_ : kept_[last_].after) = number;
    last_ = number;
    succeeded_bytes_ += kept.cost();
  }

  void unlink(Number number) {
    auto& kept = kept_[number];
    (kept.before == kNone ? first_ : kept_[kept.before].after) = kept.after;
    (kept.after == kNone ? last_ : kept_[kept.after].before) = kept.before;
    succeeded_bytes_ -= kept.cost();
  }

  // One that has a successor; it is the oldest of its actor, as those get theirs in order.
  void evict(Number number) {
    auto& story = stories_.find(kept_[number].actor)->second;
    story.oldest = kept_[number].successor;
    --story.count;
    ++evicted_;
    unlink(number);
    drop(number);
  }

  void drop(Number number) {
    auto& kept = kept_[number];
    for (const auto id : chains_of(decode(kept.view()))) chains_.erase(key_of(id), number);
    bytes_ -= kept.cost();
    kept = Kept{};
    free_.push_back(number);
  }

  mutable std::mutex mutex_;
  std::deque<Kept> kept_;
  std::vector<Number> free_;
  boost::unordered_flat_map<ActorId, Story, std::hash<ActorId>> stories_;
  IdIndex<Number> chains_;
  Number first_ = kNone, last_ = kNone;
  std::size_t budget_ = 0;
  std::size_t succeeded_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t evicted_ = 0;
};

// The first `limit` in that order of arrival.
template <class Order>
std::vector<Record> in_order(std::vector<Found> found, std::size_t limit, Order order) {
  std::sort(found.begin(), found.end(),
            [&](const Found& a, const Found& b) { return order(a.arrival, b.arrival); });
  if (found.size() > limit)
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
  std::vector<Record> out;
  out.reserve(found.size());
  for (auto& f : found) out.push_back(std::move(f.record));
  return out;
}

}  // namespace

struct History::Impl {
  std::size_t budget = 0;
  std::array<Shard, kShards> shards;
  std::atomic<std::uint64_t> arrivals{0};

  Shard& shard(ActorId actor) { return shards[actor.place() % kShards]; }
};

History::History(std::size_t budget_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->budget = budget_bytes;
  for (auto& shard : impl_->shards) shard.set_budget(budget_bytes / kShards);
}
History::~History() = default;

void History::add(Record run, std::span<const Cause> causes) {
  Shard& shard = impl_->shard(run.actor);
  std::optional<std::uint64_t> saying;
  if (run.fault.empty()) {
    saying = saying_of(run);
    if (run.effects.empty() && !brings_result(run, causes) && shard.repeats(run, *saying)) return;
  }
  for (const auto& c : causes) run.causes.push_back({c.type, c.id, c.text(), c.at});
  run.sequence = shard.next_sequence(run.actor);
  const auto arrival = impl_->arrivals.fetch_add(1, std::memory_order_relaxed) + 1;
  shard.add(run, encode(run), arrival, saying);
}

void History::forget(ActorId id) { impl_->shard(id).forget(id); }

std::vector<Record> History::of(ActorId id) const {
  std::vector<Record> out;
  impl_->shard(id).of(id, out);
  return out;
}

std::vector<Record> History::of(CausalId id, std::size_t limit) const {
  std::vector<Found> found;
  for (const auto& shard : impl_->shards) shard.of(id, limit, found);
  return in_order(std::move(found), limit, std::less<>());
}

std::vector<Record> History::newest(std::size_t count) const {
  std::vector<Found> found;
  for (const auto& shard : impl_->shards) shard.newest(count, found);
  return in_order(std::move(found), count, std::greater<>());
}

std::size_t History::bytes() const {
  std::size_t all = 0;
  for (const auto& shard : impl_->shards) all += shard.bytes();
  return all;
}

std::size_t History::budgeted_bytes() const {
  std::size_t all = 0;
  for (const auto& shard : impl_->shards) all += shard.budgeted_bytes();
  return all;
}

std::size_t History::budget() const { return impl_->budget; }

std::uint64_t History::evicted() const {
  std::uint64_t all = 0;
  for (const auto& shard : impl_->shards) all += shard.evicted();
  return all;
}

}  // namespace troupe
