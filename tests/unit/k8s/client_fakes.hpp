// A loop, a transport and a wake sink that tests turn by hand.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"
#include "k8s/client/wake_sink.hpp"
#include "runtime/clock.hpp"

namespace troupe::k8s::test {

class ManualLoop final : public Loop {
 public:
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId call_at(TimePoint at, Task task) override {
    timers_.emplace(std::pair(at, ++next_), std::move(task));
    return TimerId{next_};
  }
  void cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& each) { return each.first.second == timer.value; });
  }
  const Clock& clock() const override { return clock_; }

  TimePoint now() const { return clock_.now(); }
  // Runs what was posted.
  void run() {
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }
  // Lets time pass, firing each timer at its time.
  void advance(Duration by) {
    const auto until = clock_.now() + by;
    run();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      clock_.set(std::max(clock_.now(), timers_.begin()->first.first));
      auto task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
      run();
    }
    clock_.set(until);
  }

 private:
  ManualClock clock_;
  std::uint64_t next_ = 0;
  std::deque<Task> tasks_;
  std::map<std::pair<TimePoint, std::uint64_t>, Task> timers_;
};

// Keeps requests until the test answers them, in any order.
class FakeTransport final : public Transport {
 public:
  CallId call(Request request, Done done) override {
    pending_.push_back({CallId{++next_}, std::move(request), std::move(done), nullptr});
    return CallId{next_};
  }
  CallId stream(Request request, std::shared_ptr<StreamHandler> handler) override {
    pending_.push_back({CallId{++next_}, std::move(request), nullptr, std::move(handler)});
    return CallId{next_};
  }
  void cancel(CallId id) override {
    std::erase_if(pending_, [&](const Pending& each) { return each.id == id; });
  }

  std::size_t size() const { return pending_.size(); }
  // The oldest request, or the oldest whose target holds `part`.
  const Request& request(std::string_view part = {}) { return at(part).request; }

  void respond(std::string_view part, int status, std::string body,
               std::optional<Duration> retry_after = {}) {
    body.reserve(body.size() + kJsonPadding);
    Response response{status, std::move(body), retry_after};
    auto pending = take(part);
    if (pending.done) return pending.done(std::move(response));
    pending.handler->on_refused(response);
  }
  void fail(std::string_view part, Code code, bool sent) {
    auto pending = take(part);
    if (pending.done) return pending.done(Failure{error(code, "broken"), sent});
    pending.handler->on_end(error(code, "broken"));
  }
  // Opens the stream, which stays.
  std::shared_ptr<StreamHandler> open(std::string_view part) {
    const auto handler = at(part).handler;
    handler->on_open();
    return handler;
  }

 private:
  struct Pending {
    CallId id;
    Request request;
    Done done;
    std::shared_ptr<StreamHandler> handler;
  };

  Pending& at(std::string_view part) {
    for (auto& each : pending_) {
      if (each.request.target.find(part) != std::string::npos) return each;
    }
    ADD_FAILURE() << "no request to " << part;
    throw std::out_of_range("no such request");
  }
  Pending take(std::string_view part) {
    auto pending = at(part);
    cancel(pending.id);
    return pending;
  }

  std::uint64_t next_ = 0;
  std::vector<Pending> pending_;
};

// Hands lines over as a socket would: with padding behind them.
inline void deliver(StreamHandler& stream, const std::vector<std::string>& lines) {
  std::string buffer;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const auto& line : lines) {
    places.emplace_back(buffer.size(), line.size());
    buffer += line;
  }
  const auto bytes = buffer.size();
  buffer.append(kJsonPadding, ' ');
  std::vector<std::string_view> views;
  for (const auto& [at, size] : places) views.emplace_back(buffer.data() + at, size);
  stream.on_lines(views, bytes);
}

class RecordingSink final : public WakeSink {
 public:
  void wake(std::span<const Wake> wakes) override {
    ++batches;
    all.insert(all.end(), wakes.begin(), wakes.end());
  }
  CausalId next_causal_id() override { return CausalId{++ids}; }

  // "7: modified ConfigMap db/a at 5" for each wake.
  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const auto& each : all) {
      result.push_back(std::to_string(each.actor.value) + ": " + each.cause.text());
    }
    return result;
  }

  int batches = 0;
  std::uint64_t ids = 0;
  std::vector<Wake> all;
};

}  // namespace troupe::k8s::test
