#include "engines/agent/supervise/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <optional>
#include <stdexcept>

#include "engines/agent/supervise/environment.hpp"

namespace troupe::agent::supervise {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookInterval{4};
constexpr milliseconds kIdleInterval{60'000};  // nothing to look at: only events wake the loop
constexpr std::size_t kMaxPeers = 8;           // one agent, its predecessor, a person with a tool
constexpr std::size_t kMaxUnsentBytes = 1024 * 1024;  // a peer that reads this little is dropped
constexpr std::size_t kOutputTailBytes = 16 * 1024;   // of a command: enough for its last errors

std::string system_error(const std::string& what) { return what + ": " + std::strerror(errno); }

std::string random_instance() {
  auto id = read_small_file("/proc/sys/kernel/random/uuid").value_or("");
  if (id.ends_with('\n')) id.pop_back();
  return id;
}

void prepare_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw std::runtime_error(system_error("cannot make " + directory));
  }
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0) {
    throw std::runtime_error(system_error("cannot look at " + directory));
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    throw std::runtime_error(directory + " must be a directory of user " +
                             std::to_string(::geteuid()) + " with mode 0700");
  }
}

Fd listen_at(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) {
    throw std::runtime_error("the socket needs a directory of its own, found " + path);
  }
  prepare_directory(path.substr(0, slash));
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long a path: " + path);
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlink(path.c_str());
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), kMaxPeers) != 0) {
    throw std::runtime_error(system_error("cannot listen at " + path));
  }
  return fd;
}

