#include "engines/agent/server/service.hpp"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <set>
#include <thread>

#include "engines/agent/quiet_grpc.hpp"
#include "engines/agent/server/certificate_files.hpp"
#include "engines/agent/wire.hpp"
#include "proto/agent.grpc.pb.h"

namespace troupe::agent {
namespace {

namespace asio = boost::asio;
using wire::pb::State;

constexpr std::size_t kWorkers = 6;      // one fenced command, and those that cut it short
constexpr std::size_t kMaxCalls = 32;    // taken and not answered yet
constexpr std::size_t kMaxWatchers = 8;  // the operator, its standby, people with tools
constexpr std::chrono::seconds kHeartbeat{1};
constexpr std::chrono::seconds kDefaultLimit{30};  // for a caller that gives no deadline
constexpr std::chrono::hours kLongestLimit{24};

grpc::StatusCode status_code(Code code) {
  switch (code) {
    case Code::Retry:
      return grpc::StatusCode::UNAVAILABLE;
    case Code::Timeout:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case Code::Conflict:
      return grpc::StatusCode::ABORTED;
    case Code::NotFound:
      return grpc::StatusCode::NOT_FOUND;
    case Code::Exists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case Code::Denied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case Code::Invalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case Code::Stale:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case Code::Fatal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::Status refuse(grpc::CallbackServerContext& context, const Error& why) {
  context.AddTrailingMetadata(wire::kCodeKey, std::string(to_string(why.code)));
  return {status_code(why.code), why.message};
}

bool is_operator(const grpc::CallbackServerContext& context, const std::string& name) {
  const auto peer = context.auth_context();
  if (!peer || !peer->IsPeerAuthenticated()) return false;
  for (const auto& value : peer->FindPropertyValues("x509_subject_alternative_name")) {
    if (value == name) return true;
  }
  return false;
}

std::chrono::milliseconds time_limit(const grpc::CallbackServerContext& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (left > kLongestLimit) return kDefaultLimit;
  return std::chrono::duration_cast<std::chrono::milliseconds>(left);
}

// One unary call: runs on a worker, is cancelled with the call, answers once.
template <class Action>
class Call final : public grpc::ServerUnaryReactor {
 public:
  using Request = typename wire::Rpc<Action>::Request;
  using Reply = typename wire::Rpc<Action>::Reply;

  Call(grpc::CallbackServerContext& context, const Request& request, Reply& reply)
      : context_(context),
        reply_(reply),
        command_(wire::command_of<Action>(request)),
        work_(std::make_shared<Work>(time_limit(context))) {}

  void run(Agent& agent) {
    const auto result = agent.execute(command_, *work_);
    if (!result) return Finish(refuse(context_, result.error()));
    reply_ = wire::reply_to_wire<Action>(*result);
    Finish(grpc::Status::OK);
  }

  void OnCancel() override { work_->cancel(error(Code::Timeout, "the caller has gone")); }
  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext& context_;
  Reply& reply_;
  const Command command_;
  const std::shared_ptr<Work> work_;
};

class Watcher;

// Who watches. A watcher leaves by itself when its stream has ended.
class Watchers {
 public:
  bool add(Watcher* watcher) {
    const std::lock_guard lock(mutex_);
    return all_.size() < kMaxWatchers && all_.insert(watcher).second;
  }
  void remove(Watcher* watcher) {
    const std::lock_guard lock(mutex_);
    all_.erase(watcher);
  }
  void notify();
  void finish();

 private:
  std::mutex mutex_;
  std::set<Watcher*> all_;
};

class Watcher final : public grpc::ServerBidiReactor<wire::pb::WatchRequest, State> {
 public:
  Watcher(grpc::CallbackServerContext& context, Agent& agent, Watchers& watchers)
      : context_(context), agent_(agent), watchers_(watchers) {
    agent_.operator_connected(true);
  }

  void begin() { read(); }

  // Writes the newest state, now or when the write under way is done.
  void notify() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      if (writing_) {
        again_ = true;
        return;
      }
      writing_ = true;
    }
    write();
  }

  void finish(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      finished_ = true;
    }
    Finish(status);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // it has nothing more to say, and may go on listening
    if (!std::exchange(admitted_, true) && !admit()) return;
    if (request_.renews_lease()) agent_.renew_lease();
    read();
  }
  void OnWriteDone(bool ok) override {
    bool next = false;
    {
      const std::lock_guard lock(mutex_);
      writing_ = next = ok && std::exchange(again_, false) && !finished_;
    }
    if (!ok) return finish(grpc::Status::CANCELLED);
    if (next) write();
  }
  void OnCancel() override { finish(grpc::Status::CANCELLED); }
  void OnDone() override {
    watchers_.remove(this);
    agent_.operator_connected(false);
    delete this;
  }

