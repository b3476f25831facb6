#include "tests/sim/operator/transport.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "k8s/sim/api/status.hpp"

namespace troupe::operator_sim {
namespace {

using std::chrono::milliseconds;

// A connection that breaks under a request is noticed soon, as a rule; else its time runs out.
constexpr Duration kResetWithin = milliseconds(60);
constexpr int kResetPercent = 85;

sim::Request to_sim(const k8s::Request& request) {
  return {.method = std::string(k8s::to_string(request.method)),
          .target = request.target,
          .accept = request.accept,
          .content_type = request.content_type,
          .body = request.body};
}

k8s::Response to_client(sim::Response from) {
  k8s::Response response;
  response.status = from.status;
  response.body = std::move(from.body);
  response.body.reserve(response.body.size() + k8s::kJsonPadding);
  for (const auto& [name, text] : from.headers)
    if (name == "Retry-After") response.retry_after = std::chrono::seconds(std::stoi(text));
  return response;
}

bool is_write(const k8s::Request& request) { return request.method != k8s::Method::Get; }
bool is_lease(const k8s::Request& request) {
  return request.target.find("/leases") != std::string::npos;
}

std::string_view path_of(const k8s::Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

// What a server that is in trouble, or somebody else's write just before, make of a request.
sim::ApiError refusal(Timeline& timeline, const k8s::Request& request) {
  switch (timeline.chance.pick(4)) {
    case 0:
      return sim::internal_error("etcdserver: leader changed");
    case 1:
      return sim::too_many_requests("too many requests", 1);
    case 2:
      return {.code = 503, .reason = "ServiceUnavailable", .message = "apiserver is shutting down"};
    default:
      // Only who names a version can be told that it is no longer the newest.
      if (request.body.find("resourceVersion") == std::string::npos)
        return sim::internal_error("etcdserver: request timed out");
      return {.code = 409, .reason = "Conflict", .message = "the object has been modified"};
  }
}

}  // namespace

Duration Transport::latency() {
  return process_.world().timeline.chance.between({}, process_.network().latency_max);
}

// --- calls ---------------------------------------------------------------------------------------

k8s::CallId Transport::call(k8s::Request request, Done done) {
  const k8s::CallId id{next_++};
  calls_.emplace(id, std::move(done));
  auto& timeline = process_.world().timeline;
  const auto& network = process_.network();
  if (is_write(request) && !is_lease(request)) {
    process_.acted();
    timeline.tell("{}: {} {}", process_.name(), k8s::to_string(request.method), path_of(request));
  }
  if (network.api_cut || timeline.chance.percent(network.lose_percent)) {
    fail(id, request.timeout);
    return id;
  }
  if (timeline.chance.percent(network.double_percent)) send(id, request, false);
  send(id, request, true);
  return id;
}

// The request is on its way, whatever becomes of who sent it.
void Transport::send(k8s::CallId id, const k8s::Request& request, bool answered) {
  auto& timeline = process_.world().timeline;
  timeline.after(latency(), [weak = weak_from_this(), world = process_.world(),
                             &network = process_.network(), id, request, answered] {
    const bool refuse = is_write(request) && world.timeline.chance.percent(network.refuse_percent);
    auto response = refuse ? sim::error_response(refusal(world.timeline, request))
                           : world.cluster.handle(to_sim(request));
    if (is_write(request) && response.status >= 300)
      world.timeline.tell("API server: {} {}: {}", k8s::to_string(request.method), path_of(request),
                          response.status);
    const auto self = weak.lock();
    if (!self || !answered || self->calls_.count(id) == 0) return;
    if (network.api_cut || world.timeline.chance.percent(network.lose_percent))
      return self->fail(id, request.timeout);
    self->process_.later(self->latency(),
                         [weak, id, response = to_client(std::move(response))]() mutable {
                           if (const auto live = weak.lock()) live->reply(id, std::move(response));
                         });
  });
}

void Transport::reply(k8s::CallId id, k8s::Reply reply) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const auto done = std::move(found->second);
  calls_.erase(found);
  if (reply) reply->body.reserve(reply->body.size() + k8s::kJsonPadding);
  done(std::move(reply));
}

void Transport::fail(k8s::CallId id, Duration timeout) {
  auto& chance = process_.world().timeline.chance;
  const bool reset = chance.percent(kResetPercent) && !process_.network().api_cut;
  process_.later(reset ? chance.between({}, kResetWithin) : timeout, [this, id, reset] {
    reply(id, k8s::Failure{error(reset ? Code::Retry : Code::Timeout,
                                 reset ? "connection reset" : "no answer in time"),
                           true});
  });
}

// --- streams -------------------------------------------------------------------------------------

// What the API server says is kept until it has come through.
class Transport::Stream final : public sim::WatchSink, public std::enable_shared_from_this<Stream> {
 public:
  Stream(Process& process, std::shared_ptr<k8s::StreamHandler> handler)
      : process_(process), handler_(std::move(handler)) {}

