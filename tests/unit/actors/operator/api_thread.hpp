// The simulated API server over plain HTTP on a loopback port, for an operator in the same process.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/server.hpp"
#include "runtime/clock.hpp"

namespace troupe::test {

// An API server on a thread of its own; everything about it happens there.
class ApiThread {
 public:
  using Action = std::function<void(sim::LocalClient&)>;

  ApiThread() : thread_([this] { io_.run(); }) { go_on(); }
  ~ApiThread() {
    go_away();
    guard_.reset();
    thread_.join();
  }
  // Closes its port and its connections, and opens the port again; its objects stay.
  void go_away() {
    run([this](sim::LocalClient&) { server_->stop(); });
  }
  void go_on() {
    run([this](sim::LocalClient&) {
      server_.emplace(io_, api_, clock_);
      const auto listening = server_->listen({.port = port_});
      if (!listening) ADD_FAILURE() << listening.error().message;
      port_ = server_->port();
    });
  }
  void run(const Action& action) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      action(*client_);
      done.set_value();
    });
    done.get_future().wait();
  }
  void create(std::string_view resource, std::string_view ns, boost::json::value body) {
    run([&](sim::LocalClient& client) {
      const auto made = client.create(resource, ns, std::move(body));
      if (!made) ADD_FAILURE() << made.error().message;
    });
  }
  // A text by JSON pointer; empty where there is none.
  std::string at(std::string_view resource, std::string_view name, std::string_view pointer) {
    std::string out;
    run([&](sim::LocalClient& client) {
      const auto found = client.get(resource, "default", name);
      boost::system::error_code ec;
      const auto* v = found ? found->find_pointer(pointer, ec) : nullptr;
      if (v) out = v->is_string() ? std::string(v->as_string()) : boost::json::serialize(*v);
    });
    return out;
  }
  std::uint16_t port() const { return port_; }

 private:
  SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  sim::ApiServer api_{sim::ApiServerOptions{}};
  std::optional<sim::Server> server_;
  std::uint16_t port_ = 0;  // any free one, then that
  std::unique_ptr<sim::LocalClient> client_ =
      api_.local_client("test", [this] { return clock_.wall(); });
  std::thread thread_;
};

}  // namespace troupe::test
