#include "engines/agent/gateway.hpp"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engines/agent/quiet_grpc.hpp"
#include "engines/agent/wire.hpp"
#include "proto/agent.grpc.pb.h"
#include "runtime/model/backoff.hpp"

namespace troupe::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
namespace pb = wire::pb;

constexpr seconds kSilenceIsDeath{3};       // heartbeats come each second
constexpr milliseconds kLookInterval{250};  // between looks at all streams
constexpr seconds kRenewInterval{3};        // of leases, which last several of these
constexpr Backoff kReconnect{.base = milliseconds(100), .cap = seconds(5)};

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const TlsIdentity& identity) {
  const auto provider = std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      identity.authorities, std::vector<grpc::experimental::IdentityKeyCertPair>{
                                {std::string(identity.key.reveal()), identity.certificate}});
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

grpc::ChannelArguments channel_arguments(const Endpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(endpoint.server_name);
  // A channel for each stream and its calls; ours is the backoff that counts.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// gRPC has one status for everything that keeps it from connecting, and tells the rest in words.
StreamState failure_of(const grpc::Status& status, bool was_connected) {
  const auto& text = status.error_message();
  const auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  switch (status.error_code()) {
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::INVALID_ARGUMENT:
      return StreamState::Refused;
    default:
      break;
  }
  if (says("onnection refused")) return StreamState::Refused;
  if (says("handshake failed") || says("SSL") || says("erification")) return StreamState::TlsFailed;
  return was_connected ? StreamState::Lost : StreamState::Connecting;
}

Code code_of(const grpc::Status& status, const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  if (const auto found = metadata.find(wire::kCodeKey); found != metadata.end()) {
    return wire::code_of({found->second.data(), found->second.size()}).value_or(Code::Fatal);
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Code::Retry;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return Code::Timeout;
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return Code::Denied;
    default:
      return Code::Fatal;
  }
}

struct Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : lifecycle(pb::Lifecycle::NewStub(channel)),
        config(pb::Config::NewStub(channel)),
        mysql(pb::Mysql::NewStub(channel)) {}
  std::unique_ptr<pb::Lifecycle::Stub> lifecycle;
  std::unique_ptr<pb::Config::Stub> config;
  std::unique_ptr<pb::Mysql::Stub> mysql;
};

// Names the method of each command.
template <class Action>
auto starter(Stubs& stubs);
#define TROUPE_AGENT_METHOD(Service, Method)                                  \
  template <>                                                                 \
  auto starter<agent::Method>(Stubs & stubs) {                                \
    return [&stubs](auto*... arguments) {                                     \
      return [&stubs, arguments...](std::function<void(grpc::Status)> done) { \
        stubs.Service->async()->Method(arguments..., std::move(done));        \
      };                                                                      \
    };                                                                        \
  }
TROUPE_AGENT_METHOD(lifecycle, StartProcess)
TROUPE_AGENT_METHOD(lifecycle, StopProcess)
TROUPE_AGENT_METHOD(lifecycle, KillProcess)
TROUPE_AGENT_METHOD(config, Render)
TROUPE_AGENT_METHOD(mysql, EnsureInitialised)
TROUPE_AGENT_METHOD(mysql, EnsureAccounts)
TROUPE_AGENT_METHOD(mysql, StopReceiver)
TROUPE_AGENT_METHOD(mysql, Drain)
TROUPE_AGENT_METHOD(mysql, Promote)
TROUPE_AGENT_METHOD(mysql, OpenForWrites)
TROUPE_AGENT_METHOD(mysql, Follow)
TROUPE_AGENT_METHOD(mysql, Close)
TROUPE_AGENT_METHOD(mysql, SaveTransactions)
TROUPE_AGENT_METHOD(mysql, Clone)
TROUPE_AGENT_METHOD(mysql, ResetBinlogs)
TROUPE_AGENT_METHOD(mysql, StartGroup)
TROUPE_AGENT_METHOD(mysql, StopGroup)
TROUPE_AGENT_METHOD(mysql, SetGroupPrimary)
TROUPE_AGENT_METHOD(mysql, InspectSource)
#undef TROUPE_AGENT_METHOD

}  // namespace