bool may_talk(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == ::geteuid());
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(ServerOptions options)
      : options_(std::move(options)), instance_(random_instance()) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that it also works when it is not process 1
    sigset_t mask;
    sigemptyset(&mask);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGPIPE}) sigaddset(&mask, signal);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    signals_ = Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
    listener_ = listen_at(options_.socket_path);
  }

  int run() {
    log("listening at " + options_.socket_path);
    while (!finished()) {
      wait();
      const auto now = steady_clock::now();
      take_signals(now);
      database_.tick(now);
      check_job(now);
      if (ends_ && !released_ && now >= *ends_) release({.graceful = false}, now);
      publish(now);
      drop_closed_peers();
    }
    log("ended");
    return 0;
  }

 private:
  struct Peer {
    Fd fd;
    FrameReader reader;
    std::string unsent;
    bool greeted = false;
    bool closed = false;
  };
  struct Job {
    pid_t pid = 0;
    Fd output;
    std::string tail;
    Instant deadline;
    std::uint32_t request = 0;
    Peer* asker = nullptr;  // null once it is gone
    Peer* ender = nullptr;  // who wants it ended, and by which request
    std::uint32_t end_request = 0;
  };

  bool finished() const { return ends_ && !database_.alive(); }
  void log(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  // --- the loop

  void wait() {
    std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    if (job_) fds.push_back({job_->output.get(), POLLIN, 0});
    const auto first_peer = fds.size();
    for (const auto& peer : peers_) {
      fds.push_back(
          {peer.fd.get(), static_cast<short>(peer.unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    }
    if (::poll(fds.data(), fds.size(), timeout()) < 0) return;
    if (fds[1].revents != 0) accept_peer();
    if (job_ && fds[2].revents != 0) read_job_output();
    auto peer = peers_.begin();
    for (auto i = first_peer; i < fds.size(); ++i, ++peer) {
      if (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) read_from(*peer);
      if (fds[i].revents & POLLOUT) flush(*peer);
    }
  }

  int timeout() const {
    auto next = steady_clock::now() + (database_.alive() ? kLookInterval : kIdleInterval);
    if (const auto due = database_.next_event()) next = std::min(next, *due);
    if (job_) next = std::min(next, job_->deadline);
    if (ends_ && !released_) next = std::min(next, *ends_);
    const auto left = duration_cast<milliseconds>(next - steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0) + (left.count() > 4 ? 1 : 0));
  }

  void take_signals(Instant now) {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE) begin_end(now);
    }
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (database_.reap(pid, status, now)) {
        log("the database has ended, wait status " + std::to_string(status));
      } else if (job_ && pid == job_->pid) {
        finish_job(status);
      }
    }
  }

  // --- the end of the container

  void begin_end(Instant now) {
    if (ends_) return;
    log("told to end");
    ends_ = now + std::max(options_.grace - options_.reserve, milliseconds(0));
    database_.container_ends();
    if (job_) ::kill(-job_->pid, SIGKILL);
  }

  void release(const ReleaseOrder& order, Instant now) {
    if (!ends_ || released_) return;
    released_ = true;
    log(order.graceful ? "ending the database" : "killing the database: commits may be waiting");
    if (order.graceful) {
      database_.stop({.grace_ms = static_cast<std::uint64_t>(options_.reserve.count())}, now);
    } else {
      database_.kill({});
    }
  }

  // --- peers

  void accept_peer() {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    if (peers_.size() >= kMaxPeers || !may_talk(fd.get())) {
      log("refused a peer");
      return;
    }
    peers_.emplace_back().fd = std::move(fd);
  }

  void read_from(Peer& peer) {
    std::array<char, 65536> buffer;
    const auto size = ::read(peer.fd.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      peer.closed = true;
      return;
    }
    peer.reader.append({buffer.data(), static_cast<std::size_t>(size)});
    while (!peer.closed) {
      const auto frame = peer.reader.next();
      if (!frame) break;
      serve(peer, *frame);
    }
    if (peer.reader.broken()) peer.closed = true;
  }

  void send(Peer& peer, Kind kind, std::uint32_t id, std::string body) {
    peer.unsent += to_bytes({kind, id, std::move(body)});
    flush(peer);
    if (peer.unsent.size() > kMaxUnsentBytes) peer.closed = true;
  }

  void flush(Peer& peer) {
    while (!peer.unsent.empty()) {
      const auto size = ::send(peer.fd.get(), peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
      if (size < 0) {
        if (errno != EAGAIN && errno != EINTR) peer.closed = true;
        return;
      }
      peer.unsent.erase(0, static_cast<std::size_t>(size));
    }
  }

  void drop_closed_peers() {
    peers_.remove_if([this](const Peer& peer) {
      if (!peer.closed || !job_) return peer.closed;
      // Nobody waits for its outcome, and the next one who asks expects no other writer.
      if (job_->asker == &peer) {
        job_->asker = nullptr;
        ::kill(-job_->pid, SIGKILL);
      }
      if (job_->ender == &peer) job_->ender = nullptr;
      return true;
    });
  }

  ProcessReport report(Instant now) const {
    auto out = database_.report();
    if (ends_) {
      out.terminating_ms = static_cast<std::uint64_t>(
          std::max<std::int64_t>(duration_cast<milliseconds>(*ends_ - now).count(), 1));
    }
    return out;
  }

  void publish(Instant now) {
    if (database_.report() == published_ && ends_.has_value() == published_end_) return;
    published_ = database_.report();
    published_end_ = ends_.has_value();
    const auto body = encode(report(now));
    for (auto& peer : peers_) {
      if (peer.greeted) send(peer, Kind::Event, 0, body);
    }
  }

  // --- requests

  void serve(Peer& peer, const Frame& frame) {
    const auto now = steady_clock::now();
    if (frame.kind == Kind::Hello) return greet(peer, frame, now);
    if (!peer.greeted) {
      peer.closed = true;
      return;
    }
    const auto answer = [&](bool understood) {
      if (understood) {
        send(peer, Kind::Done, frame.id, {});
      } else {
        send(peer, Kind::Failed, frame.id, encode("the request cannot be read"));
      }
    };
    switch (frame.kind) {
      case Kind::Start:
        return answer(
            with<SpawnSpec>(frame, [&](const auto& spec) { database_.start(spec, now); }));
      case Kind::Stop:
        return answer(
            with<StopOrder>(frame, [&](const auto& order) { database_.stop(order, now); }));
      case Kind::Kill:
        return answer(with<KillOrder>(frame, [&](const auto& order) { database_.kill(order); }));
      case Kind::Release:
        return answer(with<ReleaseOrder>(frame, [&](const auto& order) { release(order, now); }));
      case Kind::Environment:
        return send(peer, Kind::Done, frame.id, encode(stock_settings()));
      case Kind::EndRun:
        return end_job(peer, frame.id);
      case Kind::Run:
        if (!with<RunOrder>(frame,
                            [&](const auto& order) { run_job(peer, frame.id, order, now); })) {
          answer(false);
        }
        return;
      default:
        return send(peer, Kind::Failed, frame.id, encode("unknown request"));
    }
  }

  template <class T, class F>
  static bool with(const Frame& frame, F&& use) {
    const auto value = decode<T>(frame.body);
    if (value) use(*value);
    return value.has_value();
  }

  void greet(Peer& peer, const Frame& frame, Instant now) {
    const auto hello = decode<Hello>(frame.body);
    if (!hello || hello->version != kProtocolVersion) {
      send(peer, Kind::Failed, frame.id,
           encode("this supervisor speaks protocol " + std::to_string(kProtocolVersion)));
      peer.closed = true;
      return;
    }
    peer.greeted = true;
    const Hello answer{
        .pid = static_cast<std::uint64_t>(::getpid()), .uid = ::geteuid(), .instance = instance_};
    send(peer, Kind::Hello, frame.id, encode(answer));
    send(peer, Kind::Event, 0, encode(report(now)));
  }

  // --- the one command beside the database

  void run_job(Peer& peer, std::uint32_t id, const RunOrder& order, Instant now) {
    if (job_ || ends_) {
      return send(peer, Kind::Failed, id,
                  encode(job_ ? "another command is running" : "the container ends"));
    }
    auto spawned = spawn(order.spawn, {.capture_output = true, .own_group = true});
    if (spawned.pid <= 0) {
      return send(
          peer, Kind::Failed, id,
          encode("cannot execute " + order.spawn.argv.at(0) + ": " + std::strerror(spawned.error)));
    }
    ::fcntl(spawned.output.get(), F_SETFL, O_NONBLOCK);
    job_ = Job{.pid = spawned.pid,
               .output = std::move(spawned.output),
               .deadline = now + milliseconds(order.timeout_ms),
               .request = id,
               .asker = &peer};
  }

  void read_job_output() {
    std::array<char, 4096> buffer;
    ssize_t size;
    while ((size = ::read(job_->output.get(), buffer.data(), buffer.size())) > 0) {
      job_->tail.append(buffer.data(), static_cast<std::size_t>(size));
      if (job_->tail.size() > kOutputTailBytes) {
        job_->tail.erase(0, job_->tail.size() - kOutputTailBytes);
      }
    }
    if (size == 0) job_->output.reset();  // poll ignores negative descriptors
  }

  void check_job(Instant now) {
    if (!job_ || now < job_->deadline) return;
    ::kill(-job_->pid, SIGKILL);
    job_->deadline = now + kIdleInterval;
  }

  void end_job(Peer& peer, std::uint32_t id) {
    if (!job_) return send(peer, Kind::Done, id, {});
    if (job_->ender) send(*job_->ender, Kind::Failed, job_->end_request, encode("asked again"));
    job_->ender = &peer;
    job_->end_request = id;
    ::kill(-job_->pid, SIGKILL);
  }

  void finish_job(int status) {
    if (job_->output) read_job_output();
    RunOutcome outcome;
    outcome.output = std::move(job_->tail);
    if (WIFEXITED(status)) outcome.exit_code = static_cast<std::uint64_t>(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) outcome.signal = static_cast<std::uint64_t>(WTERMSIG(status));
    if (job_->asker) send(*job_->asker, Kind::Done, job_->request, encode(outcome));
    if (job_->ender) send(*job_->ender, Kind::Done, job_->end_request, {});
    job_.reset();
  }

  ServerOptions options_;
  std::string instance_;
  Fd signals_;
  Fd listener_;
  std::list<Peer> peers_;  // stable addresses: a job remembers who asked
  Database database_;
  std::optional<Job> job_;
  ProcessReport published_;
  bool published_end_ = false;
  std::optional<Instant> ends_;  // when the wait for a Release is over
  bool released_ = false;
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;
int Server::run() { return impl_->run(); }

}  // namespace troupe::agent::supervise
