// An operator beside a simulated API server that has its CRDs, in one process.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "actors/host/operator.hpp"
#include "k8s/api/crd.hpp"
#include "tests/unit/actors/operator/api_thread.hpp"
#include "tests/unit/runtime/http_client.hpp"

namespace troupe::actors {

class OperatorTest : public testing::Test {
 protected:
  OperatorTest() {
    api_.create(
        "namespaces", "",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "troupe-system"}}}});
    for (const auto& kind : registered_kinds())
      api_.create("customresourcedefinitions.apiextensions.k8s.io", "", k8s::crd(kind.info()));
  }

  OperatorOptions options() const {
    OperatorOptions options;
    options.cluster.host = "127.0.0.1";
    options.cluster.port = api_.port();
    options.cluster.tls = false;
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    options.version = "test";
    return options;
  }
  static std::unique_ptr<Operator> start(OperatorOptions options) {
    auto started = Operator::start(std::move(options));
    if (started) return std::move(*started);
    ADD_FAILURE() << started.error().message;
    return nullptr;
  }

  static test::HttpClient client_of(const Operator& one) {
    const auto url = one.url();
    return test::HttpClient(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  }
  static test::HttpClient::Response ask(const Operator& one, std::string_view path) {
    return client_of(one).get(path);
  }

  // A UnitSet that lacks its Secret.
  void make_a_set() {
    api_.create("unitsets.upm.syntropycloud.io", "default", boost::json::parse(R"({
      "apiVersion": "upm.syntropycloud.io/v1alpha2", "kind": "UnitSet",
      "metadata": {"name": "db"},
      "spec": {"type": "mysql", "version": "9.7.4", "edition": "community", "units": 1,
               "secret": {"mountPath": "/SECRET_MOUNT", "name": "missing"}}})"));
  }

  test::ApiThread api_;
};

}  // namespace troupe::actors
