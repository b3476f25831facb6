#include "k8s/client/http.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <deque>
#include <unordered_map>
#include <utility>

#include "k8s/client/credentials.hpp"
#include "k8s/client/http_connection.hpp"
#include "k8s/client/line_splitter.hpp"

namespace troupe::k8s {
namespace {

namespace ssl = boost::asio::ssl;
using internal::Connection;
using internal::ResponseHead;

// A Status fits many times over.
constexpr std::size_t kMaxRefusal = std::size_t{1} << 20;
// Bodies grow by doubling from here.
constexpr std::size_t kFirstBodyReserve = 4096;

using TlsContext = std::shared_ptr<ssl::context>;

Result<TlsContext> make_tls(const ClientConfig& config, const Credential& credential) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code ec;
  context->set_verify_mode(ssl::verify_peer);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  if (config.ca_pem.empty()) {
    context->set_default_verify_paths(ec);
  } else {
    context->add_certificate_authority(boost::asio::buffer(config.ca_pem), ec);
  }
  if (ec) {
    return error(Code::Invalid, fmt::format("{}: certificate-authority: expected certificates in "
                                            "PEM: {}",
                                            config.origin, ec.message()));
  }
  if (credential.certificate_pem.empty()) return context;
  context->use_certificate_chain(boost::asio::buffer(credential.certificate_pem), ec);
  if (!ec) {
    const auto key = credential.key_pem.reveal();
    context->use_private_key(boost::asio::buffer(key.data(), key.size()), ssl::context::pem, ec);
  }
  if (ec) {
    return error(Code::Invalid, fmt::format("{}: client-certificate and client-key: expected a "
                                            "matching pair in PEM: {}",
                                            config.origin, ec.message()));
  }
  return context;
}

}  // namespace

struct HttpTransport::Impl : std::enable_shared_from_this<HttpTransport::Impl> {
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  // A connection that nobody uses at the moment. Made with `tls`; obsolete when that changed.
  struct Idle {
    std::shared_ptr<Connection> connection;
    TlsContext tls;
    TimePoint since;
  };

  Impl(AsioLoop& on, ClientConfig client, HttpOptions opts)
      : loop(on),
        config(std::move(client)),
        options(std::move(opts)),
        credentials(on, config.auth) {}

  ~Impl();

  CallId start(Request request, Done done, std::shared_ptr<StreamHandler> handler);
  void authorize(const CallPtr& call);
  void dispatch(const CallPtr& call);
  void connect(const CallPtr& call);
  void send(const CallPtr& call);
  internal::HttpExchange exchange_of(const Call& call) const;
  void expire(const CallPtr& call);
  void fail_later(const CallPtr& call, Failure failure);
  void fail(const CallPtr& call, Failure failure);
  void done(const CallPtr& call, std::optional<Failure> failure);
  bool resend(const CallPtr& call, const std::optional<Failure>& failure);
  void finish(const CallPtr& call);
  void count(Call& call);
  void let_go(const CallPtr& call);
  void keep(std::shared_ptr<Connection> connection, TlsContext with);
  std::shared_ptr<Connection> take_idle();
  void drop_idle(const Connection* connection);
  void pump();
  Result<TlsContext> tls_for(const Credential& credential);

  AsioLoop& loop;
  const ClientConfig config;
  const HttpOptions options;
  Credentials credentials;
  TlsContext tls;  // made for tls_certificate
  std::string tls_certificate;
  std::uint64_t next_id = 1;
  std::unordered_map<std::uint64_t, CallPtr> calls;
  std::deque<CallPtr> queue;  // waiting for a connection; finished ones are skipped
  std::deque<Idle> idle;      // oldest first
  HttpMetrics metrics;
  RequestCounters requests;
};