 private:
  bool admit() {
    const auto& unit = agent_.settings().unit;
    if (request_.unit() != unit) {
      finish(refuse(context_, error(Code::Invalid, fmt::format("this is the agent of {}", unit))));
      return false;
    }
    if (!watchers_.add(this)) {
      finish(refuse(context_, error(Code::Retry, "too many watchers")));
      return false;
    }
    notify();
    return true;
  }

  // gRPC calls back from its own threads, never from within: the lock may be held.
  void read() {
    const std::lock_guard lock(mutex_);
    if (!finished_) StartRead(&request_);
  }

  void write() {
    const auto view = agent_.board().view();
    state_ = wire::state_to_wire(view.sequence, view.state);
    StartWrite(&state_);
  }

  grpc::CallbackServerContext& context_;
  Agent& agent_;
  Watchers& watchers_;
  bool admitted_ = false;
  wire::pb::WatchRequest request_;
  std::mutex mutex_;
  bool writing_ = false;
  bool again_ = false;
  bool finished_ = false;
  State state_;  // stays as it is while it is written
};

// The lock is held so that no watcher deletes itself meanwhile; none of them calls back into here
// from notify() or finish().
void Watchers::notify() {
  const std::lock_guard lock(mutex_);
  for (auto* watcher : all_) watcher->notify();
}
void Watchers::finish() {
  const std::lock_guard lock(mutex_);
  for (auto* watcher : all_) watcher->finish({grpc::StatusCode::UNAVAILABLE, "the agent ends"});
}

// What the three services share: admission, workers, watchers.
class Desk {
 public:
  explicit Desk(Agent& agent) : agent_(agent) {
    listening_ = agent_.board().listen([this] { watchers_.notify(); });
    heart_ = std::thread([this] { beat(); });
  }
  ~Desk() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    heart_.join();
    listening_.reset();
    workers_.join();
  }

  template <class Action>
  grpc::ServerUnaryReactor* serve(grpc::CallbackServerContext* context,
                                  const typename wire::Rpc<Action>::Request* request,
                                  typename wire::Rpc<Action>::Reply* reply) {
    if (auto* refused = admit(*context)) return refused;
    auto* call = new Call<Action>(*context, *request, *reply);
    asio::post(workers_, [this, call] {
      call->run(agent_);
      --calls_;
    });
    return call;
  }

  Watcher* watch(grpc::CallbackServerContext* context) {
    auto* watcher = new Watcher(*context, agent_, watchers_);
    if (is_operator(*context, agent_.settings().client_name)) {
      watcher->begin();
    } else {
      watcher->finish(refuse(*context, denied()));
    }
    return watcher;
  }

  void end_streams() { watchers_.finish(); }

 private:
  Error denied() const {
    return error(Code::Denied, fmt::format("the caller's certificate does not name {}",
                                           agent_.settings().client_name));
  }

  grpc::ServerUnaryReactor* admit(grpc::CallbackServerContext& context) {
    if (!is_operator(context, agent_.settings().client_name)) {
      auto* reactor = context.DefaultReactor();
      reactor->Finish(refuse(context, denied()));
      return reactor;
    }
    if (calls_.fetch_add(1) >= kMaxCalls) {
      --calls_;
      auto* reactor = context.DefaultReactor();
      reactor->Finish(refuse(context, error(Code::Retry, "too many calls at once")));
      return reactor;
    }
    return nullptr;
  }

  void beat() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      changed_.wait_for(lock, kHeartbeat);
      lock.unlock();
      watchers_.notify();
      lock.lock();
    }
  }

  Agent& agent_;
  Watchers watchers_;
  Board::Subscription listening_;
  asio::thread_pool workers_{kWorkers};
  std::atomic<std::size_t> calls_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::thread heart_;
};

using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;
namespace pb = wire::pb;

class LifecycleService final : public pb::Lifecycle::CallbackService {
 public:
  explicit LifecycleService(Desk& desk) : desk_(desk) {}
  grpc::ServerBidiReactor<pb::WatchRequest, State>* Watch(Context* context) override {
    return desk_.watch(context);
  }
  Unary* StartProcess(Context* context, const pb::StartProcessRequest* in,
                      pb::Acknowledgement* out) override {
    return desk_.serve<agent::StartProcess>(context, in, out);
  }
  Unary* StopProcess(Context* context, const pb::StopProcessRequest* in,
                     pb::Acknowledgement* out) override {
    return desk_.serve<agent::StopProcess>(context, in, out);
  }
  Unary* KillProcess(Context* context, const pb::KillProcessRequest* in,
                     pb::Acknowledgement* out) override {
    return desk_.serve<agent::KillProcess>(context, in, out);
  }

 private:
  Desk& desk_;
};

