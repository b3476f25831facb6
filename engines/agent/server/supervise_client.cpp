#include "engines/agent/server/supervise_client.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <future>
#include <map>
#include <mutex>

namespace troupe::agent {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;
using supervise::Frame;
using supervise::Kind;

constexpr std::chrono::milliseconds kReconnectInterval{50};
constexpr std::size_t kMaxPendingRequests = 64;

Error disconnected() {
  return error(Code::Retry, "troupe-supervise is not connected: is the database's container up?");
}

}  // namespace

class SuperviseClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, std::string path)
      : context_(context), path_(std::move(path)), socket_(context), retry_(context) {}

  void start(OnConnection on_connection, OnReport on_report) {
    on_connection_ = std::move(on_connection);
    on_report_ = std::move(on_report);
    asio::post(context_, [self = shared_from_this()] { self->connect(); });
  }

  void stop() {
    asio::post(context_, [self = shared_from_this()] {
      self->stopped_ = true;
      self->on_connection_ = nullptr;
      self->on_report_ = nullptr;
      self->disconnect();
      self->retry_.cancel();
    });
  }

  std::optional<supervise::Hello> supervisor() const {
    const std::lock_guard lock(mutex_);
    return supervisor_;
  }

  Result<std::string> call(Kind kind, std::string body, Work& work) {
    auto promise = std::make_shared<std::promise<Result<std::string>>>();
    auto future = promise->get_future();
    {
      const std::lock_guard lock(mutex_);
      if (!supervisor_) return disconnected();
      if (pending_.size() >= kMaxPendingRequests) {
        return error(Code::Retry, "too many requests to troupe-supervise at once");
      }
      const auto id = next_id_++;
      pending_.emplace(id, promise);
      asio::post(context_, [self = shared_from_this(), frame = Frame{kind, id, std::move(body)}] {
        self->send(frame);
      });
    }
    work.on_cancel([promise] { settle(*promise, error(Code::Timeout, "cancelled")); });
    const auto status = future.wait_until(work.deadline());
    work.on_cancel(nullptr);
    if (auto go_on = work.check(); !go_on) return go_on.error();
    if (status != std::future_status::ready) {
      return error(Code::Timeout, "troupe-supervise did not answer in time");
    }
    return future.get();
  }

 private:
  using Promise = std::promise<Result<std::string>>;

  // Two sides may settle it: the answer and the cancellation.
  static void settle(Promise& promise, Result<std::string> value) {
    try {
      promise.set_value(std::move(value));
    } catch (const std::future_error&) {
    }
  }

  void connect() {
    if (stopped_) return;
    socket_ = stream_protocol::socket(context_);
    socket_.async_connect(stream_protocol::endpoint(path_),
                          [self = shared_from_this()](error_code failure) {
                            if (failure) return self->retry_later();
                            self->reader_ = {};
                            self->send({Kind::Hello, 0, encode(supervise::Hello{})});
                            self->read();
                          });
  }

  void retry_later() {
    if (stopped_) return;
    retry_.expires_after(kReconnectInterval);
    retry_.async_wait([self = shared_from_this()](error_code failure) {
      if (!failure) self->connect();
    });
  }

  void disconnect() {
    error_code ignored;
    socket_.close(ignored);
    unsent_.clear();
    std::map<std::uint32_t, std::shared_ptr<Promise>> pending;
    bool was_connected = false;
    {
      const std::lock_guard lock(mutex_);
      pending.swap(pending_);
      was_connected = supervisor_.has_value();
      supervisor_.reset();
    }
    for (auto& [id, promise] : pending) settle(*promise, disconnected());
    if (was_connected && on_connection_) on_connection_(std::nullopt);
    retry_later();
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code failure, std::size_t size) {
                              if (self->stopped_) return;
                              if (failure) return self->disconnect();
                              self->reader_.append({self->buffer_.data(), size});
                              while (auto frame = self->reader_.next()) self->take(*frame);
                              if (self->reader_.broken()) return self->disconnect();
                              self->read();
                            });
  }

  void take(const Frame& frame) {
    if (frame.kind == Kind::Event) {
      const auto report = supervise::decode<supervise::ProcessReport>(frame.body);
      if (report && on_report_) on_report_(*report);
      return;
    }
    if (frame.kind == Kind::Hello) {
      const auto hello = supervise::decode<supervise::Hello>(frame.body);
      if (!hello) return;
      {
        const std::lock_guard lock(mutex_);
        supervisor_ = hello;
      }
      if (on_connection_) on_connection_(hello);
      return;
    }
    std::shared_ptr<Promise> promise;
    {
      const std::lock_guard lock(mutex_);
      const auto found = pending_.find(frame.id);
      if (found == pending_.end()) return;
      promise = std::move(found->second);
      pending_.erase(found);
    }
    if (frame.kind == Kind::Done) return settle(*promise, frame.body);
    settle(*promise,
           error(Code::Fatal, supervise::decode<std::string>(frame.body).value_or("refused")));
  }

  void send(const Frame& frame) {
    unsent_.push_back(to_bytes(frame));
    if (unsent_.size() == 1) write();
  }

  void write() {
    asio::async_write(socket_, asio::buffer(unsent_.front()),
                      [self = shared_from_this()](error_code failure, std::size_t) {
                        if (failure || self->unsent_.empty()) return;  // the reader sees it too
                        self->unsent_.pop_front();
                        if (!self->unsent_.empty()) self->write();
                      });
  }

  asio::io_context& context_;
  const std::string path_;
  stream_protocol::socket socket_;
  asio::steady_timer retry_;
  std::array<char, 16384> buffer_;
  supervise::FrameReader reader_;
  std::deque<std::string> unsent_;
  bool stopped_ = false;
  OnConnection on_connection_;
  OnReport on_report_;

  mutable std::mutex mutex_;
  std::optional<supervise::Hello> supervisor_;
  std::uint32_t next_id_ = 1;
  std::map<std::uint32_t, std::shared_ptr<Promise>> pending_;
};

