// An API server in the process, for tests of what runs beside it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cctype>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/local_client.hpp"
#include "runtime/clock.hpp"

namespace troupe::sim {

class TestApi final : public LocalClient {
 public:
  explicit TestApi(int service_network = ApiServerOptions().service_network)
      : server_(options(service_network)),
        client_(server_.local_client("test", [this] { return clock_.wall(); })) {
    while (server_.has_work()) server_.tick(clock_.wall());
  }

  Result<Value> get(std::string_view resource, std::string_view ns,
                    std::string_view name) override {
    return client_->get(resource, ns, name);
  }
  Result<boost::json::array> list(std::string_view resource, std::string_view ns,
                                  std::string_view labels = {}) override {
    return client_->list(resource, ns, labels);
  }
  Result<Value> create(std::string_view resource, std::string_view ns, Value object) override {
    return client_->create(resource, ns, std::move(object));
  }
  Result<Value> update(std::string_view resource, std::string_view ns, Value object) override {
    return client_->update(resource, ns, std::move(object));
  }
  Result<Value> update_status(std::string_view resource, std::string_view ns,
                              Value object) override {
    return client_->update_status(resource, ns, std::move(object));
  }
  Result<Value> merge_patch(std::string_view resource, std::string_view ns, std::string_view name,
                            std::string_view subresource, Value patch) override {
    return client_->merge_patch(resource, ns, name, subresource, std::move(patch));
  }
  Result<void> remove(std::string_view resource, std::string_view ns, std::string_view name,
                      DeleteOptions wanted = {}) override {
    auto gone = client_->remove(resource, ns, name, std::move(wanted));
    while (server_.has_work()) server_.tick(clock_.wall());
    return gone;
  }
  std::unique_ptr<LocalWatch> watch(std::string_view resource, std::string_view ns,
                                    WatchSink sink) override {
    return client_->watch(resource, ns, std::move(sink));
  }

  // The newest version, or null; valid until the same object is looked at again.
  const Value* peek(std::string_view resource, std::string_view ns, std::string_view name) {
    auto found = client_->get(resource, ns, name);
    if (!found) return nullptr;
    Value& kept = seen_[{std::string(resource), std::string(ns), std::string(name)}];
    kept = std::move(*found);
    return &kept;
  }

  // Creates the object of this JSON text, or merges it into the one of its name; its resource
  // follows from its kind.
  Result<Value> apply(std::string_view json_text) {
    const Value object = boost::json::parse(json_text);
    const std::string resource = resource_of(object);
    const std::string ns(namespace_of(object));
    auto created = client_->create(resource, ns, object);
    if (created || created.error().code != Code::Exists) return created;
    return client_->merge_patch(resource, ns, name_of(object), "", object);
  }

  std::uint64_t revision() const { return server_.revision(); }
  ApiServer& server() { return server_; }
  const Clock& clock() const { return clock_; }

 private:
  static ApiServerOptions options(int service_network) {
    ApiServerOptions result;
    result.service_network = service_network;
    result.ca_certificate = "a certificate";
    return result;
  }

  static std::string resource_of(const Value& object) {
    std::string plural(text(object, {"kind"}));
    for (char& c : plural) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    plural += plural.ends_with("class") ? "es" : plural == "endpoints" ? "" : "s";
    const std::string_view version = text(object, {"apiVersion"});
    const auto slash = version.find('/');
    if (slash != version.npos) plural += "." + std::string(version.substr(0, slash));
    return plural;
  }

  SystemClock clock_;
  ApiServer server_;
  std::unique_ptr<LocalClient> client_;
  std::map<std::tuple<std::string, std::string, std::string>, Value> seen_;
};

// Runs the loop until the condition holds; false when the deadline came first.
template <class Condition>
bool run_until(boost::asio::io_context& io, const Condition& condition,
               std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace troupe::sim
