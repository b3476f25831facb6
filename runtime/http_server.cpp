#include "runtime/http_server.hpp"

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

namespace troupe::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint32_t kMaxHeader = 16 << 10;      // a bearer token is up to some KiB
constexpr std::size_t kMaxTarget = 4 << 10;         // names of objects are up to 253 bytes
constexpr std::uint64_t kMaxBody = 64 << 10;        // the API takes no documents
constexpr std::size_t kMaxPendingEvents = 1 << 20;  // bytes that a slow reader may lag behind
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// A value that any thread delivers once to a coroutine that waits for it on the server's thread.
// It may outlive the server; the waiting side lives in the coroutine's frame.
template <class T>
class Handoff : public std::enable_shared_from_this<Handoff<T>> {
 public:
  explicit Handoff(std::weak_ptr<asio::io_context> io) : io_(std::move(io)) {}

  // False: somebody else was first.
  bool deliver(T value) {
    if (delivered_.exchange(true)) return false;
    if (const auto io = io_.lock())
      asio::post(*io, [self = this->shared_from_this(), v = std::move(value)]() mutable {
        self->value_.emplace(std::move(v));
        if (self->waiting_) self->waiting_->cancel();
      });
    return true;
  }

  // On the server's thread. Empty: nothing came in time, and nothing will.
  asio::awaitable<std::optional<T>> wait(asio::io_context& io, Duration deadline) {
    asio::steady_timer timer(io, deadline);
    if (!value_) {
      waiting_ = &timer;
      const Detach detach{*this};
      co_await timer.async_wait(kAwait);
    }
    delivered_ = true;
    co_return std::move(value_);
  }

 private:
  struct Detach {
    Handoff& handoff;
    ~Detach() { handoff.waiting_ = nullptr; }
  };

  std::weak_ptr<asio::io_context> io_;
  std::atomic<bool> delivered_{false};
  asio::steady_timer* waiting_ = nullptr;  // server's thread only, as value_
  std::optional<T> value_;
};

struct Counters {
  std::atomic<std::uint64_t> requests{0}, failures{0}, refused_connections{0}, refused_streams{0},
      connections{0}, streams{0};
};

// The sending half of an event stream, filled by any thread, drained by the session.
class StreamSink final : public EventSink, public std::enable_shared_from_this<StreamSink> {
 public:
  // Counts as one of the open streams until it is closed.
  StreamSink(std::weak_ptr<asio::io_context> io, std::shared_ptr<Counters> counters)
      : io_(std::move(io)), counters_(std::move(counters)) {}

  bool send(std::string_view event, std::string_view data) override {
    bool open = false;
    {
      const std::scoped_lock lock(mutex_);
      if (pending_.size() + event.size() + data.size() > kMaxPendingEvents) end();
      open = open_;
      if (open)
        pending_.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
    }
    wake();
    return open;
  }

  bool open() const override {
    const std::scoped_lock lock(mutex_);
    return open_;
  }

  void close() {
    {
      const std::scoped_lock lock(mutex_);
      end();
    }
    wake();
  }

  // On the server's thread: what is to be sent next. Empty: nothing came within `limit`, or the
  // stream has closed.
  asio::awaitable<std::string> next(asio::steady_timer& timer, Duration limit) {
    timer.expires_after(limit);
    waiting_ = &timer;
    for (bool timed_out = false; !timed_out;) {
      if (ready()) break;
      const auto [ec] = co_await timer.async_wait(kAwait);
      timed_out = !ec;
      if (!timed_out) timer.expires_after(limit);
    }
    const std::scoped_lock lock(mutex_);
    co_return std::exchange(pending_, {});
  }

  // The session's timer is about to go.
  void detach() { waiting_ = nullptr; }

 private:
  bool ready() const {
    const std::scoped_lock lock(mutex_);
    return !pending_.empty() || !open_;
  }

  void end() {
    if (std::exchange(open_, false)) counters_->streams.fetch_sub(1);
  }

