#include "k8s/sim/kubeconfig.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "k8s/sim/api/base64.hpp"

namespace troupe::sim {

std::string kubeconfig_text(const KubeconfigEntry& entry) {
  std::string cluster = fmt::format("    server: {}\n", entry.server);
  if (!entry.ca_pem.empty()) {
    cluster += fmt::format("    certificate-authority-data: {}\n", base64_encode(entry.ca_pem));
  }
  const auto user = entry.token.empty()
                        ? std::string("  user: {}\n")
                        : fmt::format("  user:\n    token: {}\n", entry.token.reveal());
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "current-context: troupe-sim\n"
      "clusters:\n- name: troupe-sim\n  cluster:\n{}"
      "users:\n- name: admin\n{}"
      "contexts:\n- name: troupe-sim\n  context:\n    cluster: troupe-sim\n    user: admin\n",
      cluster, user);
}

Result<void> write_kubeconfig(const std::string& path, const KubeconfigEntry& entry) {
  const auto temporary = path + ".new";
  const auto failed = [&](const char* step) {
    return error(Code::Fatal, fmt::format("cannot {} {}: {}", step, path, std::strerror(errno)));
  };
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("open");
  const auto text = kubeconfig_text(entry);
  const auto written = ::write(file, text.data(), text.size());
  ::close(file);
  if (written != static_cast<ssize_t>(text.size())) return failed("write");
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("replace");
  return {};
}

}  // namespace troupe::sim
