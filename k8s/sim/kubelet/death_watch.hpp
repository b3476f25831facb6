// Learns that processes are dead before they are gone.
//
// A killed process is collected (pidfd, waitpid) only after the kernel has freed its memory: 25 to
// 140 ms a GiB. /proc/PID/stat shows it within a millisecond (runtime/model/process_stat.hpp), and
// root also the status that it will have. One timer looks at all
// watched processes every few milliseconds, less often the more there are, so that it stays near
// one percent of a core. On the io_context's thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "k8s/sim/kubelet/process.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

// Whether a process with this line of /proc/PID/stat is dying, and how it ends. A leader that ended
// alone while other threads of the process go on does not count. Pure.
std::optional<ExitStatus> dying_status(std::string_view stat_line);

class DeathWatch {
 public:
  using Callback = std::function<void(ExitStatus)>;

  explicit DeathWatch(boost::asio::io_context& io);
  ~DeathWatch();
  DeathWatch(const DeathWatch&) = delete;
  DeathWatch& operator=(const DeathWatch&) = delete;

  // Calls back once. `pid` must not have been collected before forget(pid).
  void add(pid_t pid, Callback callback);
  void forget(pid_t pid);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