// One call or stream from its start to its end.
struct HttpTransport::Impl::Call final : internal::ResponseSink,
                                         std::enable_shared_from_this<Call> {
  Call(Impl& transport, std::uint64_t number) : owner(transport), id(number) {}

  bool streaming() const { return handler != nullptr; }
  bool accepted() const { return response.status >= 200 && response.status < 300; }

  void on_head(const ResponseHead& head) override {
    response.status = head.status;
    response.retry_after = head.retry_after;
    if (!streaming()) response.body.reserve(kFirstBodyReserve);
  }

  bool on_body(std::string_view fragment) override {
    if (streaming() && accepted()) return splitter.feed(fragment);
    const auto bound = streaming() ? kMaxRefusal : owner.options.max_response;
    too_large = response.body.size() + fragment.size() > bound;
    if (too_large) return false;
    response.body.append(fragment);
    return true;
  }

  void on_read(std::size_t bytes) override {
    owner.metrics.bytes_received += bytes;
    if (!streaming() || !accepted()) return;
    const auto self = shared_from_this();  // the handler may cancel
    const auto receiver = handler;
    if (!std::exchange(opened, true)) {
      owner.loop.cancel(timer);
      owner.count(*this);
      receiver->on_open();
    }
    if (!finished) receiver->on_lines(splitter.lines(), bytes);
    splitter.clear();
  }

  void on_done(std::optional<Failure> failure) override {
    if (failure && too_large) {
      failure->error = error(Code::Invalid, fmt::format("API server: the answer to {} {} exceeds "
                                                        "{} bytes",
                                                        to_string(request.method), request.target,
                                                        owner.options.max_response));
    }
    owner.done(shared_from_this(), std::move(failure));
  }

  Impl& owner;
  const std::uint64_t id;
  Request request;
  Done callback;
  std::shared_ptr<StreamHandler> handler;
  TimePoint since;
  TimerId timer;
  std::shared_ptr<const Credential> credential;
  std::shared_ptr<Connection> connection;
  TlsContext tls;  // of the connection
  Response response;
  LineSplitter splitter;
  bool opened = false;
  bool pooled = false;  // holds a place of the pool
  bool reused = false;  // the connection had served before
  bool sent = false;
  bool resent = false;
  bool too_large = false;
  bool finished = false;
  bool counted = false;  // the answer under way
};

HttpTransport::Impl::~Impl() {
  for (auto& [id, call] : calls) {
    loop.cancel(call->timer);
    call->finished = true;
    if (call->connection) call->connection->close();
  }
  for (auto& each : idle) each.connection->close();
}

CallId HttpTransport::Impl::start(Request request, Done done,
                                  std::shared_ptr<StreamHandler> handler) {
  auto call = std::make_shared<Call>(*this, next_id++);
  call->request = std::move(request);
  call->callback = std::move(done);
  call->handler = std::move(handler);
  call->since = loop.clock().now();
  calls.emplace(call->id, call);
  ++(call->streaming() ? metrics.streams : metrics.calls);
  const bool full = call->streaming() ? metrics.open_streams >= options.max_streams
                                      : queue.size() >= options.max_queued;
  if (call->streaming()) ++metrics.open_streams;
  if (full) {
    ++(call->streaming() ? metrics.rejected_streams : metrics.rejected_calls);
    fail_later(call, {error(Code::Retry, "the client's queue to the API server is full"), false});
    return CallId{call->id};
  }
  call->timer = loop.call_at(call->since + call->request.timeout, [this, call] { expire(call); });
  authorize(call);
  return CallId{call->id};
}

void HttpTransport::Impl::authorize(const CallPtr& call) {
  credentials.get([this, call](Result<std::shared_ptr<const Credential>> credential) {
    if (call->finished) return;
    if (!credential) return fail_later(call, {credential.error(), false});
    call->credential = *credential;
    dispatch(call);
  });
}

void HttpTransport::Impl::dispatch(const CallPtr& call) {
  if (config.tls) {
    auto context = tls_for(*call->credential);
    if (!context) return fail_later(call, {context.error(), false});
    call->tls = *context;
  }
  if (call->streaming()) return connect(call);
  if (auto connection = take_idle()) {
    call->connection = std::move(connection);
    call->pooled = call->reused = true;
    return send(call);
  }
  if (metrics.open_connections >= options.max_connections) {
    queue.push_back(call);
    metrics.queued = queue.size();
    return;
  }
  ++metrics.open_connections;
  call->pooled = true;
  connect(call);
}

