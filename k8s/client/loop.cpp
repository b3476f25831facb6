#include "k8s/client/loop.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>

namespace troupe::k8s {

struct AsioLoop::Impl {
  Impl(boost::asio::io_context& context, const Clock& time) : io(context), clock(time) {}

  boost::asio::io_context& io;
  const Clock& clock;
  std::uint64_t next_timer = 1;
  std::unordered_map<std::uint64_t, boost::asio::steady_timer> timers;
};

AsioLoop::AsioLoop(boost::asio::io_context& io, const Clock& clock)
    : impl_(std::make_unique<Impl>(io, clock)) {}

AsioLoop::~AsioLoop() = default;

void AsioLoop::post(Task task) { boost::asio::post(impl_->io, std::move(task)); }

TimerId AsioLoop::call_at(TimePoint at, Task task) {
  const auto id = impl_->next_timer++;
  auto& timer = impl_->timers.try_emplace(id, impl_->io).first->second;
  timer.expires_after(std::max(Duration::zero(), at - impl_->clock.now()));
  timer.async_wait([this, id, task = std::move(task)](boost::system::error_code ec) {
    if (ec) return;  // cancelled: `this` may be gone
    // A handler that was already queued when cancel() came finds its timer gone.
    if (impl_->timers.erase(id) != 0) task();
  });
  return TimerId{id};
}

void AsioLoop::cancel(TimerId timer) { impl_->timers.erase(timer.value); }

const Clock& AsioLoop::clock() const { return impl_->clock; }

boost::asio::io_context& AsioLoop::context() { return impl_->io; }

struct LoopThread::Impl {
  explicit Impl(const Clock& clock) : loop(io, clock), work(io.get_executor()) {}

  boost::asio::io_context io{1};
  AsioLoop loop;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::thread thread;
};

LoopThread::LoopThread(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {
  impl_->thread = std::thread([this] {
    pthread_setname_np(pthread_self(), "k8s-io");
    impl_->io.run();
  });
}

LoopThread::~LoopThread() { stop(); }

AsioLoop& LoopThread::loop() { return impl_->loop; }

void LoopThread::run(const std::function<void()>& task) {
  std::promise<void> done;
  impl_->loop.post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void LoopThread::stop() {
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace troupe::k8s
