#include "k8s/client/call_queue.hpp"

#include <algorithm>
#include <utility>

namespace troupe::k8s {

std::size_t ObjectKeyHash::operator()(const ObjectKey& key) const noexcept {
  const std::hash<std::string> hash;
  return hash(key.name) * 31 + hash(key.ns) * 17 + static_cast<std::uint32_t>(key.kind);
}

bool CallQueue::push(std::uint64_t call, const ObjectKey& object, Urgency urgency) {
  if (waiting_ >= limits_.waiting) return false;
  auto& lane = lanes_[object];
  if (lane.calls.size() >= limits_.waiting_an_object) return false;
  lane.calls.push_back({call, urgency});
  ++waiting_;
  enqueue(object, lane);
  return true;
}

// An urgent call pulls those of its object that stand before it along.
void CallQueue::enqueue(const ObjectKey& object, Lane& lane) {
  if (lane.busy || lane.calls.empty()) return;
  const bool urgent = std::any_of(lane.calls.begin(), lane.calls.end(), [](const Waiting& each) {
    return each.urgency == Urgency::Urgent;
  });
  auto& queued = urgent ? lane.urgent_queued : lane.queued;
  if (!std::exchange(queued, true)) (urgent ? urgent_ : ready_).push_back(object);
}

std::optional<std::uint64_t> CallQueue::pop() {
  if (in_flight_ >= limits_.in_flight) return std::nullopt;
  if (const auto call = pop_from(urgent_, &Lane::urgent_queued)) return call;
  return pop_from(ready_, &Lane::queued);
}

std::optional<std::uint64_t> CallQueue::pop_from(std::deque<ObjectKey>& ready, bool Lane::*queued) {
  while (!ready.empty()) {
    const auto object = std::move(ready.front());
    ready.pop_front();
    const auto found = lanes_.find(object);
    if (found == lanes_.end()) continue;
    auto& lane = found->second;
    lane.*queued = false;
    if (lane.busy || lane.calls.empty()) continue;  // went by the other queue, or was removed
    const auto call = lane.calls.front().call;
    lane.calls.pop_front();
    lane.busy = true;
    --waiting_;
    ++in_flight_;
    return call;
  }
  return std::nullopt;
}

void CallQueue::done(const ObjectKey& object) {
  const auto found = lanes_.find(object);
  if (found == lanes_.end() || !found->second.busy) return;
  found->second.busy = false;
  --in_flight_;
  if (found->second.calls.empty()) {
    lanes_.erase(found);
  } else {
    enqueue(object, found->second);
  }
}

void CallQueue::remove(std::uint64_t call, const ObjectKey& object) {
  const auto found = lanes_.find(object);
  if (found == lanes_.end()) return;
  auto& lane = found->second;
  waiting_ -= std::erase_if(lane.calls, [&](const Waiting& each) { return each.call == call; });
  if (lane.calls.empty() && !lane.busy) lanes_.erase(found);
}

}  // namespace troupe::k8s
