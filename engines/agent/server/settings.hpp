// How an agent is told where it lives: the container's environment, as the Pod template sets it.
//
// The names are those that upstream's images and templates use; what is not set gets a default
// below DATA_MOUNT, so that a template with nothing but a data volume works.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/agent/model/self_fence.hpp"
#include "engines/agent/server/files.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent {

// The agent's own account in the database, for the local socket only.
inline constexpr std::string_view kLocalUser = "troupe_agent";

struct AgentSettings {
  std::string unit;                     // TROUPE_UNIT, or NAMESPACE/POD_NAME
  std::filesystem::path data_mount;     // DATA_MOUNT: the data volume, in both containers
  std::filesystem::path data_dir;       // DATA_DIR: the database's own directory; <data>/data
  std::filesystem::path config_path;    // CONFIG_PATH; <data>/troupe/conf/mysql.cnf
  std::filesystem::path binlog_dir;     // BIN_LOG_DIR; <log>/binlog
  std::filesystem::path relay_log_dir;  // RELAY_LOG_DIR; <log>/relay
  std::filesystem::path run_dir;        // TROUPE_RUN_DIR: the volume shared with the supervisor
  std::filesystem::path tls_dir;        // TROUPE_TLS_DIR: tls.crt, tls.key, ca.crt
  std::string listen;                   // TROUPE_LISTEN; 0.0.0.0:2214
  std::string client_name;          // TROUPE_CLIENT_NAME: DNS name in the operator's certificate
  std::string report_host;          // TROUPE_REPORT_HOST: what replicas call this member
  std::string pod_ip;               // TROUPE_POD_IP: where the server lets administrators in
  std::uint32_t server_id = 1;      // from the unit's name
  SelfFenceLimits self_fence;       // TROUPE_FENCE_LEASE_MS, TROUPE_FENCE_SHORTAGE_MS
  Owner run_as;                     // TROUPE_RUN_AS, UID:GID of the database
  std::vector<std::string> mysqld;  // TROUPE_MYSQLD, separated by spaces: the command
  std::vector<std::string> mysqld_args;  // TROUPE_MYSQLD_ARGS, likewise, behind all others

  // The environment as templates see it: with the defaults above filled in.
  std::map<std::string, std::string> environment;

  // Beside the database's directory, on the data volume: survives a clone.
  std::filesystem::path keep_dir() const { return data_mount / "troupe"; }
  std::filesystem::path fence_mark() const { return keep_dir() / "fenced"; }
  std::filesystem::path mysql_socket() const { return data_mount / "mysqld.sock"; }
  std::filesystem::path supervise_socket() const { return run_dir / "supervise" / "sock"; }
  std::filesystem::path private_dir() const { return run_dir / "agent"; }
  // MYSQL_HOME of the database's container.
  std::filesystem::path client_dir() const { return run_dir / "client"; }
};

// From NAME=value pairs. Code::Invalid names what is missing or wrong.
Result<AgentSettings> settings_from(const std::map<std::string, std::string>& environment);

// N + 1 for a unit called NAME-N, else a number above all those, from the whole name.
std::uint32_t server_id_of(std::string_view unit);

}  // namespace troupe::agent
