#include "k8s/sim/kubelet/death_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <map>
#include <vector>

namespace troupe::sim {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuickest{4};
constexpr milliseconds kSlowest{100};
// Reading one stat file takes about ten microseconds.
constexpr milliseconds kAddedPerProcess{1};

constexpr unsigned kExitingFlag = 0x4;  // PF_EXITING, include/linux/sched.h
// Positions after the closing bracket of the command's name (proc(5) counts from 1 and has the pid
// and the name before).
constexpr std::size_t kState = 0, kFlags = 6, kThreads = 17, kExitCode = 49;

template <class Number>
Number to_number(std::string_view field) {
  Number value = 0;
  std::from_chars(field.data(), field.data() + field.size(), value);
  return value;
}

}  // namespace

std::optional<ExitStatus> dying_status(std::string_view line) {
  const auto bracket = line.rfind(')');
  if (bracket == line.npos) return std::nullopt;
  line.remove_prefix(bracket + 1);
  std::array<std::string_view, kExitCode + 1> field;
  for (std::string_view& value : field) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \n")));
    value = line.substr(0, line.find_first_of(" \n"));
    line.remove_prefix(value.size());
  }
  const bool ended = field[kState] == "Z" || field[kState] == "X";
  const bool exiting = (to_number<unsigned>(field[kFlags]) & kExitingFlag) != 0;
  if (!ended && !exiting) return std::nullopt;
  const int status = to_number<int>(field[kExitCode]);
  if (status == 0 && to_number<int>(field[kThreads]) > 1) return std::nullopt;
  return exit_status_from_wait(status);
}

struct DeathWatch::Impl : std::enable_shared_from_this<DeathWatch::Impl> {
  struct Watched {
    Fd stat;
    Callback callback;
  };

  explicit Impl(boost::asio::io_context& io) : timer(io) {}

  void arm() {
    if (watched.empty()) {
      armed = false;
      return;
    }
    armed = true;
    timer.expires_after(
        std::clamp(kAddedPerProcess * static_cast<int>(watched.size()), kQuickest, kSlowest));
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      self->look();
      self->arm();
    });
  }

  void look() {
    std::vector<std::pair<Callback, ExitStatus>> dying;
    for (auto at = watched.begin(); at != watched.end();) {
      std::array<char, 1024> buffer;
      const ssize_t n = pread(at->second.stat.get(), buffer.data(), buffer.size(), 0);
      const auto status =
          n > 0 ? dying_status({buffer.data(), static_cast<std::size_t>(n)}) : std::nullopt;
      if (status) dying.emplace_back(std::move(at->second.callback), *status);
      at = status ? watched.erase(at) : std::next(at);
    }
    for (const auto& [callback, status] : dying) callback(status);
  }

  boost::asio::steady_timer timer;
  std::map<pid_t, Watched> watched;
  bool armed = false;
};

DeathWatch::DeathWatch(boost::asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

DeathWatch::~DeathWatch() {
  impl_->watched.clear();
  impl_->timer.cancel();
}

void DeathWatch::add(pid_t pid, Callback callback) {
  Fd stat(open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!stat.valid()) return;  // collected already: whoever collects it tells
  impl_->watched.insert_or_assign(pid, Impl::Watched{std::move(stat), std::move(callback)});
  if (!impl_->armed) impl_->arm();
}

void DeathWatch::forget(pid_t pid) { impl_->watched.erase(pid); }

}  // namespace troupe::sim