class ConfigService final : public pb::Config::CallbackService {
 public:
  explicit ConfigService(Desk& desk) : desk_(desk) {}
  Unary* Render(Context* context, const pb::RenderRequest* in, pb::RenderReply* out) override {
    return desk_.serve<agent::Render>(context, in, out);
  }

 private:
  Desk& desk_;
};

class MysqlService final : public pb::Mysql::CallbackService {
 public:
  explicit MysqlService(Desk& desk) : desk_(desk) {}
  Unary* EnsureInitialised(Context* context, const pb::EnsureInitialisedRequest* in,
                           pb::EnsureInitialisedReply* out) override {
    return desk_.serve<agent::EnsureInitialised>(context, in, out);
  }
  Unary* EnsureAccounts(Context* context, const pb::EnsureAccountsRequest* in,
                        pb::EnsureAccountsReply* out) override {
    return desk_.serve<agent::EnsureAccounts>(context, in, out);
  }
  Unary* StopReceiver(Context* context, const pb::StopReceiverRequest* in,
                      pb::StopReceiverReply* out) override {
    return desk_.serve<agent::StopReceiver>(context, in, out);
  }
  Unary* Drain(Context* context, const pb::DrainRequest* in, pb::DrainReply* out) override {
    return desk_.serve<agent::Drain>(context, in, out);
  }
  Unary* Promote(Context* context, const pb::PromoteRequest* in, pb::PromoteReply* out) override {
    return desk_.serve<agent::Promote>(context, in, out);
  }
  Unary* OpenForWrites(Context* context, const pb::OpenForWritesRequest* in,
                       pb::OpenForWritesReply* out) override {
    return desk_.serve<agent::OpenForWrites>(context, in, out);
  }
  Unary* Follow(Context* context, const pb::FollowRequest* in, pb::FollowReply* out) override {
    return desk_.serve<agent::Follow>(context, in, out);
  }
  Unary* Close(Context* context, const pb::CloseRequest* in, pb::CloseReply* out) override {
    return desk_.serve<agent::Close>(context, in, out);
  }
  Unary* SaveTransactions(Context* context, const pb::SaveTransactionsRequest* in,
                          pb::SaveTransactionsReply* out) override {
    return desk_.serve<agent::SaveTransactions>(context, in, out);
  }
  Unary* Clone(Context* context, const pb::CloneRequest* in, pb::CloneReply* out) override {
    return desk_.serve<agent::Clone>(context, in, out);
  }
  Unary* ResetBinlogs(Context* context, const pb::ResetBinlogsRequest* in,
                      pb::Acknowledgement* out) override {
    return desk_.serve<agent::ResetBinlogs>(context, in, out);
  }
  Unary* StartGroup(Context* context, const pb::StartGroupRequest* in,
                    pb::StartGroupReply* out) override {
    return desk_.serve<agent::StartGroup>(context, in, out);
  }
  Unary* StopGroup(Context* context, const pb::StopGroupRequest* in,
                   pb::StopGroupReply* out) override {
    return desk_.serve<agent::StopGroup>(context, in, out);
  }
  Unary* SetGroupPrimary(Context* context, const pb::SetGroupPrimaryRequest* in,
                         pb::SetGroupPrimaryReply* out) override {
    return desk_.serve<agent::SetGroupPrimary>(context, in, out);
  }
  Unary* InspectSource(Context* context, const pb::InspectSourceRequest* in,
                       pb::InspectSourceReply* out) override {
    return desk_.serve<agent::InspectSource>(context, in, out);
  }

 private:
  Desk& desk_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const std::filesystem::path& directory) {
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      directory / "tls.key", directory / "tls.crt", directory / "ca.crt",
      static_cast<unsigned>(CertificateFiles::kRefresh.count()));
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace

class Service::Impl {
 public:
  explicit Impl(Agent& agent) : desk_(agent), lifecycle_(desk_), config_(desk_), mysql_(desk_) {}

  ~Impl() {
    desk_.end_streams();
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
    if (server_) server_->Wait();
  }

  Result<void> start(const AgentSettings& settings) {
    quiet_grpc();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(settings.listen, credentials(settings.tls_dir), &port_);
    builder.RegisterService(&lifecycle_);
    builder.RegisterService(&config_);
    builder.RegisterService(&mysql_);
    // A dead operator's streams are found without waiting for TCP.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) {
      return error(Code::Fatal, fmt::format("cannot listen at {} with the certificates in {}",
                                            settings.listen, settings.tls_dir.string()));
    }
    return {};
  }

  int port() const { return port_; }

 private:
  Desk desk_;
  LifecycleService lifecycle_;
  ConfigService config_;
  MysqlService mysql_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::start(Agent& agent) {
  auto impl = std::make_unique<Impl>(agent);
  if (auto started = impl->start(agent.settings()); !started) return started.error();
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

int Service::port() const { return impl_->port(); }

}  // namespace troupe::agent
