#include "tests/k8s/runc_fixture.hpp"

#include <iostream>

namespace troupe::sim {
namespace {

class CollectedLog final : public LogSink {
 public:
  bool write(std::string_view bytes) override {
    text.append(bytes);
    return true;
  }
  void finished(Result<void>) override { done = true; }
  std::string text;
  bool done = false;
};

}  // namespace

std::string RuncTest::logs(const std::string& name, const LogOptions& options) {
  auto sink = std::make_shared<CollectedLog>();
  auto session = kubelet_->logs(reference(name), options, sink);
  if (!session) return "refused: " + session.error().message;
  run_until([&] { return sink->done; });
  return sink->text;
}

std::pair<int, std::string> RuncTest::exec(const std::string& name, std::vector<std::string> argv,
                                           const std::string& input) {
  auto sink = std::make_shared<CollectedExec>();
  ExecOptions options;
  options.argv = std::move(argv);
  options.use_stdin = !input.empty();
  auto session = kubelet_->exec(reference(name), options, sink);
  if (!session) return {-1, "refused: " + session.error().message};
  if (!input.empty()) {
    (*session)->write_stdin(input, [&session] { (*session)->close_stdin(); });
  }
  run_until([&] { return sink->status.has_value(); });
  return {sink->status.value_or(-1), sink->text};
}

void RuncTest::show_objects() {
  for (const auto& event : *api_.list("events", "")) {
    std::cerr << text(event, {"involvedObject", "name"}) << ' ' << text(event, {"reason"}) << ": "
              << text(event, {"message"}) << '\n';
  }
  for (const auto& each : *api_.list("pods", "")) {
    std::cerr << name_of(each) << ' ' << boost::json::serialize(each.at("status")) << '\n';
  }
}

}  // namespace troupe::sim
