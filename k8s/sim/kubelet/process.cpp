#include "k8s/sim/kubelet/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

namespace troupe::sim {
namespace {

using SteadyClock = std::chrono::steady_clock;

// What is kept of a program's output; more than any message that is worth showing.
constexpr std::size_t kMaxOutput = 64 * 1024;
constexpr std::size_t kQuotedOutput = 400;

Error system_error(std::string_view what) {
  return error(Code::Fatal, fmt::format("{}: {}", what, std::strerror(errno)));
}

// The header of glibc 2.36 declares these without C linkage.
int open_pidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

void signal_pidfd(int pidfd, int number) {
  syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void give(int fd, int as, int null_flags) {
    if (fd < 0) {
      posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", null_flags, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions_, fd, as);
    }
  }
  void give_terminal(const std::string& path) {
    posix_spawn_file_actions_addopen(&actions_, 0, path.c_str(), O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions_, 0, 1);
    posix_spawn_file_actions_adddup2(&actions_, 0, 2);
  }
  void close_others() { posix_spawn_file_actions_addclosefrom_np(&actions_, 3); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// A child starts with no signal blocked or ignored, and in a group of its own so that a Ctrl-C at
// the terminal reaches only us.
class Attributes {
 public:
  explicit Attributes(bool new_session) {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    const int group = new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

int milliseconds_until(SteadyClock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count() + 1));
}

ExitStatus reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_status_from_wait(status);
}

// Nothing if the child lives. A pidfd's readiness is a hint: Asio may hand on what was meant for a
// descriptor just closed, and before Linux 6.16 an execve from another thread, which is how runc
// starts containers, looked like an end.
std::optional<ExitStatus> reap_if_ended(pid_t child) {
  int status = 0;
  const pid_t ended = waitpid(child, &status, WNOHANG);
  if (ended == 0) return std::nullopt;
  return exit_status_from_wait(ended < 0 ? 0 : status);
}

// Reads until the child closed its output or the deadline passed.
std::string drain(int fd, SteadyClock::time_point deadline) {
  std::string output;
  std::array<char, 4096> buffer;
  pollfd readable{fd, POLLIN, 0};
  while (poll(&readable, 1, milliseconds_until(deadline)) > 0) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    if (output.size() < kMaxOutput) output.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return output;
}

Result<ExitStatus> wait_until(pid_t child, const HostProgram& program,
                              SteadyClock::time_point deadline) {
  const Fd pidfd(open_pidfd(child));
  pollfd ended{pidfd.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = poll(&ended, 1, milliseconds_until(deadline))) != 0) {
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) break;
    if (const auto status = reap_if_ended(child)) return *status;
  }
  kill(child, SIGKILL);
  reap(child);
  return error(Code::Timeout, fmt::format("{} did not end within {} ms; killed",
                                          program.argv.front(), program.deadline.count()));
}

}  // namespace

Result<Pipe> make_pipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("pipe2");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<pid_t> spawn(const std::vector<std::string>& argv, const Streams& streams) {
  FileActions actions;
  if (streams.terminal.empty()) {
    actions.give(streams.in, 0, O_RDONLY);
    actions.give(streams.out, 1, O_WRONLY);
    actions.give(streams.err, 2, O_WRONLY);
  } else {
    actions.give_terminal(streams.terminal);
  }
  actions.close_others();
  const Attributes attributes(!streams.terminal.empty());
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = -1;
  errno = posix_spawnp(&child, arguments[0], actions.get(), attributes.get(), arguments.data(),
                       environ);
  if (errno != 0) return system_error(fmt::format("cannot start {}", argv.front()));
  return child;
}

ExitStatus exit_status_from_wait(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

Result<std::string> run_program(const HostProgram& program) {
  auto out = make_pipe();
  if (!out) return out.error();
  auto in = make_pipe();
  if (!in) return in.error();
  fcntl(in->write.get(), F_SETFL, O_NONBLOCK);
  if (write(in->write.get(), program.input.data(), program.input.size()) !=
      static_cast<ssize_t>(program.input.size())) {
    return error(Code::Invalid, fmt::format("input of {} is too long", program.argv.front()));
  }
  in->write.reset();

  const auto deadline = SteadyClock::now() + program.deadline;
  const auto child = spawn(program.argv, {in->read.get(), out->write.get(), out->write.get(), {}});
  if (!child) return child.error();
  out->write.reset();
  std::string output = drain(out->read.get(), deadline);
  const auto status = wait_until(*child, program, deadline);
  if (!status) return status.error();
  if (status->code == 0) return output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  if (output.size() > kQuotedOutput) output.erase(0, output.size() - kQuotedOutput);
  return error(Code::Fatal, fmt::format("{} ended with status {}: {}", program.argv.front(),
                                        status->code, output));
}

Result<ExitStatus> run_program(const HostProgram& program, const Streams& streams) {
  const auto deadline = SteadyClock::now() + program.deadline;
  const auto child = spawn(program.argv, streams);
  if (!child) return child.error();
  return wait_until(*child, program, deadline);
}

struct ExitWatch::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& io, int pidfd, pid_t pid) : descriptor(io, pidfd), child(pid) {}

  void wait() {
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& failed) {
                            if (!failed) self->look();
                          });
  }

  void look() {
    const auto status = reap_if_ended(child);
    if (!status) return wait();
    descriptor.close();
    const Callback told = std::move(callback);
    if (told) told(*status);
  }

  boost::asio::posix::stream_descriptor descriptor;
  pid_t child;
  Callback callback;
};

ExitWatch& ExitWatch::operator=(ExitWatch&& other) noexcept {
  if (this != &other) {
    if (impl_ != nullptr) impl_->callback = nullptr;
    impl_ = std::move(other.impl_);
  }
  return *this;
}

ExitWatch::~ExitWatch() {
  if (impl_ != nullptr) impl_->callback = nullptr;
}

Result<ExitWatch> ExitWatch::start(boost::asio::io_context& io, pid_t child, Callback callback) {
  const int pidfd = open_pidfd(child);
  if (pidfd < 0) return system_error(fmt::format("pidfd_open of process {}", child));
  ExitWatch watch;
  watch.impl_ = std::make_shared<Impl>(io, pidfd, child);
  watch.impl_->callback = std::move(callback);
  watch.impl_->wait();
  return watch;
}

void ExitWatch::signal(int number) const {
  if (impl_ == nullptr || !impl_->descriptor.is_open()) return;
  signal_pidfd(impl_->descriptor.native_handle(), number);
}

}  // namespace troupe::sim