  void wake() {
    if (const auto io = io_.lock())
      asio::post(*io, [self = shared_from_this()] {
        if (self->waiting_) self->waiting_->cancel();
      });
  }

  std::weak_ptr<asio::io_context> io_;
  std::shared_ptr<Counters> counters_;
  mutable std::mutex mutex_;
  std::string pending_;
  bool open_ = true;
  asio::steady_timer* waiting_ = nullptr;  // server's thread only
};

// Closes a sink when the handler's last EventStream is gone.
class SinkHandle final : public EventSink {
 public:
  explicit SinkHandle(std::shared_ptr<StreamSink> sink) : sink_(std::move(sink)) {}
  ~SinkHandle() override { sink_->close(); }
  bool send(std::string_view event, std::string_view data) override {
    return sink_->send(event, data);
  }
  bool open() const override { return sink_->open(); }

 private:
  std::shared_ptr<StreamSink> sink_;
};

using Answer = std::variant<Response, std::shared_ptr<StreamSink>>;

class PendingExchange final : public Exchange {
 public:
  PendingExchange(std::weak_ptr<asio::io_context> io, std::shared_ptr<Counters> counters,
                  std::size_t max_streams)
      : io_(io),
        counters_(std::move(counters)),
        max_streams_(max_streams),
        handoff_(std::make_shared<Handoff<Answer>>(std::move(io))) {}

  void reply(Response response) override { handoff_->deliver(std::move(response)); }

  std::shared_ptr<EventSink> stream() override {
    const bool room = counters_->streams.fetch_add(1) < max_streams_;
    auto sink = std::make_shared<StreamSink>(io_, counters_);
    if (!room) counters_->refused_streams.fetch_add(1);
    if (!room) reply(failure(503, "as many live views are open as this server allows; close one"));
    if (!room || !handoff_->deliver(sink)) sink->close();
    return std::make_shared<SinkHandle>(std::move(sink));
  }

  Handoff<Answer>& handoff() { return *handoff_; }

 private:
  std::weak_ptr<asio::io_context> io_;
  std::shared_ptr<Counters> counters_;
  std::size_t max_streams_;
  std::shared_ptr<Handoff<Answer>> handoff_;
};

std::optional<Method> method_of(bhttp::verb verb) {
  if (verb == bhttp::verb::get || verb == bhttp::verb::head) return Method::Get;
  if (verb == bhttp::verb::post) return Method::Post;
  return std::nullopt;
}

Response unknown_path(const Router& router, const std::string& path) {
  return failure(404, "nothing is served at " + path + "; there are " + router.prefixes());
}

Response target_too_long() {
  return failure(414, "the request's target is longer than 4 KiB; the API takes short ones");
}

void add_security_headers(bhttp::fields& fields) {
  fields.set("Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
             "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
  fields.set("Cross-Origin-Opener-Policy", "same-origin");
}

// "host:port", "[v6]:port", ":port".
Result<tcp::endpoint> parse_listen(const std::string& listen) {
  const auto wrong = [&] {
    return error(Code::Invalid, "expected ADDRESS:PORT or :PORT to listen on, found \"" + listen +
                                    "\"; for example 127.0.0.1:8080");
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) return wrong();
  auto host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "::";
  if (host == "localhost") host = "127.0.0.1";
  const auto digits = listen.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return wrong();
  const auto port = std::stoul(digits);
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec || port > UINT16_MAX) return wrong();
  return tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

boost::system::error_code listen_on(tcp::acceptor& acceptor, const tcp::endpoint& where) {
  boost::system::error_code ec, ignored;
  acceptor.close(ignored);
  acceptor.open(where.protocol(), ec);
  if (ec) return ec;
  acceptor.set_option(tcp::acceptor::reuse_address(true), ignored);
  if (where.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), ignored);
  acceptor.bind(where, ec);
  if (ec) return ec;
  acceptor.listen(asio::socket_base::max_listen_connections, ec);
  return ec;
}

}  // namespace

