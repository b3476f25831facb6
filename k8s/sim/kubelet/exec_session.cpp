#include "k8s/sim/kubelet/exec_session.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "k8s/sim/kubelet/process.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kChunk = 32 * 1024;
// A runc that has not ended this long after its client was gone is itself what hangs.
constexpr std::chrono::seconds kToEnd{10};
constexpr std::chrono::milliseconds kLookAgain{10};
// After the process ended its output may still be in the pipes; but a process that it left behind
// may hold them for ever.
constexpr std::chrono::milliseconds kDrainAfterExit{200};

class ExecProcess : public std::enable_shared_from_this<ExecProcess> {
 public:
  ExecProcess(asio::io_context& io, std::shared_ptr<ExecSink> sink)
      : io_(io), sink_(std::move(sink)), in_(io), timer_(io) {}

  Result<void> start(const RuncContainer& container, const ExecOptions& options) {
    static std::atomic<std::uint64_t> serial = 0;
    const auto directory = container.runc_root.parent_path() / "exec";
    std::error_code ignored;
    std::filesystem::create_directories(directory, ignored);
    pid_file_ = (directory / fmt::format("{}.pid", ++serial)).string();
    std::vector<std::string> argv{"runc", "--root",     container.runc_root.string(),
                                  "exec", "--pid-file", pid_file_};
    if (options.tty) argv.insert(argv.end(), {"--tty", "--env", "TERM=xterm"});
    argv.push_back(container.id);
    argv.insert(argv.end(), options.argv.begin(), options.argv.end());
    return options.tty ? start_on_terminal(argv) : start_on_pipes(argv, options);
  }

  void resume() {
    for (Output* output : {&out_, &err_}) {
      if (!std::exchange(output->paused, false)) continue;
      read(*output);
    }
  }

  void write_stdin(std::string bytes, std::function<void()> consumed) {
    if (!in_.is_open()) return asio::post(io_, std::move(consumed));
    auto kept = std::make_shared<std::string>(std::move(bytes));
    asio::async_write(in_, asio::buffer(*kept),
                      [self = shared_from_this(), kept, consumed = std::move(consumed)](
                          const error_code&, std::size_t) {
                        if (self->sink_ != nullptr) consumed();
                      });
  }

  void close_stdin() {
    if (!terminal_) {
      in_.close();
      return;
    }
    // A terminal ends its input by a character (^D at the beginning of a line).
    write_stdin("\x04", [] {});
  }

  void resize(std::uint16_t columns, std::uint16_t rows) {
    if (!terminal_ || !in_.is_open()) return;
    const winsize size{rows, columns, 0, 0};
    ioctl(in_.native_handle(), TIOCSWINSZ, &size);
  }

  // The client is gone: the command is not left behind.
  void abandon() {
    sink_.reset();
    close_all();
    kill_command(std::chrono::steady_clock::now() + kToEnd);
  }

 private:
  struct Output {
    std::optional<asio::posix::stream_descriptor> stream;
    bool (ExecSink::*write)(std::string_view) = nullptr;
    bool paused = false;
    std::array<char, kChunk> buffer;
  };

  Result<void> start_on_pipes(const std::vector<std::string>& argv, const ExecOptions& options) {
    std::array<Pipe, 3> pipes;
    for (Pipe& pipe : pipes) {
      auto made = make_pipe();
      if (!made) return made.error();
      pipe = std::move(*made);
    }
    Pipe& out = pipes[1];
    Pipe& err = pipes[2];
    const auto child = spawn(
        argv, {options.use_stdin ? pipes[0].read.get() : -1, out.write.get(), err.write.get(), {}});
    if (!child) return child.error();
    if (options.use_stdin) in_.assign(pipes[0].write.release());
    open_output(out_, out.read.release(), &ExecSink::write_stdout);
    open_output(err_, err.read.release(), &ExecSink::write_stderr);
    return watch(*child);
  }