  bool line(std::shared_ptr<const std::string> line) override {
    lines_.push_back(std::move(line));
    deliver_later();
    return true;
  }
  void closed() override {
    ended_ = true;
    deliver_later();
  }

  void opened(std::unique_ptr<sim::WatchSession> session) {
    session_ = std::move(session);
    open_ = true;
    deliver_later();
  }
  void refused(k8s::Response response) {
    process_.later({}, [self = shared_from_this(), response = std::move(response)]() mutable {
      response.body.reserve(response.body.size() + k8s::kJsonPadding);
      if (const auto handler = std::exchange(self->handler_, nullptr))
        handler->on_refused(response);
    });
  }
  void broken() {
    session_.reset();
    lines_.clear();
    process_.later({}, [self = shared_from_this()] {
      if (const auto handler = std::exchange(self->handler_, nullptr))
        handler->on_end(error(Code::Retry, "connection reset"));
    });
  }
  void close() {
    session_.reset();
    handler_.reset();
  }

 private:
  void deliver_later() {
    if (std::exchange(pending_, true)) return;
    auto& timeline = process_.world().timeline;
    const auto& network = process_.network();
    const auto delay = timeline.chance.between({}, network.latency_max);
    process_.later(std::max(delay, network.watches_held_until - timeline.now()),
                   [self = shared_from_this()] { self->deliver(); });
  }

  void deliver() {
    pending_ = false;
    auto handler = handler_;
    if (!handler) return;
    if (process_.network().watches_held_until > process_.world().timeline.now())
      return deliver_later();
    if (std::exchange(open_, false)) handler->on_open();
    std::vector<std::string> copies;
    std::vector<std::string_view> views;
    std::size_t bytes = 0;
    for (const auto& line : std::exchange(lines_, {})) {
      auto& copy = copies.emplace_back(line->substr(0, line->size() - 1));
      copy.reserve(copy.size() + k8s::kJsonPadding);
      bytes += line->size();
    }
    for (const auto& copy : copies) views.push_back(copy);
    if (!views.empty()) handler->on_lines(views, bytes);
    if (!ended_ || !std::exchange(handler_, nullptr)) return;
    session_.reset();
    handler->on_end(std::nullopt);
  }

  Process& process_;
  std::shared_ptr<k8s::StreamHandler> handler_;
  std::unique_ptr<sim::WatchSession> session_;
  std::vector<std::shared_ptr<const std::string>> lines_;
  bool open_ = false;
  bool ended_ = false;
  bool pending_ = false;
};

k8s::CallId Transport::stream(k8s::Request request, std::shared_ptr<k8s::StreamHandler> handler) {
  const k8s::CallId id{next_++};
  streams_.emplace(id, std::make_shared<Stream>(process_, std::move(handler)));
  process_.later(latency(), [this, id, request = std::move(request)] { open(id, request); });
  return id;
}

void Transport::open(k8s::CallId id, const k8s::Request& request) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const auto stream = found->second;
  const auto& network = process_.network();
  if (network.api_cut || process_.world().timeline.chance.percent(network.lose_percent))
    return stream->broken();
  auto opened = process_.world().cluster.open_watch(to_sim(request), stream);
  if (auto* refusal = std::get_if<sim::Response>(&opened))
    return stream->refused(to_client(std::move(*refusal)));
  stream->opened(std::move(std::get<std::unique_ptr<sim::WatchSession>>(opened)));
}

void Transport::break_watches() {
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->broken();
}

void Transport::cancel(k8s::CallId id) {
  calls_.erase(id);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second->close();
  streams_.erase(found);
}

void Transport::close() {
  calls_.clear();
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->close();
}

}  // namespace troupe::operator_sim
