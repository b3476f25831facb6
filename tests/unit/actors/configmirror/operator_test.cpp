// The kind in the real operator, against the simulated API server over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "actors/host/operator.hpp"
#include "k8s/api/crd.hpp"
#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/server.hpp"
#include "runtime/clock.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/configmirror/kind.hpp"

namespace troupe::actors {
namespace {

using boost::json::object;
using boost::json::value;
using Action = std::function<void(sim::LocalClient&)>;

// An API server on a thread of its own; everything about it happens there.
class ApiThread {
 public:
  ApiThread() : thread_([this] { io_.run(); }) {
    run([this](sim::LocalClient&) {
      const auto listening = server_.listen({});
      if (!listening) ADD_FAILURE() << listening.error().message;
    });
  }
  ~ApiThread() {
    run([this](sim::LocalClient&) { server_.stop(); });
    guard_.reset();
    thread_.join();
  }
  void run(const Action& action) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      action(*client_);
      done.set_value();
    });
    done.get_future().wait();
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
  std::uint16_t port() const { return server_.port(); }

 private:
  SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  sim::ApiServer api_{sim::ApiServerOptions{}};
  sim::Server server_{io_, api_, clock_};
  std::unique_ptr<sim::LocalClient> client_ =
      api_.local_client("test", [this] { return clock_.wall(); });
  std::thread thread_;
};

constexpr std::string_view kMirrors = "configmirrors.example.troupe.dev";
// The line that a kind of the tree has in actors/host/registry.cpp.
constexpr RegisteredKind kKinds[] = {registered<ConfigMirrorKind>()};

class ConfigMirrorOperator : public ::testing::Test {
 protected:
  ConfigMirrorOperator() {
    create(
        "namespaces", "",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "troupe-system"}}}});
    create("customresourcedefinitions.apiextensions.k8s.io", "",
           k8s::crd(k8s::kind_info<k8s::ConfigMirror>()));
    create("configmaps", "default",
           {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", "origin"}}},
            {"data", {{"a", "1"}}}});
    OperatorOptions options;
    options.cluster.host = "127.0.0.1";
    options.cluster.port = api.port();
    options.cluster.tls = false;
    options.kinds = kKinds;
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    auto started = Operator::start(std::move(options));
    if (started)
      troupe = std::move(*started);
    else
      ADD_FAILURE() << started.error().message;
  }

  void create(std::string_view resource, std::string_view ns, value body) {
    api.run([&](sim::LocalClient& client) {
      const auto made = client.create(resource, ns, std::move(body));
      if (!made) ADD_FAILURE() << made.error().message;
    });
  }
  void mirror() {
    create(kMirrors, "default",
           {{"apiVersion", "example.troupe.dev/v1"},
            {"kind", "ConfigMirror"},
            {"metadata", {{"name", "m"}}},
            {"spec", {{"source", "origin"}, {"target", "copy"}}}});
  }
  bool becomes(std::string_view resource, std::string_view name, std::string_view pointer,
               std::string_view wanted) {
    return support::eventually([&] { return api.at(resource, name, pointer) == wanted; });
  }

  ApiThread api;
  std::unique_ptr<Operator> troupe;
};

TEST_F(ConfigMirrorOperator, MakesMendsReportsAndTakesAway) {
  mirror();
  EXPECT_TRUE(becomes("configmaps", "copy", "/data/a", "1"));
  EXPECT_TRUE(becomes(kMirrors, "m", "/status/keys", "1"));
  EXPECT_EQ(api.at(kMirrors, "m", "/metadata/finalizers/0"), "example.troupe.dev/copy");

  api.run([](sim::LocalClient& client) {
    client.merge_patch("configmaps", "default", "copy", "", object{{"data", {{"a", "other"}}}});
  });
  EXPECT_TRUE(becomes("configmaps", "copy", "/data/a", "1"));

  api.run([](sim::LocalClient& client) { client.remove("configmaps", "default", "origin"); });
  EXPECT_TRUE(becomes(kMirrors, "m", "/status/conditions/0/reason", "SourceMissing"));

  api.run([](sim::LocalClient& client) { client.remove(kMirrors, "default", "m"); });
  EXPECT_TRUE(becomes(kMirrors, "m", "/metadata/name", ""));
  EXPECT_EQ(api.at("configmaps", "copy", "/metadata/name"), "");
}

}  // namespace
}  // namespace troupe::actors