  Result<void> start_on_terminal(const std::vector<std::string>& argv) {
    Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    std::array<char, 64> name;
    if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0 ||
        ptsname_r(master.get(), name.data(), name.size()) != 0) {
      return error(Code::Fatal, fmt::format("cannot open a terminal: {}", std::strerror(errno)));
    }
    const auto child = spawn(argv, {-1, -1, -1, name.data()});
    if (!child) return child.error();
    terminal_ = true;
    open_output(out_, fcntl(master.get(), F_DUPFD_CLOEXEC, 0), &ExecSink::write_stdout);
    in_.assign(master.release());
    return watch(*child);
  }

  void open_output(Output& output, int fd, bool (ExecSink::*write)(std::string_view)) {
    output.stream.emplace(io_, fd);
    output.write = write;
    ++open_outputs_;
    read(output);
  }

  Result<void> watch(pid_t child) {
    auto watch = ExitWatch::start(io_, child, [self = shared_from_this()](ExitStatus status) {
      self->status_ = status.code;
      self->remove_pid_file();
      self->timer_.expires_after(kDrainAfterExit);
      self->timer_.async_wait([self](const error_code& cancelled) {
        if (!cancelled) self->finish();
      });
      if (self->open_outputs_ == 0) self->finish();
    });
    if (!watch) return watch.error();
    exit_ = std::move(*watch);
    return {};
  }

  void read(Output& output) {
    if (!output.stream || !output.stream->is_open()) return;
    output.stream->async_read_some(
        asio::buffer(output.buffer),
        [self = shared_from_this(), &output](const error_code& ended, std::size_t n) {
          if (self->sink_ == nullptr) return;
          if (ended) return self->close_output(output);
          const bool room = (self->sink_.get()->*output.write)({output.buffer.data(), n});
          output.paused = !room;
          if (room) self->read(output);
        });
  }

  void close_output(Output& output) {
    output.stream->close();
    --open_outputs_;
    if (open_outputs_ == 0 && status_) finish();
  }

  void finish() {
    if (sink_ == nullptr) return;
    const std::shared_ptr<ExecSink> sink = std::move(sink_);
    close_all();
    sink->finished(*status_);
  }

  void close_all() {
    timer_.cancel();
    in_.close();
    for (Output* output : {&out_, &err_}) {
      if (output->stream) output->stream->close();
    }
  }

  // Not runc, which is its parent: a command that nobody waits for any more stays a zombie in its
  // container, and the kernel lets no container end before all of its processes are waited for.
  void kill_command(std::chrono::steady_clock::time_point deadline) {
    if (status_) return;
    pid_t inner = 0;
    std::ifstream(pid_file_) >> inner;
    // Once: later the number may be another's.
    if (inner > 1) {
      kill(inner, SIGKILL);
      remove_pid_file();
    }
    if (std::chrono::steady_clock::now() > deadline) return exit_.signal(SIGKILL);
    timer_.expires_after(kLookAgain);
    timer_.async_wait([self = shared_from_this(), deadline](const error_code& cancelled) {
      if (!cancelled) self->kill_command(deadline);
    });
  }

  void remove_pid_file() {
    std::error_code ignored;
    std::filesystem::remove(pid_file_, ignored);
  }

  asio::io_context& io_;
  std::shared_ptr<ExecSink> sink_;
  asio::posix::stream_descriptor in_;
  Output out_, err_;
  int open_outputs_ = 0;
  bool terminal_ = false;
  std::string pid_file_;
  ExitWatch exit_;
  std::optional<int> status_;
  // Of the end: until all output has come, or, abandoned, until runc has ended.
  asio::steady_timer timer_;
};

class RuncExecSession final : public ExecSession {
 public:
  explicit RuncExecSession(std::shared_ptr<ExecProcess> process) : process_(std::move(process)) {}
  ~RuncExecSession() override { process_->abandon(); }
  void resume() override { process_->resume(); }
  void write_stdin(std::string bytes, std::function<void()> consumed) override {
    process_->write_stdin(std::move(bytes), std::move(consumed));
  }
  void close_stdin() override { process_->close_stdin(); }
  void resize_terminal(std::uint16_t columns, std::uint16_t rows) override {
    process_->resize(columns, rows);
  }