void HttpTransport::Impl::connect(const CallPtr& call) {
  ++metrics.connects;
  call->reused = false;
  call->connection =
      Connection::make(loop.context(), call->tls, {config.host, config.port, config.server_name});
  call->connection->connect([this, call](std::optional<Error> failure) {
    if (failure) return fail(call, {std::move(*failure), false});
    send(call);
  });
}

void HttpTransport::Impl::send(const CallPtr& call) {
  call->sent = true;
  call->connection->exchange(exchange_of(*call), call);
}

internal::HttpExchange HttpTransport::Impl::exchange_of(const Call& call) const {
  const auto& request = call.request;
  internal::HttpExchange exchange{request.method, config.path_prefix + request.target, {}, {}};
  const bool ipv6 = config.host.find(':') != std::string::npos;
  exchange.headers.emplace_back(
      "Host", fmt::format("{}{}{}:{}", ipv6 ? "[" : "", config.host, ipv6 ? "]" : "", config.port));
  exchange.headers.emplace_back("User-Agent", options.user_agent);
  exchange.headers.emplace_back("Accept", request.accept);
  if (!request.content_type.empty()) {
    exchange.headers.emplace_back("Content-Type", request.content_type);
  }
  // Never in the clear.
  if (config.tls && !call.credential->token.empty()) {
    exchange.headers.emplace_back("Authorization",
                                  fmt::format("Bearer {}", call.credential->token.reveal()));
  }
  exchange.body = request.body;  // kept: the request may be sent once more
  return exchange;
}

void HttpTransport::Impl::expire(const CallPtr& call) {
  if (call->finished) return;
  ++metrics.timeouts;
  fail(call,
       {error(Code::Timeout, fmt::format("API server {}:{}: no answer to {} {} within {}",
                                         config.host, config.port, to_string(call->request.method),
                                         call->request.target, to_text(call->request.timeout))),
        call->sent});
}

void HttpTransport::Impl::fail_later(const CallPtr& call, Failure failure) {
  loop.post([self = weak_from_this(), call, failure = std::move(failure)] {
    const auto impl = self.lock();
    if (impl && !call->finished) impl->fail(call, failure);
  });
}

void HttpTransport::Impl::fail(const CallPtr& call, Failure failure) {
  ++metrics.failures;
  call->response.status = 0;
  count(*call);
  finish(call);
  let_go(call);
  if (call->streaming())
    call->handler->on_end(std::move(failure.error));
  else
    call->callback(Reply(std::move(failure)));
}

// The exchange is over: completely, or with a failure.
void HttpTransport::Impl::done(const CallPtr& call, std::optional<Failure> failure) {
  if (call->finished) return;
  if (!failure) count(*call);
  if (resend(call, failure)) return;
  if (failure) return fail(call, std::move(*failure));
  finish(call);
  let_go(call);
  call->response.body.reserve(call->response.body.size() + kJsonPadding);
  if (!call->streaming()) return call->callback(std::move(call->response));
  if (!call->accepted()) return call->handler->on_refused(call->response);
  if (!call->splitter.has_partial_line()) return call->handler->on_end(std::nullopt);
  call->handler->on_end(error(Code::Retry, "API server: the stream ended inside a line"));
}

bool HttpTransport::Impl::resend(const CallPtr& call, const std::optional<Failure>& failure) {
  if (call->resent) return false;
  if (failure) {
    // The server closed the connection while it lay idle; reading twice does no harm.
    if (!call->reused || call->response.status != 0 || call->request.method != Method::Get) {
      return false;
    }
  } else {
    if (call->response.status != 401) return false;
    if (!credentials.refused(call->credential)) return false;
    if (call->streaming()) return false;  // its watcher comes back by itself
  }
  call->resent = true;
  ++metrics.resent;
  let_go(call);
  call->response = {};
  call->counted = false;
  authorize(call);
  return true;
}

// Once an answer, or where there is none. A stream's is counted as it begins.
void HttpTransport::Impl::count(Call& call) {
  if (std::exchange(call.counted, true)) return;
  requests.count(call.request.method, call.response.status);
  if (!call.streaming()) requests.observe(call.request.method, loop.clock().now() - call.since);
}

