#include "engines/agent/supervise/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "engines/agent/supervise/environment.hpp"
#include "runtime/model/process_stat.hpp"

namespace troupe::agent::supervise {
namespace {

// In the child: everything until exec. Only async-signal-safe calls; returns the errno of a
// failure.
int become(const SpawnSpec& spec, SpawnMode mode, int output, char* const* argv, char* const* env) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (mode.own_group) ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (output >= 0 && (::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0)) {
    return errno;
  }
  if (spec.gid != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(spec.gid) != 0)) return errno;
  if (spec.uid != 0) {
    if (::setuid(spec.uid) != 0) return errno;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user clears it
  }
  if (!spec.cwd.empty() && ::chdir(spec.cwd.c_str()) != 0) return errno;
  ::execvpe(argv[0], argv, env);
  return errno;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::optional<std::string> read_small_file(const char* path) {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  std::string text(4096, '\0');
  const auto size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<Vitals> parse_stat(std::string_view text) {
  const auto stat = ProcessStat::parse(text);
  if (!stat) return std::nullopt;
  const auto state = stat->field(ProcessStat::kState);
  return Vitals{.dying = stat->is_dying(), .paused = state == "T" || state == "t"};
}

VitalsProbe::VitalsProbe(pid_t pid)
    : file_(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC)) {}

Vitals VitalsProbe::look() const {
  std::array<char, 1024> buffer;
  const auto size = file_ ? ::pread(file_.get(), buffer.data(), buffer.size(), 0) : -1;
  if (size <= 0) return Vitals{.dying = true};
  return parse_stat({buffer.data(), static_cast<std::size_t>(size)}).value_or(Vitals{});
}

Spawned spawn(const SpawnSpec& spec, SpawnMode mode) {
  Spawned result;
  if (spec.argv.empty()) {
    result.error = EINVAL;
    return result;
  }
  auto argv = spec.argv;
  auto env = child_environment(spec.env);
  const auto argv_pointers = pointers(argv);
  const auto env_pointers = pointers(env);

  std::array<int, 2> failure{-1, -1};  // carries the child's errno, or closes when exec succeeds
  std::array<int, 2> output{-1, -1};
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    result.error = errno;
    return result;
  }
  Fd failure_read(failure[0]);
  Fd failure_write(failure[1]);
  if (mode.capture_output && ::pipe2(output.data(), O_CLOEXEC) != 0) {
    result.error = errno;
    return result;
  }
  Fd output_read(output[0]);
  Fd output_write(output[1]);

  const pid_t pid = ::fork();
  if (pid == 0) {
    const int error =
        become(spec, mode, output_write.get(), argv_pointers.data(), env_pointers.data());
    [[maybe_unused]] const auto written = ::write(failure_write.get(), &error, sizeof error);
    ::_exit(127);
  }
  failure_write.reset();
  if (pid < 0) {
    result.error = errno;
    return result;
  }
  int error = 0;
  ssize_t size;
  do {
    size = ::read(failure_read.get(), &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  if (size == sizeof error) {  // the child is reaped with all others
    result.error = error;
    return result;
  }
  result.pid = pid;
  result.output = std::move(output_read);
  return result;
}

}  // namespace troupe::agent::supervise
