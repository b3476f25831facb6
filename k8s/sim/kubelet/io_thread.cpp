#include "k8s/sim/kubelet/io_thread.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

namespace troupe::sim {

struct IoThread::Impl {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
      boost::asio::make_work_guard(io);
  std::thread thread{[this] { io.run(); }};
};

IoThread::IoThread() : impl_(std::make_unique<Impl>()) {}

IoThread::~IoThread() {
  impl_->io.stop();
  impl_->thread.join();
}

boost::asio::io_context& IoThread::io() { return impl_->io; }

void IoThread::post(std::function<void()> work) { boost::asio::post(impl_->io, std::move(work)); }

}  // namespace troupe::sim