class Gateway::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const Clock& clock, const TlsIdentity& identity, Sink sink, Leads leads)
      : clock_(clock),
        sink_(std::move(sink)),
        leads_(std::move(leads)),
        credentials_(credentials_of(identity)) {}

  void start() {
    quiet_grpc();
    keeper_ = std::thread([this] { keep(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    keeper_.join();
    std::map<std::string, std::shared_ptr<Link>> links;
    std::map<CallId, Call> calls;
    {
      const std::lock_guard lock(mutex_);
      links.swap(links_);
      calls = calls_;
    }
    for (auto& [id, link] : links) link->drop();
    for (auto& [id, call] : calls) call.context->TryCancel();
    std::unique_lock lock(outstanding_mutex_);
    none_outstanding_.wait(lock, [this] { return outstanding_ == 0; });
  }

  void set_endpoints(std::vector<Endpoint> endpoints) {
    std::vector<std::shared_ptr<Link>> added, dropped;
    {
      const std::lock_guard lock(mutex_);
      auto before = std::exchange(links_, {});
      for (auto& endpoint : endpoints) {
        auto link = std::move(before[endpoint.id]);
        if (!link || link->endpoint() != endpoint) {
          if (link) dropped.push_back(std::move(link));
          link = std::make_shared<Link>(*this, endpoint);
          added.push_back(link);
        }
        links_[endpoint.id] = std::move(link);
      }
      for (auto& [id, link] : before) {
        if (link) dropped.push_back(std::move(link));
      }
    }
    for (const auto& link : dropped) link->drop();
    for (const auto& link : added) link->connect();
  }

  void set_identity(const TlsIdentity& identity) {
    const std::lock_guard lock(mutex_);
    credentials_ = credentials_of(identity);
  }

  Observation latest(const std::string& id) const {
    const auto link = find(id);
    return link ? link->latest() : nullptr;
  }

  CallId call(const std::string& id, Command command, Done done) {
    const auto link = find(id);
    const auto stubs = link ? link->stubs() : nullptr;
    std::unique_lock lock(mutex_);
    const auto call_id = ++last_call_;
    if (!stubs) {
      later(std::move(done), link ? error(Code::Retry, "the agent is not connected yet")
                                  : error(Code::NotFound, "no agent is known as " + id));
    } else if (calls_.size() >= kMaxCalls || link->calls() >= kMaxCallsPerEndpoint) {
      ++calls_refused_;
      later(std::move(done), error(Code::Retry, "too many commands are under way"));
    } else {
      one_more();
      auto context = std::make_shared<grpc::ClientContext>();
      calls_.emplace(call_id, Call{context, stubs});
      ++calls_made_;
      link->count_call(+1);
      lock.unlock();
      std::visit(
          [&](const auto& action) {
            send(call_id, link, stubs, context, command.header, action, std::move(done));
          },
          command.action);
      if (!link->streams_over(stubs)) context->TryCancel();  // it has ended meanwhile
    }
    return call_id;
  }

  void cancel(CallId call) {
    std::shared_ptr<grpc::ClientContext> context;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = calls_.find(call); found != calls_.end())
        context = found->second.context;
    }
    if (context) context->TryCancel();
  }

  GatewayMetrics metrics() const {
    GatewayMetrics out;
    std::vector<std::shared_ptr<Link>> links;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, link] : links_) links.push_back(link);
      out.calls = calls_made_;
      out.calls_in_flight = calls_.size();
      out.calls_refused = calls_refused_;
    }
    out.endpoints = links.size();
    for (const auto& link : links) link->count_into(out);
    out.streams = streams_;
    out.streams_ended = streams_ended_;
    out.streams_silent = streams_silent_;
    return out;
  }

 private:
  class Link;

  struct Call {
    std::shared_ptr<grpc::ClientContext> context;
    std::shared_ptr<Stubs> stubs;  // of the stream that it goes beside
  };

  // One Watch stream. Deletes itself when gRPC is done with it.
  class Stream final : public grpc::ClientBidiReactor<pb::WatchRequest, pb::State> {
   public:
    Stream(std::shared_ptr<Link> link, std::shared_ptr<Stubs> stubs)
        : link_(std::move(link)), stubs_(std::move(stubs)) {}

    void open(const std::string& unit) {
      request_.set_unit(unit);
      stubs_->lifecycle->async()->Watch(context_.get(), this);
      writing_ = true;
      write();
      StartRead(&state_);
      StartCall();
    }
    // Outlives the stream in the hands of who may cancel it.
    std::shared_ptr<grpc::ClientContext> context() const { return context_; }

    void OnReadDone(bool ok) override {
      if (!ok) return;
      link_->take(this, state_);
      const auto& gateway = link_->gateway();
      if (gateway.clock_.now() - renewed_ >= kRenewInterval && gateway.leads_() &&
          !writing_.exchange(true)) {
        write();
      }
      StartRead(&state_);
    }
    void OnWriteDone(bool) override { writing_ = false; }
    void OnDone(const grpc::Status& status) override {
      link_->ended(this, status);
      auto& gateway = link_->gateway();
      delete this;
      gateway.one_less();
    }

   private:
    // Who begins to lead renews with the next heartbeat.
    void write() {
      const auto& gateway = link_->gateway();
      request_.set_renews_lease(gateway.leads_());
      if (request_.renews_lease()) renewed_ = gateway.clock_.now();
      StartWrite(&request_);
    }

    std::shared_ptr<Link> link_;
    std::shared_ptr<Stubs> stubs_;
    const std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
    std::atomic<bool> writing_ = false;
    TimePoint renewed_;
    pb::WatchRequest request_;
    pb::State state_;
  };

  // One endpoint: its channel, its stream, what it last said.
  class Link : public std::enable_shared_from_this<Link> {
   public:
    Link(Impl& gateway, Endpoint endpoint) : gateway_(gateway), endpoint_(std::move(endpoint)) {
      state_.since = gateway_.clock_.now();
    }

    Impl& gateway() { return gateway_; }
    const Endpoint& endpoint() const { return endpoint_; }

    void connect() {
      const auto stubs = std::make_shared<Stubs>(gateway_.new_channel(endpoint_));
      std::shared_ptr<Stubs> before;
      Stream* stream = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (dropped_ || stream_ != nullptr) return;
        stream = stream_ = new Stream(shared_from_this(), stubs);
        context_ = stream->context();
        before = std::exchange(stubs_, stubs);
        heard_ = gateway_.clock_.now();
        sequence_.reset();
        ++gateway_.streams_;
        gateway_.one_more();
      }
      gateway_.end_calls(before);
      if (!published_.exchange(true)) publish();
      stream->open(endpoint_.unit);
    }

    // Nothing is published any more.
    void drop() {
      std::shared_ptr<grpc::ClientContext> context;
      std::shared_ptr<Stubs> stubs;
      {
        const std::lock_guard lock(mutex_);
        dropped_ = true;
        context = context_;
        stubs = stubs_;
      }
      if (context) context->TryCancel();
      gateway_.end_calls(stubs);
    }

    // Regularly, from the keeper: reconnects when it is time, ends a silent stream.
    void look(TimePoint now) {
      std::shared_ptr<grpc::ClientContext> silent;
      {
        const std::lock_guard lock(mutex_);
        if (dropped_) return;
        if (stream_ != nullptr) {
          if (now - heard_ <= kSilenceIsDeath) return;
          silent = context_;
        } else if (now < retry_at_) {
          return;
        }
      }
      if (silent) return silent->TryCancel();
      connect();
    }

    void take(Stream* from, const pb::State& message) {
      {
        const std::lock_guard lock(mutex_);
        if (from != stream_ || dropped_) return;
        heard_ = gateway_.clock_.now();
        state_.seen = heard_;
        if (sequence_ == message.sequence()) return;  // a heartbeat
        sequence_ = message.sequence();
        failures_ = 0;
        wire::read_state(message, state_);
        enter(StreamState::Connected, {});
      }
      publish();
    }

    void ended(Stream* which, const grpc::Status& status) {
      std::shared_ptr<Stubs> stubs;
      bool dropped = false;
      {
        const std::lock_guard lock(mutex_);
        if (which != stream_) return;
        stream_ = nullptr;
        stubs = stubs_;
        context_.reset();
        const bool silent = gateway_.clock_.now() - heard_ > kSilenceIsDeath;
        ++failures_;
        ++gateway_.streams_ended_;
        if (silent) ++gateway_.streams_silent_;
        const auto jitter = mix(std::hash<std::string>()(endpoint_.id), failures_);
        retry_at_ = gateway_.clock_.now() + kReconnect.delay(failures_, jitter);
        const bool was_connected = state_.seen != TimePoint{};
        auto why = silent ? std::string("no heartbeat for 3 s") : status.error_message();
        enter(silent && was_connected ? StreamState::Lost : failure_of(status, was_connected),
              std::move(why));
        dropped = dropped_;
      }
      gateway_.end_calls(stubs);
      if (!dropped) publish();
    }

    Observation latest() const {
      const std::lock_guard lock(mutex_);
      return std::make_shared<const AgentObservation>(state_);
    }
    std::shared_ptr<Stubs> stubs() const {
      const std::lock_guard lock(mutex_);
      return stubs_;
    }
    bool streams_over(const std::shared_ptr<Stubs>& stubs) const {
      const std::lock_guard lock(mutex_);
      return stubs_ == stubs && !dropped_;
    }

    void count_into(GatewayMetrics& metrics) const {
      const std::lock_guard lock(mutex_);
      if (!state_.connected()) return;
      ++metrics.connected;
      if (state_.fenced) ++metrics.fenced;
    }

    // Guarded by the gateway's mutex.
    std::size_t calls() const { return calls_; }
    void count_call(int by) { calls_ += static_cast<std::size_t>(by); }

   private:
    void enter(StreamState next, std::string why) {
      if (state_.stream != next) state_.since = gateway_.clock_.now();
      state_.stream = next;
      state_.stream_error = std::move(why);
    }

    // Not under the lock of the state: the sink may ask for the latest. In order, all the same.
    void publish() {
      const std::lock_guard order(publishing_);
      gateway_.sink_(endpoint_.id, latest());
    }

    Impl& gateway_;
    const Endpoint endpoint_;
    std::mutex publishing_;
    mutable std::mutex mutex_;
    bool dropped_ = false;
    std::atomic<bool> published_ = false;
    Stream* stream_ = nullptr;
    std::shared_ptr<grpc::ClientContext> context_;  // of the stream
    std::shared_ptr<Stubs> stubs_;
    TimePoint heard_, retry_at_;
    std::uint32_t failures_ = 0;
    std::optional<std::uint64_t> sequence_;
    AgentObservation state_;
    std::size_t calls_ = 0;
  };

  std::shared_ptr<Link> find(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(id);
    return found == links_.end() ? nullptr : found->second;
  }

  std::shared_ptr<grpc::Channel> new_channel(const Endpoint& endpoint) {
    std::shared_ptr<grpc::ChannelCredentials> credentials;
    {
      const std::lock_guard lock(mutex_);
      credentials = credentials_;
    }
    const bool v6 = endpoint.ip.find(':') != std::string::npos;
    const auto target = v6 ? fmt::format("ipv6:[{}]:{}", endpoint.ip, endpoint.port)
                           : fmt::format("ipv4:{}:{}", endpoint.ip, endpoint.port);
    auto channel = grpc::CreateCustomChannel(target, credentials, channel_arguments(endpoint));
    // The last channel takes gRPC's callback queue with it, and gRPC 1.51 aborts when a thread of
    // that queue is still letting go of it: the first one stays until the process ends.
    [[maybe_unused]] static const auto* const kept = new std::shared_ptr<grpc::Channel>(channel);
    return channel;
  }

  template <class Action>
  void send(CallId id, const std::shared_ptr<Link>& link, const std::shared_ptr<Stubs>& stubs,
            const std::shared_ptr<grpc::ClientContext>& context, const CommandHeader& header,
            const Action& action, Done done) {
    using Rpc = wire::Rpc<Action>;
    context->set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(header.time_limit));
    const auto request = std::make_shared<typename Rpc::Request>(wire::request_of(header, action));
    const auto reply = std::make_shared<typename Rpc::Reply>();
    const auto start = starter<Action>(*stubs)(context.get(), request.get(), reply.get());
    start([this, id, link, stubs, context, request, reply,
           done = std::move(done)](const grpc::Status& status) {
      done(status.ok() ? Result<Reply>(wire::reply_of<Action>(*reply))
                       : error(code_of(status, *context), status.error_message()));
      {
        const std::lock_guard lock(mutex_);
        calls_.erase(id);
        link->count_call(-1);
      }
      one_less();
    });
  }

  // Those beside a stream that has ended: their connection is dead, or nobody waits for it.
  void end_calls(const std::shared_ptr<Stubs>& stubs) {
    std::vector<std::shared_ptr<grpc::ClientContext>> ending;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, call] : calls_)
        if (stubs && call.stubs == stubs) ending.push_back(call.context);
    }
    for (const auto& context : ending) context->TryCancel();
  }

  // Answers from the keeper's thread. Under the lock.
  void later(Done done, Error why) {
    refused_.emplace_back([done = std::move(done), why = std::move(why)] { done(why); });
    changed_.notify_all();
  }

  void one_more() {
    const std::lock_guard lock(outstanding_mutex_);
    ++outstanding_;
  }
  void one_less() {
    const std::lock_guard lock(outstanding_mutex_);
    if (--outstanding_ == 0) none_outstanding_.notify_all();
  }

  void keep() {
    std::unique_lock lock(mutex_);
    while (!stopping_ || !refused_.empty()) {
      if (refused_.empty()) changed_.wait_for(lock, kLookInterval);
      std::deque<std::function<void()>> refused;
      refused.swap(refused_);
      std::vector<std::shared_ptr<Link>> links;
      for (const auto& [id, link] : links_) links.push_back(link);
      lock.unlock();
      for (const auto& answer : refused) answer();
      const auto now = clock_.now();
      for (const auto& link : links) link->look(now);
      lock.lock();
    }
  }

  const Clock& clock_;
  const Sink sink_;
  const Leads leads_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::map<std::string, std::shared_ptr<Link>> links_;
  std::map<CallId, Call> calls_;
  std::deque<std::function<void()>> refused_;
  CallId last_call_ = 0;
  std::uint64_t calls_made_ = 0;  // sent; as the next, under the lock
  std::uint64_t calls_refused_ = 0;
  std::atomic<std::uint64_t> streams_ = 0, streams_ended_ = 0, streams_silent_ = 0;

  // Streams and calls that gRPC still holds. A lock of its own: counted under links' locks too.
  std::mutex outstanding_mutex_;
  std::condition_variable none_outstanding_;
  std::size_t outstanding_ = 0;

  std::thread keeper_;
};

Gateway::Gateway(const Clock& clock, TlsIdentity identity, Sink sink, Leads leads)
    : impl_(std::make_shared<Impl>(clock, identity, std::move(sink), std::move(leads))) {
  impl_->start();
}
Gateway::~Gateway() { impl_->stop(); }

void Gateway::set_endpoints(std::vector<Endpoint> endpoints) {
  impl_->set_endpoints(std::move(endpoints));
}
void Gateway::set_identity(TlsIdentity identity) { impl_->set_identity(identity); }
Gateway::Observation Gateway::latest(const std::string& endpoint_id) const {
  return impl_->latest(endpoint_id);
}
Gateway::CallId Gateway::call(const std::string& endpoint_id, Command command, Done done) {
  return impl_->call(endpoint_id, std::move(command), std::move(done));
}
void Gateway::cancel(CallId call) { impl_->cancel(call); }
GatewayMetrics Gateway::metrics() const { return impl_->metrics(); }

}  // namespace troupe::agent