// From here on nothing is called back for it, except by the caller of finish().
void HttpTransport::Impl::finish(const CallPtr& call) {
  call->finished = true;
  loop.cancel(call->timer);
  calls.erase(call->id);
  if (call->streaming()) --metrics.open_streams;
}

// Gives the connection, and its place in the pool, back.
void HttpTransport::Impl::let_go(const CallPtr& call) {
  const auto connection = std::exchange(call->connection, nullptr);
  if (connection && (call->streaming() || !connection->reusable())) connection->close();
  if (!std::exchange(call->pooled, false)) return;
  if (connection && connection->reusable())
    keep(connection, call->tls);
  else
    --metrics.open_connections;
  pump();
}

void HttpTransport::Impl::keep(std::shared_ptr<Connection> connection, TlsContext with) {
  connection->await_close([this, raw = connection.get()] { drop_idle(raw); });
  idle.push_back({std::move(connection), std::move(with), loop.clock().now()});
  metrics.idle_connections = idle.size();
}

// The connection used last, so that those not needed grow old and go.
std::shared_ptr<Connection> HttpTransport::Impl::take_idle() {
  const auto oldest = loop.clock().now() - options.idle_timeout;
  while (!idle.empty() && (idle.front().since < oldest || idle.front().tls != tls)) {
    idle.front().connection->close();
    idle.pop_front();
    --metrics.open_connections;
  }
  metrics.idle_connections = idle.size();
  if (idle.empty()) return nullptr;
  auto connection = std::move(idle.back().connection);
  idle.pop_back();
  --metrics.idle_connections;
  return connection;
}

void HttpTransport::Impl::drop_idle(const Connection* connection) {
  std::erase_if(idle, [&](const Idle& each) {
    if (each.connection.get() != connection) return false;
    each.connection->close();
    --metrics.open_connections;
    return true;
  });
  metrics.idle_connections = idle.size();
}

void HttpTransport::Impl::pump() {
  while (!queue.empty() && (!idle.empty() || metrics.open_connections < options.max_connections)) {
    const auto call = std::move(queue.front());
    queue.pop_front();
    metrics.queued = queue.size();
    if (!call->finished) dispatch(call);
  }
}

// Connections keep the context that they were made with; a renewed certificate makes a new one.
Result<TlsContext> HttpTransport::Impl::tls_for(const Credential& credential) {
  if (tls && credential.certificate_pem == tls_certificate) return tls;
  auto made = make_tls(config, credential);
  if (!made) return made.error();
  tls = *made;
  tls_certificate = credential.certificate_pem;
  return tls;
}

HttpTransport::HttpTransport(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpTransport::~HttpTransport() = default;

Result<std::unique_ptr<HttpTransport>> HttpTransport::make(AsioLoop& loop, ClientConfig config,
                                                           HttpOptions options) {
  if (config.tls) {
    const auto& auth = config.auth;
    auto usable =
        make_tls(config, Credential{{}, auth.client_certificate_pem, auth.client_key_pem, {}});
    if (!usable) return usable.error();
  }
  return std::unique_ptr<HttpTransport>(
      new HttpTransport(std::make_shared<Impl>(loop, std::move(config), std::move(options))));
}

CallId HttpTransport::call(Request request, Done done) {
  return impl_->start(std::move(request), std::move(done), nullptr);
}

CallId HttpTransport::stream(Request request, std::shared_ptr<StreamHandler> handler) {
  return impl_->start(std::move(request), nullptr, std::move(handler));
}

void HttpTransport::cancel(CallId id) {
  const auto found = impl_->calls.find(id.value);
  if (found == impl_->calls.end()) return;
  const auto call = found->second;
  impl_->finish(call);
  impl_->let_go(call);
}

const ClientConfig& HttpTransport::config() const { return impl_->config; }

const HttpOptions& HttpTransport::options() const { return impl_->options; }

const HttpMetrics& HttpTransport::metrics() const { return impl_->metrics; }

const RequestCounters& HttpTransport::requests() const { return impl_->requests; }

}  // namespace troupe::k8s
