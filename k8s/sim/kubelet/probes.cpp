#include "k8s/sim/kubelet/probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

// What is kept of a probe command's output: as much as an event's message should hold.
constexpr std::size_t kMaxMessage = 1024;

// What every run shares: one outcome, told once, or none after cancellation.
class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(asio::io_context& io, HandlerCallback callback)
      : io_(io), timer_(io), callback_(std::move(callback)) {}
  virtual ~Run() = default;

  void limit(milliseconds deadline) {
    timer_.expires_after(deadline);
    timer_.async_wait([self = shared_from_this(), deadline](const error_code& cancelled) {
      if (cancelled) return;
      self->finish(
          error(Code::Timeout, fmt::format("timed out after {}", to_text(Duration(deadline)))));
    });
  }

  void finish(Result<void> outcome) {
    if (callback_ == nullptr) return;
    const HandlerCallback callback = std::move(callback_);
    callback_ = nullptr;
    cancel();
    callback(std::move(outcome));
  }

  void cancel() {
    callback_ = nullptr;
    timer_.cancel();
    release();
  }

 protected:
  virtual void release() {}
  bool over() const { return callback_ == nullptr; }
  asio::io_context& io_;
  asio::steady_timer timer_;

 private:
  HandlerCallback callback_;
};

class RunHandle final : public HandlerRun {
 public:
  explicit RunHandle(std::shared_ptr<Run> run) : run_(std::move(run)) {}
  ~RunHandle() override { run_->cancel(); }

 private:
  std::shared_ptr<Run> run_;
};

class TcpRun final : public Run {
 public:
  TcpRun(asio::io_context& io, HandlerCallback callback)
      : Run(io, std::move(callback)), socket_(io) {}

  void start(const std::string& host, std::uint16_t port) {
    error_code bad;
    const auto address = asio::ip::make_address(host, bad);
    if (bad) return finish_soon(error(Code::Invalid, fmt::format("{} is no address", host)));
    auto self = std::static_pointer_cast<TcpRun>(shared_from_this());
    socket_.async_connect({address, port}, [self, host, port](const error_code& failed) {
      if (self->over()) return;
      if (!failed) return self->finish({});
      self->finish(
          error(Code::Retry, fmt::format("dial tcp {}:{}: {}", host, port, failed.message())));
    });
  }

  void finish_soon(Result<void> outcome) {
    asio::post(io_, [self = shared_from_this(), outcome] { self->finish(outcome); });
  }

 private:
  void release() override {
    error_code ignored;
    socket_.close(ignored);
  }
  asio::ip::tcp::socket socket_;
};

class ExecRun final : public Run {
 public:
  using Run::Run;

  void start(const ExecHandler& handler, const RuncContainer& container) {
    auto self = std::static_pointer_cast<ExecRun>(shared_from_this());
    ExecOptions options;
    options.argv = handler.argv;
    auto session = start_exec(io_, container, options, std::make_shared<Sink>(self));
    if (session) {
      session_ = std::move(*session);
    } else {
      asio::post(io_, [self, failure = session.error()] { self->finish(failure); });
    }
  }

 private:
  class Sink final : public ExecSink {
   public:
    explicit Sink(std::weak_ptr<ExecRun> run) : run_(std::move(run)) {}
    bool write_stdout(std::string_view bytes) override { return keep(bytes); }
    bool write_stderr(std::string_view bytes) override { return keep(bytes); }
    void finished(Result<int> exit_status) override {
      const auto run = run_.lock();
      if (run == nullptr || run->over()) return;
      if (!exit_status) return run->finish(exit_status.error());
      if (*exit_status == 0) return run->finish({});
      while (!output_.empty() && output_.back() == '\n') output_.pop_back();
      run->finish(error(Code::Retry, output_.empty()
                                         ? fmt::format("command ended with status {}", *exit_status)
                                         : output_));
    }

   private:
    bool keep(std::string_view bytes) {
      output_.append(bytes.substr(0, kMaxMessage - std::min(kMaxMessage, output_.size())));
      return true;
    }
    std::weak_ptr<ExecRun> run_;
    std::string output_;
  };

  // Not destroyed here: the session may be the caller.
  void release() override {
    asio::post(io_, [session = std::shared_ptr<ExecSession>(std::move(session_))] {});
  }

  std::unique_ptr<ExecSession> session_;
};

