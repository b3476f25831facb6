#include "k8s/sim/kubelet/death_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <vector>

#include "runtime/model/process_stat.hpp"

namespace troupe::sim {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuickest{4};
constexpr milliseconds kSlowest{100};
// Reading one stat file takes about ten microseconds.
constexpr milliseconds kAddedPerProcess{1};

}  // namespace

std::optional<ExitStatus> dying_status(std::string_view line) {
  const auto stat = ProcessStat::parse(line);
  if (!stat || !stat->is_dying()) return std::nullopt;
  const int status = stat->number<int>(ProcessStat::kExitCode).value_or(0);
  if (status == 0 && stat->number<int>(ProcessStat::kThreads).value_or(0) > 1) return std::nullopt;
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
  if (!stat) return;  // collected already: whoever collects it tells
  impl_->watched.insert_or_assign(pid, Impl::Watched{std::move(stat), std::move(callback)});
  if (!impl_->armed) impl_->arm();
}

void DeathWatch::forget(pid_t pid) { impl_->watched.erase(pid); }

}  // namespace troupe::sim
