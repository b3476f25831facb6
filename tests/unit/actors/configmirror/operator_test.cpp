// The kind in the real operator, against the simulated API server over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/host/operator.hpp"
#include "actors/host/registered.hpp"
#include "k8s/api/crd.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/configmirror/kind.hpp"
#include "tests/unit/actors/operator/api_thread.hpp"

namespace troupe::actors {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::string_view kMirrors = "configmirrors.example.troupe.dev";
// The line that a kind of the tree has in actors/host/registry.cpp.
constexpr RegisteredKind kKinds[] = {registered<ConfigMirrorKind>()};

class ConfigMirrorOperator : public ::testing::Test {
 protected:
  ConfigMirrorOperator() {
    api.create(
        "namespaces", "",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "troupe-system"}}}});
    api.create("customresourcedefinitions.apiextensions.k8s.io", "",
               k8s::crd(k8s::kind_info<k8s::ConfigMirror>()));
    api.create("configmaps", "default",
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

  void mirror() {
    api.create(kMirrors, "default",
               {{"apiVersion", "example.troupe.dev/v1"},
                {"kind", "ConfigMirror"},
                {"metadata", {{"name", "m"}}},
                {"spec", {{"source", "origin"}, {"target", "copy"}}}});
  }
  bool becomes(std::string_view resource, std::string_view name, std::string_view pointer,
               std::string_view wanted) {
    return support::eventually([&] { return api.at(resource, name, pointer) == wanted; });
  }

  test::ApiThread api;
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

TEST_F(ConfigMirrorOperator, TellsWhatTheApiServerRefusesAndRecoversByItself) {
  mirror();
  EXPECT_TRUE(becomes("configmaps", "copy", "/data/a", "1"));
  api.run([](sim::LocalClient& client) {
    client.merge_patch("configmaps", "default", "copy", "", object{{"immutable", true}});
    client.merge_patch("configmaps", "default", "origin", "", object{{"data", {{"a", "2"}}}});
  });
  EXPECT_TRUE(becomes(kMirrors, "m", "/status/conditions/0/reason", "WriteRefused"));
  EXPECT_THAT(api.at(kMirrors, "m", "/status/conditions/0/message"),
              ::testing::AllOf(::testing::HasSubstr("apply ConfigMap default/copy: HTTP 422"),
                               ::testing::HasSubstr("field is immutable")));

  api.run([](sim::LocalClient& client) { client.remove("configmaps", "default", "copy"); });
  EXPECT_TRUE(becomes("configmaps", "copy", "/data/a", "2"));
  EXPECT_TRUE(becomes(kMirrors, "m", "/status/conditions/0/status", "True"));
}

}  // namespace
}  // namespace troupe::actors
