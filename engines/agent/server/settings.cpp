#include "engines/agent/server/settings.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <sstream>

namespace troupe::agent {
namespace {

constexpr Owner kDefaultOwner{1001, 1001};  // whom upstream's images run as
constexpr std::size_t kMaxSocketPath = 107;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Nothing: the default.
Result<void> read_milliseconds(const std::string& name, const std::string& text, Duration& out) {
  if (text.empty()) return {};
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || value == 0) {
    return error(Code::Invalid,
                 fmt::format("{} is \"{}\", expected milliseconds, at least 1", name, text));
  }
  out = std::chrono::milliseconds(value);
  return {};
}

Result<Owner> owner_of(const std::string& text, const std::filesystem::path& data_mount) {
  if (!text.empty()) {
    Owner owner;
    const auto* end = text.data() + text.size();
    const auto uid = std::from_chars(text.data(), end, owner.uid);
    if (uid.ec == std::errc{} && uid.ptr != end && *uid.ptr == ':') {
      const auto gid = std::from_chars(uid.ptr + 1, end, owner.gid);
      if (gid.ec == std::errc{} && gid.ptr == end) return owner;
    }
    return error(Code::Invalid, fmt::format("TROUPE_RUN_AS is \"{}\", expected UID:GID", text));
  }
  if (::geteuid() != 0) return Owner{::geteuid(), ::getegid()};
  struct stat status {};
  if (::stat(data_mount.c_str(), &status) == 0 && status.st_uid != 0) {
    return Owner{status.st_uid, status.st_gid};
  }
  return kDefaultOwner;
}

}  // namespace

std::uint32_t server_id_of(std::string_view unit) {
  const auto dash = unit.rfind('-');
  if (dash != std::string_view::npos && dash + 1 < unit.size()) {
    const auto digits = unit.substr(dash + 1);
    std::uint32_t ordinal = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, ordinal);
    if (failure == std::errc{} && stop == end && ordinal < 1'000'000) return ordinal + 1;
  }
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : unit) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return 1'000'001 + hash % 2'000'000'000;
}

Result<AgentSettings> settings_from(const std::map<std::string, std::string>& environment) {
  AgentSettings out;
  out.environment = environment;
  const auto take = [&](const std::string& name, const std::string& otherwise) {
    auto& value = out.environment[name];
    if (value.empty()) value = otherwise;
    return value;
  };
  out.data_mount = take("DATA_MOUNT", "");
  if (!out.data_mount.is_absolute()) {
    return error(Code::Invalid,
                 "DATA_MOUNT must be the absolute path at which the data volume is mounted");
  }
  const auto data = out.data_mount.string();
  const auto log = take("LOG_MOUNT", data + "/log");
  out.unit = take("TROUPE_UNIT", take("NAMESPACE", "") + "/" + take("POD_NAME", ""));
  if (out.unit == "/")
    return error(Code::Invalid, "TROUPE_UNIT, or NAMESPACE and POD_NAME, must be set");
  take("UNIT_TYPE", "mysql");
  out.data_dir = take("DATA_DIR", data + "/data");
  out.config_path = take("CONFIG_PATH", take("CONF_DIR", data + "/troupe/conf") + "/mysql.cnf");
  out.binlog_dir = take("BIN_LOG_DIR", log + "/binlog");
  out.relay_log_dir = take("RELAY_LOG_DIR", log + "/relay");
  out.run_dir = take("TROUPE_RUN_DIR", "/troupe/run");
  out.tls_dir = take("TROUPE_TLS_DIR", "/troupe/tls");
  out.listen = take("TROUPE_LISTEN", "0.0.0.0:2214");
  out.client_name = take("TROUPE_CLIENT_NAME", "troupe-operator");
  out.report_host = take("TROUPE_REPORT_HOST", "");
  out.pod_ip = take("TROUPE_POD_IP", "");
  out.server_id = server_id_of(out.unit);
  out.mysqld = words_of(take("TROUPE_MYSQLD", "mysqld"));
  out.mysqld_args = words_of(take("TROUPE_MYSQLD_ARGS", ""));
  for (auto [name, limit] : {std::pair{"TROUPE_FENCE_LEASE_MS", &out.self_fence.lease},
                             std::pair{"TROUPE_FENCE_SHORTAGE_MS", &out.self_fence.shortage}}) {
    if (auto read = read_milliseconds(name, take(name, ""), *limit); !read) return read.error();
  }
  auto owner = owner_of(take("TROUPE_RUN_AS", ""), out.data_mount);
  if (!owner) return owner.error();
  out.run_as = *owner;
  if (out.mysql_socket().string().size() > kMaxSocketPath) {
    return error(Code::Invalid,
                 fmt::format("DATA_MOUNT is too long a path for a socket: {}", data));
  }
  return out;
}

}  // namespace troupe::agent