SuperviseClient::SuperviseClient(asio::io_context& context, std::string socket_path)
    : impl_(std::make_shared<Impl>(context, std::move(socket_path))) {}
SuperviseClient::~SuperviseClient() { stop(); }

void SuperviseClient::start(OnConnection on_connection, OnReport on_report) {
  impl_->start(std::move(on_connection), std::move(on_report));
}
void SuperviseClient::stop() { impl_->stop(); }
bool SuperviseClient::connected() const { return impl_->supervisor().has_value(); }
std::optional<supervise::Hello> SuperviseClient::supervisor() const { return impl_->supervisor(); }

namespace {

template <class T>
Result<T> decoded(Result<std::string> body) {
  if (!body) return body.error();
  auto value = supervise::decode<T>(*body);
  if (!value) return error(Code::Fatal, "troupe-supervise's answer cannot be read");
  return *std::move(value);
}

Result<void> acknowledged(const Result<std::string>& body) {
  if (!body) return body.error();
  return {};
}

}  // namespace

Result<void> SuperviseClient::start_database(const supervise::SpawnSpec& spec, Work& work) {
  return acknowledged(impl_->call(Kind::Start, encode(spec), work));
}
Result<void> SuperviseClient::stop_database(const supervise::StopOrder& order, Work& work) {
  return acknowledged(impl_->call(Kind::Stop, encode(order), work));
}
Result<void> SuperviseClient::kill_database(const supervise::KillOrder& order, Work& work) {
  return acknowledged(impl_->call(Kind::Kill, encode(order), work));
}
Result<void> SuperviseClient::release(const supervise::ReleaseOrder& order, Work& work) {
  return acknowledged(impl_->call(Kind::Release, encode(order), work));
}
Result<supervise::RunOutcome> SuperviseClient::run(const supervise::RunOrder& order, Work& work) {
  return decoded<supervise::RunOutcome>(impl_->call(Kind::Run, encode(order), work));
}
Result<void> SuperviseClient::end_run(Work& work) {
  return acknowledged(impl_->call(Kind::EndRun, {}, work));
}
Result<std::vector<std::string>> SuperviseClient::stock_settings(Work& work) {
  return decoded<std::vector<std::string>>(impl_->call(Kind::Environment, {}, work));
}

}  // namespace troupe::agent
