// The shell around LeaseMachine: requests, timer, callbacks.
#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <utility>

#include "k8s/api/core.hpp"
#include "k8s/api/decode.hpp"
#include "k8s/client/lease.hpp"
#include "runtime/model/backoff.hpp"

namespace troupe::k8s {
namespace {

namespace json = boost::json;

lease::Record record_of(const Lease& lease) {
  const auto& spec = lease.spec;
  return {spec.holderIdentity.str(),
          std::chrono::seconds(spec.leaseDurationSeconds.value_or(0)),
          spec.leaseTransitions.value_or(0),
          spec.acquireTime.at,
          spec.renewTime.at,
          lease.metadata.resourceVersion};
}

}  // namespace

struct LeaseHolder::Impl : std::enable_shared_from_this<LeaseHolder::Impl> {
  Impl(Loop& on, Transport& over, LeaseOptions opts, Callbacks calls, std::uint64_t random)
      : loop(on),
        transport(over),
        options(std::move(opts)),
        callbacks(std::move(calls)),
        seed(random),
        machine(options) {}

  void step(lease::Input input) {
    LeaseMachine::Outputs outputs;
    machine.step(std::move(input), loop.clock().now(), mix(seed, ++draws), outputs);
    held_until.store(machine.held_until().time_since_epoch().count(), std::memory_order_release);
    const auto self = shared_from_this();  // a callback may end us
    for (auto& output : outputs) {
      std::visit([this](auto& each) { perform(each); }, output);
    }
  }

  void perform(lease::Get&) { send(Method::Get, path(options.name), {}, {}); }
  void perform(lease::Create&) {
    send(Method::Post, path({}), "application/json",
         {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", {{"name", options.name}, {"namespace", options.ns}}},
          {"spec", spec(0, true, false)}});
  }
  void perform(lease::Update& update) {
    const auto version = std::to_string(update.version.value);
    send(Method::Patch, path(options.name), "application/merge-patch+json",
         {{"metadata", {{"resourceVersion", version}}},
          {"spec", spec(update.transitions, update.acquires, update.releases)}});
  }
  void perform(lease::Cancel&) { cancel(); }
  void perform(lease::WakeAt& wake) {
    loop.cancel(timer);
    timer = loop.call_at(wake.at, [this] { step(lease::Woken{}); });
  }
  void perform(lease::Elected&) {
    spdlog::info("lease {}/{}: held by us, {}", options.ns, options.name, options.identity);
    if (callbacks.elected) callbacks.elected();
  }
  void perform(lease::Lost& lost) {
    spdlog::warn("lease {}/{}: lost: {}", options.ns, options.name, lost.reason);
    if (callbacks.lost) callbacks.lost(lost.reason);
  }
  void perform(lease::NewHolder& holder) {
    spdlog::info("lease {}/{}: held by {}", options.ns, options.name, holder.identity);
    if (callbacks.new_holder) callbacks.new_holder(holder.identity);
  }
  void perform(lease::Released&) {
    loop.cancel(timer);
    if (released) std::exchange(released, nullptr)();
  }

  std::string path(std::string_view name) const {
    return resource_path(kKind<Lease>, options.ns, name);
  }

  json::object spec(std::int32_t transitions, bool acquires, bool releases) const {
    const auto now = to_rfc3339_micro(loop.clock().wall());
    json::object result{{"holderIdentity", releases ? std::string() : options.identity},
                        {"renewTime", now},
                        {"leaseTransitions", transitions}};
    // A released lease needs no waiting for; 0 is not valid.
    result["leaseDurationSeconds"] = releases ? 1 : options.lease_duration.count();
    if (acquires) result["acquireTime"] = now;
    return result;
  }

  void send(Method method, std::string target, std::string content_type, const json::value& body) {
    Request request;
    request.method = method;
    request.target = std::move(target);
    request.content_type = std::move(content_type);
    if (!body.is_null()) request.body = json::serialize(body);
    // Two attempts fit before the deadline.
    request.timeout = options.renew_deadline / 2;
    call = transport.call(std::move(request), [this, method](Reply reply) {
      call = {};
      step(input_of(method, std::move(reply)));
    });
  }

  lease::Input input_of(Method method, Reply reply) {
    if (!reply) return lease::Failed{reply.error().error.message};
    if (method == Method::Get && reply->status == 404) return lease::Found{};
    if (reply->status == 409 || reply->status == 404) return lease::Conflict{};
    const Document body(reply->body, reply->body.size() + kJsonPadding);
    if (!reply->ok()) {
      const auto status = decoder.status(body);
      return lease::Failed{status ? status->message : "HTTP " + std::to_string(reply->status)};
    }
    auto object = decoder.object(kind_info<Lease>(), body);
    if (!object) return lease::Failed{object.error().message};
    auto record = record_of(*as<Lease>(*object));
    if (method == Method::Get) return lease::Found{std::move(record)};
    return lease::Wrote{std::move(record)};
  }

  void cancel() {
    if (call) transport.cancel(std::exchange(call, {}));
  }

  Loop& loop;
  Transport& transport;
  const LeaseOptions options;
  const Callbacks callbacks;
  const std::uint64_t seed;
  std::uint64_t draws = 0;
  LeaseMachine machine;
  Decoder decoder;
  CallId call;
  TimerId timer;
  std::function<void()> released;
  std::atomic<Duration::rep> held_until{0};
};

LeaseHolder::LeaseHolder(Loop& loop, Transport& transport, LeaseOptions options,
                         Callbacks callbacks, std::uint64_t seed)
    : impl_(std::make_shared<Impl>(loop, transport, std::move(options), std::move(callbacks),
                                   seed)) {}

LeaseHolder::~LeaseHolder() {
  impl_->cancel();
  impl_->loop.cancel(impl_->timer);
}

void LeaseHolder::start() { impl_->step(lease::Start{}); }

void LeaseHolder::release(std::function<void()> done) {
  impl_->released = std::move(done);
  impl_->step(lease::Release{});
}

bool LeaseHolder::holds() const {
  const TimePoint until{Duration(impl_->held_until.load(std::memory_order_acquire))};
  return impl_->loop.clock().now() < until;
}

}  // namespace troupe::k8s