struct Server::Core : std::enable_shared_from_this<Core> {
  explicit Core(ServerOptions o) : options(std::move(o)) {}

  // Keeps the whole of this alive while somebody posts.
  std::weak_ptr<asio::io_context> weak_io() {
    return std::shared_ptr<asio::io_context>(shared_from_this(), &io);
  }
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> session(tcp::socket socket);
  asio::awaitable<Answer> answer(const bhttp::request<bhttp::string_body>& in,
                                 const std::string& peer);
  asio::awaitable<std::optional<Response>> refused(const bhttp::fields& headers,
                                                   const std::string& peer, const Request& request);
  asio::awaitable<bool> send(beast::tcp_stream& stream, const Response& response, bool head,
                             unsigned version, bool keep_alive);
  asio::awaitable<void> send_events(std::shared_ptr<beast::tcp_stream> stream,
                                    std::shared_ptr<StreamSink> sink);

  ServerOptions options;
  Router router;
  std::shared_ptr<Counters> counters = std::make_shared<Counters>();
  std::uint16_t port = 0;
  std::thread thread;
  asio::io_context io{1};  // its destructor ends the coroutines, which use all of the above
  std::optional<tcp::acceptor> acceptor;
};

asio::awaitable<void> Server::Core::accept_loop() {
  for (;;) {
    auto [ec, socket] = co_await acceptor->async_accept(kAwait);
    if (ec == asio::error::operation_aborted) co_return;
    if (ec) {  // no file descriptors left, most likely: wait for some to return
      asio::steady_timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(kAwait);
      continue;
    }
    asio::co_spawn(io, session(std::move(socket)), asio::detached);
  }
}

// The answer to a request that could not be read, be it beyond its target or in it; none to a
// client that just left.
static std::optional<Response> unreadable(const boost::system::error_code& ec, bool has_target) {
  if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow)
    return has_target ? failure(431, "the request's header is larger than 16 KiB")
                      : target_too_long();
  if (ec == bhttp::error::body_limit) return failure(413, "the request's body exceeds 64 KiB");
  if (ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message) return std::nullopt;
  if (ec.category() == bhttp::make_error_code(bhttp::error::bad_version).category())
    return failure(400, "not an HTTP/1.1 request: " + ec.message());
  return std::nullopt;
}

asio::awaitable<void> Server::Core::session(tcp::socket socket) {
  struct Count {
    std::atomic<std::uint64_t>& n;
    ~Count() { n.fetch_sub(1); }
  };
  const bool full = counters->connections.fetch_add(1) >= options.max_connections;
  const Count count{counters->connections};

  boost::system::error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec) co_return;
  const auto peer = remote.address().to_string();
  socket.set_option(tcp::no_delay(true), ec);
  // Shared: an event stream reads and writes at once.
  const auto stream = std::make_shared<beast::tcp_stream>(std::move(socket));
  beast::flat_buffer buffer(kMaxHeader + kMaxBody);
  if (full) {
    counters->refused_connections.fetch_add(1);
    co_await send(*stream, failure(503, "too many connections; try again"), false, 11, false);
    co_return;
  }
  for (bool keep_alive = true; keep_alive;) {
    bhttp::request_parser<bhttp::string_body> parser;
    parser.header_limit(kMaxHeader);
    parser.body_limit(kMaxBody);
    stream->expires_after(options.request_deadline);
    const auto [failed, n] = co_await bhttp::async_read(*stream, buffer, parser, kAwait);
    if (failed) {
      if (const auto response = unreadable(failed, !parser.get().target().empty()))
        co_await send(*stream, *response, false, 11, false);
      break;
    }
    const auto& in = parser.get();
    auto out = co_await answer(in, peer);
    if (auto* sink = std::get_if<std::shared_ptr<StreamSink>>(&out)) {
      co_await send_events(stream, std::move(*sink));
      break;
    }
    const bool sent =
        co_await send(*stream, std::get<Response>(out), in.method() == bhttp::verb::head,
                      in.version(), in.keep_alive());
    keep_alive = sent && in.keep_alive();
  }
  stream->socket().shutdown(tcp::socket::shutdown_send, ec);
}