class SleepRun final : public Run {
 public:
  using Run::Run;
  void start(std::chrono::seconds duration) {
    timer_.expires_after(duration);
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled) self->finish({});
    });
  }
};

struct Starter {
  asio::io_context& io;
  const HandlerTarget& target;
  milliseconds deadline;
  HandlerCallback callback;

  std::unique_ptr<HandlerRun> operator()(const ExecHandler& exec) {
    auto run = std::make_shared<ExecRun>(io, std::move(callback));
    run->limit(deadline);
    run->start(exec, target.container);
    return std::make_unique<RunHandle>(std::move(run));
  }
  std::unique_ptr<HandlerRun> operator()(const TcpHandler& tcp) {
    auto run = std::make_shared<TcpRun>(io, std::move(callback));
    run->limit(deadline);
    run->start(tcp.host.empty() ? target.pod_ip : tcp.host, tcp.port);
    return std::make_unique<RunHandle>(std::move(run));
  }
  std::unique_ptr<HandlerRun> operator()(const HttpHandler& http) {
    return run_http_handler(io, http, target.pod_ip, deadline, std::move(callback));
  }
  std::unique_ptr<HandlerRun> operator()(const SleepHandler& sleep) {
    auto run = std::make_shared<SleepRun>(io, std::move(callback));
    run->start(std::min(sleep.duration, std::chrono::ceil<std::chrono::seconds>(deadline)));
    return std::make_unique<RunHandle>(std::move(run));
  }
  std::unique_ptr<HandlerRun> operator()(const UnknownHandler& unknown) {
    auto run = std::make_shared<TcpRun>(io, std::move(callback));
    run->finish_soon(error(
        Code::Invalid, fmt::format("handlers of kind {} are not supported here", unknown.kind)));
    return std::make_unique<RunHandle>(std::move(run));
  }
};

}  // namespace

std::unique_ptr<HandlerRun> run_handler(asio::io_context& io, const Handler& handler,
                                        const HandlerTarget& target, milliseconds deadline,
                                        HandlerCallback callback) {
  return std::visit(Starter{io, target, deadline, std::move(callback)}, handler);
}

struct ProbeLoop::Impl : std::enable_shared_from_this<ProbeLoop::Impl> {
  Impl(asio::io_context& io_context, ProbeSpec s, HandlerTarget t, Callbacks c)
      : io(io_context),
        spec(std::move(s)),
        target(std::move(t)),
        callbacks(std::move(c)),
        timer(io_context) {}

  void run_after(milliseconds delay) {
    timer.expires_after(delay);
    timer.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled) self->run_once();
    });
  }

  void run_once() {
    began = std::chrono::steady_clock::now();
    run = run_handler(io, spec.handler, target, spec.timeout,
                      [weak = weak_from_this()](Result<void> outcome) {
                        if (const auto self = weak.lock()) self->take(std::move(outcome));
                      });
  }

  void take(Result<void> outcome) {
    const auto spent =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    run_after(std::max(milliseconds(0), milliseconds(spec.period) - spent));
    const bool success = outcome.has_value();
    equal_results = success == last_success ? equal_results + 1 : 1;
    last_success = success;
    if (!success) callbacks.failed(outcome.error().message);
    const int threshold = success ? spec.success_threshold : spec.failure_threshold;
    if (equal_results < threshold || verdict == success || stopped) return;
    verdict = success;
    callbacks.verdict(success);  // may destroy the loop
  }

  asio::io_context& io;
  const ProbeSpec spec;
  const HandlerTarget target;
  const Callbacks callbacks;
  asio::steady_timer timer;
  std::unique_ptr<HandlerRun> run;
  std::chrono::steady_clock::time_point began;
  int equal_results = 0;
  std::optional<bool> last_success, verdict;
  bool stopped = false;
};

ProbeLoop::ProbeLoop(asio::io_context& io, ProbeSpec spec, HandlerTarget target,
                     milliseconds already_running, Callbacks callbacks) {
  const milliseconds delay = milliseconds(spec.initial_delay) - already_running;
  impl_ = std::make_shared<Impl>(io, std::move(spec), std::move(target), std::move(callbacks));
  impl_->run_after(std::max(milliseconds(0), delay));
}

ProbeLoop::~ProbeLoop() {
  impl_->stopped = true;
  impl_->timer.cancel();
  // The run may be what is calling us.
  asio::post(impl_->io, [impl = impl_] { impl->run.reset(); });
}

}  // namespace troupe::sim
