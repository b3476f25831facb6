#include "runtime/timers.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>

namespace troupe {
namespace {

constexpr auto kLaterFirst = [](const auto& a, const auto& b) {
  return a.at != b.at ? a.at > b.at : a.actor > b.actor;
};

}  // namespace

void TimerQueue::set(ActorId actor, TimePoint at) {
  if (at == TimePoint::max()) {
    current_.erase(actor);
    return;
  }
  const auto [entry, added] = current_.try_emplace(actor, at);
  if (!added && entry->second == at) return;  // a deadline that every run names again
  entry->second = at;
  heap_.push_back({at, actor});
  std::push_heap(heap_.begin(), heap_.end(), kLaterFirst);
  // Entries that were replaced may not outgrow the live ones.
  if (heap_.size() > 64 && heap_.size() > 4 * current_.size()) {
    std::erase_if(heap_, [this](const Entry& e) { return stale(e); });
    std::make_heap(heap_.begin(), heap_.end(), kLaterFirst);
  }
}

bool TimerQueue::stale(const Entry& e) const {
  const auto found = current_.find(e.actor);
  return found == current_.end() || found->second != e.at;
}

void TimerQueue::drop_stale() {
  while (!heap_.empty() && stale(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), kLaterFirst);
    heap_.pop_back();
  }
}

std::vector<ActorId> TimerQueue::take_due(TimePoint now) {
  std::vector<ActorId> due;
  for (drop_stale(); !heap_.empty() && heap_.front().at <= now; drop_stale()) {
    due.push_back(heap_.front().actor);
    current_.erase(heap_.front().actor);
  }
  return due;
}

std::optional<TimePoint> TimerQueue::next() {
  drop_stale();
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

struct TimerThread::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, const Clock& c, Fire f)
      : io(context), timer(context), clock(c), fire(std::move(f)) {}

  // On the context's thread.
  void arm() {
    std::optional<TimePoint> next;
    {
      const std::scoped_lock lock(mutex);
      armed = TimePoint::max();
      if (stopped) return;
      next = queue.next();
      if (!next) return;
      armed = *next;
    }
    timer.expires_after(std::max(Duration::zero(), *next - clock.now()));
    timer.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) self->expire();
    });
  }

  void expire() {
    std::vector<ActorId> due;
    {
      const std::scoped_lock lock(mutex);
      if (stopped) return;
      due = queue.take_due(clock.now());
    }
    for (const auto actor : due) fire(actor);
    arm();
  }

  boost::asio::io_context& io;
  boost::asio::steady_timer timer;
  const Clock& clock;
  Fire fire;
  std::mutex mutex;
  TimerQueue queue;
  TimePoint armed = TimePoint::max();  // what the timer waits for
  bool stopped = false;
};

TimerThread::TimerThread(boost::asio::io_context& io, const Clock& clock, Fire fire)
    : impl_(std::make_shared<Impl>(io, clock, std::move(fire))) {}

TimerThread::~TimerThread() { stop(); }

void TimerThread::set(ActorId actor, TimePoint at) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->queue.set(actor, at);
    if (at >= impl_->armed || impl_->stopped) return;
    impl_->armed = at;
  }
  boost::asio::post(impl_->io, [impl = impl_] { impl->arm(); });
}

std::size_t TimerThread::size() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->queue.size();
}

void TimerThread::stop() {
  const std::scoped_lock lock(impl_->mutex);
  impl_->stopped = true;
}

}  // namespace troupe
