#include "engines/agent/server/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "engines/agent/supervise/process.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

Error system_error(std::string_view what, const fs::path& path) {
  const auto code = errno == ENOENT ? Code::NotFound : errno == EACCES ? Code::Denied : Code::Fatal;
  return error(code, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<void> sync_directory(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return system_error("sync", path);
  return {};
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const auto size = ::write(fd, content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("write", path);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace

Result<void> write_durably(const fs::path& path, std::string_view content, mode_t mode,
                           std::optional<Owner> owner) {
  static std::atomic<unsigned> serial{0};
  auto staged = path;
  staged += fmt::format(".{}.{}.new", ::getpid(), serial++);
  const Fd fd(::open(staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return system_error("create", staged);
  auto written = write_all(fd.get(), content, staged);
  if (written && ::fchmod(fd.get(), mode) != 0) written = system_error("set the mode of", staged);
  if (written && owner && ::geteuid() == 0 && ::fchown(fd.get(), owner->uid, owner->gid) != 0) {
    written = system_error("set the owner of", staged);
  }
  if (written && ::fsync(fd.get()) != 0) written = system_error("sync", staged);
  if (written && ::rename(staged.c_str(), path.c_str()) != 0)
    written = system_error("put in place", path);
  if (!written) {
    ::unlink(staged.c_str());
    return written;
  }
  return sync_directory(path.parent_path());
}

Result<void> remove_durably(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return system_error("remove", path);
  }
  return sync_directory(path.parent_path());
}

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error("open", path);
  std::string content(max_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto part = ::read(fd.get(), content.data() + size, content.size() - size);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return system_error("read", path);
    if (part == 0) break;
    size += static_cast<std::size_t>(part);
  }
  if (size > max_bytes) {
    return error(Code::Invalid,
                 fmt::format("{} is longer than {} bytes", path.string(), max_bytes));
  }
  content.resize(size);
  return content;
}

Result<void> make_directory(const fs::path& path, mode_t mode, std::optional<Owner> owner) {
  if (fs::is_directory(path)) return {};
  if (path.has_parent_path()) {
    if (auto made = make_directory(path.parent_path(), mode, owner); !made) return made;
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return system_error("make", path);
  if (owner && ::geteuid() == 0 && ::chown(path.c_str(), owner->uid, owner->gid) != 0) {
    return system_error("set the owner of", path);
  }
  return {};
}

}  // namespace troupe::agent
