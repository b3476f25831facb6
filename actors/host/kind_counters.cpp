#include "actors/host/kind_counters.hpp"

namespace troupe::actors {

KindCounters::KindCounters(std::span<const RegisteredKind> kinds) {
  for (const auto& kind : kinds) {
    if (!kind.counter) continue;
    auto counter = kind.counter();
    const auto rows = counter.rows.size();
    counted_.push_back(
        {kind.info().id, std::move(counter), std::make_unique<std::atomic<std::uint64_t>[]>(rows)});
  }
}

void KindCounters::see(const k8s::Change& change) {
  if (!change.before || !change.after) return;
  for (const auto& each : counted_)
    if (each.kind == change.kind())
      if (const auto row = each.counter.row_of(change.before, change.after))
        each.counts[*row].fetch_add(1, std::memory_order_relaxed);
}

void KindCounters::each(const See& see) const {
  for (const auto& each : counted_)
    for (std::size_t row = 0; row < each.counter.rows.size(); ++row)
      see(each.counter, each.counter.rows[row], each.counts[row].load(std::memory_order_relaxed));
}

}  // namespace troupe::actors