asio::awaitable<Answer> Server::Core::answer(const bhttp::request<bhttp::string_body>& in,
                                             const std::string& peer) {
  counters->requests.fetch_add(1);
  if (in.target().size() > kMaxTarget) co_return target_too_long();
  Request request;
  if (!parse_target(in.target(), request))
    co_return failure(400, "expected a path such as /healthz as the request's target");
  const auto method = method_of(in.method());
  if (!method) {
    const auto allow = router.allowed(request.path);
    co_return allow.empty() ? unknown_path(router, request.path) : method_not_allowed(allow);
  }
  request.method = *method;
  const auto match = router.find(*method, request.path);
  if (!match.route && !match.allow.empty()) co_return method_not_allowed(match.allow);
  if (!match.route) co_return unknown_path(router, request.path);
  if (match.route->access == Access::Guarded) {
    auto no = co_await refused(in, peer, request);
    if (no) co_return std::move(*no);
  }
  request.if_none_match = in[bhttp::field::if_none_match];
  request.body = in.body();

  const auto exchange = std::make_shared<PendingExchange>(weak_io(), counters, options.max_streams);
  try {
    match.route->handler(request, Responder(exchange));
  } catch (const std::exception& e) {
    exchange->reply(failure(500, e.what()));
  }
  auto out = co_await exchange->handoff().wait(io, options.reply_deadline);
  if (!out) co_return failure(504, "no answer within " + to_text(options.reply_deadline));
  co_return std::move(*out);
}

asio::awaitable<std::optional<Response>> Server::Core::refused(const bhttp::fields& headers,
                                                               const std::string& peer,
                                                               const Request& request) {
  const auto forwarded = headers["Forwarded"];
  auto admission = admit(
      Origin{peer, headers[bhttp::field::host], headers[bhttp::field::origin],
             headers["Sec-Fetch-Site"], forwarded.empty() ? headers["X-Forwarded-For"] : forwarded,
             headers[bhttp::field::authorization]},
      request.method);
  if (admission.kind == Admission::Kind::Trusted) co_return std::nullopt;
  if (admission.kind == Admission::Kind::Refused) co_return refusal(admission);
  if (!options.authorizer)
    co_return refusal({Decision::Verdict::Unauthenticated, "Tokens are not accepted here"});

  const auto handoff = std::make_shared<Handoff<Decision>>(weak_io());
  options.authorizer(Credentials{std::move(admission.token), request.method, request.path},
                     [handoff](Decision d) { handoff->deliver(std::move(d)); });
  const auto decision = co_await handoff->wait(io, options.reply_deadline);
  if (!decision) co_return refusal({Decision::Verdict::Unavailable, {}});
  if (decision->verdict == Decision::Verdict::Allowed) co_return std::nullopt;
  co_return refusal(*decision);
}

asio::awaitable<bool> Server::Core::send(beast::tcp_stream& stream, const Response& response,
                                         bool head, unsigned version, bool keep_alive) {
  if (response.status >= 500) counters->failures.fetch_add(1);
  bhttp::response<bhttp::span_body<const char>> out;
  out.result(response.status);
  out.version(version);
  out.keep_alive(keep_alive);
  out.set(bhttp::field::content_type, response.content_type);
  out.set(bhttp::field::cache_control, response.cache_control);
  if (!response.etag.empty()) out.set(bhttp::field::etag, response.etag);
  add_security_headers(out);
  for (const auto& [name, value] : response.headers) out.set(name, value);
  const auto content = response.content();
  const bool bodiless = response.status == 304 || response.status == 204;
  if (!bodiless) out.content_length(content.size());
  if (!head && !bodiless) out.body() = {content.data(), content.size()};
  stream.expires_after(options.write_deadline);
  bhttp::response_serializer<bhttp::span_body<const char>> serializer(out);
  // A HEAD's Content-Length is the one of the body that GET would send.
  if (head || bodiless) {
    const auto [ec, n] = co_await bhttp::async_write_header(stream, serializer, kAwait);
    co_return !ec;
  }
  const auto [ec, n] = co_await bhttp::async_write(stream, serializer, kAwait);
  co_return !ec;
}

