#include "k8s/sim/controllers/work_queue.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace troupe::sim {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Keys worked off before the thread is given back: about a millisecond of work.
constexpr int kKeysPerTurn = 32;

}  // namespace

struct WorkQueue::Impl : std::enable_shared_from_this<WorkQueue::Impl> {
  Impl(boost::asio::io_context& io_context, Work w)
      : io(io_context), work(std::move(w)), timer(io_context) {}

  void add(ObjectKey key) {
    if (!queued.insert(key).second) return;
    order.push_back(std::move(key));
    schedule_turn();
  }

  void schedule_turn() {
    if (turn_scheduled || order.empty()) return;
    turn_scheduled = true;
    boost::asio::post(io, [self = shared_from_this()] {
      self->turn_scheduled = false;
      self->take_turn();
    });
  }

  void take_turn() {
    for (int i = 0; i < kKeysPerTurn && !order.empty() && !stopped; ++i) {
      const ObjectKey key = std::move(order.front());
      order.pop_front();
      queued.erase(key);
      work(key);
    }
    if (!stopped) schedule_turn();
  }

  void add_after(ObjectKey key, std::chrono::milliseconds delay) {
    const SteadyTime at = std::chrono::steady_clock::now() + delay;
    const auto known = due_of.find(key);
    if (known != due_of.end()) {
      if (known->second <= at) return;
      due.erase({known->second, key});
      known->second = at;
    } else {
      due_of.emplace(key, at);
    }
    due.insert({at, std::move(key)});
    arm();
  }

  void arm() {
    if (due.empty() || stopped) return;
    timer.expires_at(due.begin()->first);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled && !self->stopped) self->release_due();
    });
  }

  void release_due() {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!due.empty() && due.begin()->first <= now) {
      ObjectKey key = due.begin()->second;
      due.erase(due.begin());
      due_of.erase(key);
      add(std::move(key));
    }
    arm();
  }

  boost::asio::io_context& io;
  Work work;
  boost::asio::steady_timer timer;
  std::deque<ObjectKey> order;
  std::set<ObjectKey> queued;
  std::set<std::pair<SteadyTime, ObjectKey>> due;
  std::map<ObjectKey, SteadyTime> due_of;
  bool turn_scheduled = false;
  bool stopped = false;
};

WorkQueue::WorkQueue(boost::asio::io_context& io, Work work)
    : impl_(std::make_shared<Impl>(io, std::move(work))) {}

WorkQueue::~WorkQueue() {
  impl_->stopped = true;
  impl_->timer.cancel();
}

void WorkQueue::add(ObjectKey key) { impl_->add(std::move(key)); }

void WorkQueue::add_after(ObjectKey key, std::chrono::milliseconds delay) {
  impl_->add_after(std::move(key), delay);
}

}  // namespace troupe::sim