 private:
  std::shared_ptr<ExecProcess> process_;
};

class PortConnection : public std::enable_shared_from_this<PortConnection> {
 public:
  PortConnection(asio::io_context& io, std::shared_ptr<PortSink> sink)
      : socket_(io), sink_(std::move(sink)) {}

  void start(const std::string& address, std::uint16_t port) {
    error_code bad;
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address, bad), port);
    socket_.async_connect(
        endpoint, [self = shared_from_this(), endpoint](const error_code& failed) {
          if (self->sink_ == nullptr) return;
          if (failed) {
            return self->finish(error(
                Code::Retry, fmt::format("connect to {}:{}: {}", endpoint.address().to_string(),
                                         endpoint.port(), failed.message())));
          }
          self->connected_ = true;
          self->read();
          self->flush();
        });
  }

  void write(std::string bytes, std::function<void()> consumed) {
    pending_ = std::move(bytes);
    consumed_ = std::move(consumed);
    flush();
  }

  void close_write() {
    closing_ = true;
    flush();
  }

  void resume() {
    if (std::exchange(paused_, false)) read();
  }

  void stop() {
    sink_.reset();
    socket_.close();
  }

 private:
  void flush() {
    if (!connected_ || writing_) return;
    error_code ignored;
    if (!consumed_) {
      if (closing_) socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      return;
    }
    writing_ = true;
    asio::async_write(socket_, asio::buffer(pending_),
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        self->writing_ = false;
                        const auto consumed = std::exchange(self->consumed_, nullptr);
                        if (failed || self->sink_ == nullptr) return;
                        consumed();
                        self->flush();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](const error_code& ended, std::size_t n) {
                              if (self->sink_ == nullptr) return;
                              if (ended) return self->finish({});
                              self->paused_ = !self->sink_->write({self->buffer_.data(), n});
                              if (!self->paused_) self->read();
                            });
  }

  void finish(Result<void> outcome) {
    const std::shared_ptr<PortSink> sink = std::move(sink_);
    stop();
    sink->finished(std::move(outcome));
  }

  asio::ip::tcp::socket socket_;
  std::shared_ptr<PortSink> sink_;
  std::array<char, kChunk> buffer_;
  std::string pending_;
  std::function<void()> consumed_;
  bool connected_ = false, writing_ = false, closing_ = false, paused_ = false;
};

class TcpPortSession final : public PortSession {
 public:
  explicit TcpPortSession(std::shared_ptr<PortConnection> connection)
      : connection_(std::move(connection)) {}
  ~TcpPortSession() override { connection_->stop(); }
  void resume() override { connection_->resume(); }
  void write(std::string bytes, std::function<void()> consumed) override {
    connection_->write(std::move(bytes), std::move(consumed));
  }
  void close_write() override { connection_->close_write(); }

 private:
  std::shared_ptr<PortConnection> connection_;
};

}  // namespace

Result<std::unique_ptr<ExecSession>> start_exec(asio::io_context& io,
                                                const RuncContainer& container,
                                                const ExecOptions& options,
                                                std::shared_ptr<ExecSink> sink) {
  auto process = std::make_shared<ExecProcess>(io, std::move(sink));
  auto started = process->start(container, options);
  if (!started) return started.error();
  return std::unique_ptr<ExecSession>(std::make_unique<RuncExecSession>(std::move(process)));
}

std::unique_ptr<PortSession> start_port_forward(asio::io_context& io, const std::string& address,
                                                std::uint16_t port,
                                                std::shared_ptr<PortSink> sink) {
  auto connection = std::make_shared<PortConnection>(io, std::move(sink));
  connection->start(address, port);
  return std::make_unique<TcpPortSession>(std::move(connection));
}

}  // namespace troupe::sim