// Whatever a client says on an event stream, or its leaving, ends it.
static asio::awaitable<void> watch_client(std::shared_ptr<beast::tcp_stream> stream,
                                          std::shared_ptr<StreamSink> sink) {
  std::array<char, 1> byte;
  co_await stream->async_read_some(asio::buffer(byte), kAwait);
  sink->close();
}

asio::awaitable<void> Server::Core::send_events(std::shared_ptr<beast::tcp_stream> stream,
                                                std::shared_ptr<StreamSink> sink) {
  struct Leave {
    StreamSink& sink;
    ~Leave() {
      sink.detach();
      sink.close();
    }
  };
  const Leave leave{*sink};
  bhttp::response<bhttp::empty_body> out;
  out.set(bhttp::field::content_type, "text/event-stream");
  out.set(bhttp::field::cache_control, "no-store");
  out.keep_alive(false);
  add_security_headers(out);
  bhttp::response_serializer<bhttp::empty_body> serializer(out);
  stream->expires_after(options.write_deadline);
  const auto [failed, sent] = co_await bhttp::async_write_header(*stream, serializer, kAwait);
  if (failed) co_return;
  stream->expires_never();
  asio::co_spawn(io, watch_client(stream, sink), asio::detached);

  asio::steady_timer timer(io);
  while (sink->open()) {
    auto chunk = co_await sink->next(timer, options.heartbeat);
    if (chunk.empty() && !sink->open()) break;
    if (chunk.empty()) chunk = ": still here\n\n";
    stream->expires_after(options.write_deadline);
    const auto [ec, n] = co_await asio::async_write(*stream, asio::buffer(chunk), kAwait);
    if (ec) break;
  }
  stream->close();
}

Server::Server(ServerOptions options) : core_(std::make_shared<Core>(std::move(options))) {}

Server::~Server() {
  core_->io.stop();
  if (core_->thread.joinable()) core_->thread.join();
}

Router& Server::router() { return core_->router; }

Result<void> Server::start() {
  const auto where = parse_listen(core_->options.listen);
  if (!where) return where.error();
  core_->acceptor.emplace(core_->io);
  auto ec = listen_on(*core_->acceptor, *where);
  // ":PORT" where the machine has no IPv6.
  if (ec == asio::error::address_family_not_supported && where->address().is_unspecified())
    ec = listen_on(*core_->acceptor, tcp::endpoint(tcp::v4(), where->port()));
  if (ec)
    return error(Code::Fatal, "cannot listen on " + core_->options.listen + ": " + ec.message() +
                                  "; choose another --listen address");
  core_->port = core_->acceptor->local_endpoint().port();
  asio::co_spawn(core_->io, core_->accept_loop(), asio::detached);
  core_->thread = std::thread([core = core_.get()] { core->io.run(); });
  return {};
}

std::uint16_t Server::port() const { return core_->port; }

ServerTotals Server::totals() const {
  const auto& c = *core_->counters;
  return {c.requests,    c.failures, c.refused_connections,          c.refused_streams,
          c.connections, c.streams,  core_->options.max_connections, core_->options.max_streams};
}

Schedule Server::schedule() const {
  return [weak = core_->weak_io()](Duration delay, std::function<void()> task) {
    const auto io = weak.lock();
    if (!io) return;
    const auto timer = std::make_shared<asio::steady_timer>(*io);
    asio::post(*io, [timer, delay, task = std::move(task)]() mutable {
      timer->expires_after(delay);
      timer->async_wait([timer, task = std::move(task)](boost::system::error_code ec) {
        if (!ec) task();
      });
    });
  };
}

}  // namespace troupe::http
