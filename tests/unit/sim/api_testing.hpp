// A simulated API server under a clock that tests turn by hand, asked as a client asks.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/api/object.hpp"

namespace troupe::sim {

struct Answer {
  int status = 0;
  json::value body;
  Response raw;

  std::string_view text(std::string_view path) const { return string_at(body, path); }
  std::string_view reason() const { return text("reason"); }
  std::string_view message() const { return text("message"); }
};

// The lines of one watch, parsed.
class WatchLog : public WatchSink {
 public:
  bool line(std::shared_ptr<const std::string> line) override {
    events.push_back(json::parse(*line).get_object());
    return true;
  }
  void closed() override { over = true; }

  // "ADDED a", "BOOKMARK ", ... : type and name of each event.
  std::vector<std::string> summary() const {
    std::vector<std::string> lines;
    for (const auto& event : events) {
      lines.push_back(std::string(string_at(event, "type")) + " " +
                      std::string(string_at(event, "object.metadata.name")));
    }
    return lines;
  }

  std::deque<json::object> events;
  bool over = false;
};

struct OpenWatch {
  std::shared_ptr<WatchLog> log;
  std::unique_ptr<WatchSession> session;
  Answer refusal;
};

class TestCluster {
 public:
  explicit TestCluster(ApiServerOptions options = {}) : server(std::move(options)) {}

  Answer send(std::string method, std::string target, std::string body = {},
              std::string content_type = "application/json") {
    return finish(server.handle({.method = std::move(method),
                                 .target = std::move(target),
                                 .content_type = std::move(content_type),
                                 .user_agent = "test/1",
                                 .body = std::move(body)},
                                now));
  }
  Answer get(std::string target, std::string accept = {}) {
    return finish(server.handle(
        {.method = "GET", .target = std::move(target), .accept = std::move(accept)}, now));
  }
  Answer post(std::string target, std::string body) {
    return send("POST", std::move(target), std::move(body));
  }
  Answer put(std::string target, std::string body) {
    return send("PUT", std::move(target), std::move(body));
  }
  Answer merge(std::string target, std::string body) {
    return send("PATCH", std::move(target), std::move(body), "application/merge-patch+json");
  }
  Answer apply(std::string target, std::string body, std::string manager = "applier") {
    return send("PATCH", target + "?fieldManager=" + manager, std::move(body),
                "application/apply-patch+yaml");
  }
  Answer remove(std::string target, std::string body = {}) {
    return send("DELETE", std::move(target), std::move(body));
  }
  OpenWatch watch(std::string target) {
    OpenWatch opened{std::make_shared<WatchLog>(), nullptr, {}};
    auto result =
        server.open_watch({.method = "GET", .target = std::move(target)}, opened.log, now);
    if (auto* refusal = std::get_if<Response>(&result)) {
      opened.refusal = finish(std::move(*refusal));
    } else {
      opened.session = std::move(std::get<std::unique_ptr<WatchSession>>(result));
    }
    return opened;
  }
  void pass(Duration time) {
    now += std::chrono::duration_cast<std::chrono::microseconds>(time);
    server.tick(now);
  }

  WallTime now{std::chrono::seconds(1'800'000'000)};
  ApiServer server;

 private:
  static Answer finish(Response response) {
    Answer answer{.status = response.status, .raw = response};
    boost::system::error_code failed;
    answer.body = json::parse(response.body, failed);
    return answer;
  }
};

inline constexpr const char* kConfigMaps = "/api/v1/namespaces/default/configmaps";

inline std::string config_map(std::string_view name, std::string_view data = "{}",
                              std::string_view metadata = "") {
  std::string text = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")";
  text.append(name).append("\"").append(metadata).append("},\"data\":").append(data).append("}");
  return text;
}

// A custom resource with status and scale subresources.
inline constexpr const char* kWidgetDefinition = R"({
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": {"name": "widgets.example.com"},
  "spec": {
    "group": "example.com", "scope": "Namespaced",
    "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
    "versions": [{
      "name": "v1", "served": true, "storage": true,
      "additionalPrinterColumns": [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "priority": 1,
         "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
      "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                               "statusReplicasPath": ".status.replicas"}},
      "schema": {"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
          "size": {"type": "integer", "minimum": 1, "default": 3},
          "replicas": {"type": "integer"},
          "when": {"type": "string", "format": "date-time"},
          "color": {"type": "string", "enum": ["red", "blue"]}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}})";
inline constexpr const char* kDefinitions =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
inline constexpr const char* kWidgets = "/apis/example.com/v1/namespaces/default/widgets";

inline std::string widget(std::string_view name, std::string_view rest) {
  std::string text = R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":")";
  text.append(name).append("\"}");
  if (!rest.empty()) text.append(",").append(rest);
  return text.append("}");
}

}  // namespace troupe::sim
