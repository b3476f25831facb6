#include "engines/agent/model/option_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "engines/agent/model/endpoint.hpp"

namespace troupe::agent {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string normalised(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (out.starts_with("loose_")) out.erase(0, 6);
  return out;
}

std::string unquoted(std::string_view value) {
  // A # begins a comment in the middle of a line, unless quoted.
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
    const auto end = value.find(value.front(), 1);
    return std::string(value.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  return std::string(trimmed(value.substr(0, value.find('#'))));
}

bool is_server_group(std::string_view name) {
  return name == "mysqld" || name == "server" || name.starts_with("mysqld-");
}

// Booleans are written in many ways; anything else counts by its text.
std::string meaning(std::string_view value) {
  auto text = normalised(value);
  if (text.empty() || text == "1" || text == "on" || text == "true" || text == "yes") return "1";
  if (text == "0" || text == "off" || text == "false" || text == "no") return "0";
  return text;
}

std::string value_of(const std::vector<Setting>& settings, std::string_view name,
                     std::string_view otherwise) {
  const auto last = std::find_if(settings.rbegin(), settings.rend(),
                                 [&](const Setting& setting) { return setting.name == name; });
  return std::string(last == settings.rend() || last->value.empty() ? otherwise : last->value);
}

Result<void> check_path(std::string_view path) {
  if (path.find_first_of("\n\r\"'#\\") == std::string_view::npos) return {};
  return error(Code::Invalid,
               fmt::format("the path {} holds a character that an option file cannot carry", path));
}

Result<void> check_paths(const InstanceSettings& instance) {
  for (const auto* path :
       {&instance.data_dir, &instance.socket, &instance.pid_file, &instance.init_file,
        &instance.rendered_file, &instance.binlog_base, &instance.relay_log_base,
        &instance.report_host, &instance.admin_address, &instance.tls_dir}) {
    if (auto right = check_path(*path); !right) return right;
  }
  return {};
}

// Packages compile a directory in that is not in every image, and without it the server refuses to
// start. NULL: no import from or export to files of the server.
constexpr std::string_view kNoFileImport = "secure_file_priv=NULL\n";

// Commits of a replica are in order, and share the flushes of a group that is at most this large.
// With MySQL's own 4 a replica applied less (1,700 transactions a second) than four clients of a
// source wrote (2,300), and so never caught up; with 16 it applies 2,900, and 32 are no faster.
constexpr int kAppliers = 16;

// Paths and identity: the agent's own, whatever the user says.
std::string place(const InstanceSettings& instance) {
  auto out = fmt::format("datadir={}\nsocket={}\npid_file={}\ninit_file={}\n", instance.data_dir,
                         instance.socket, instance.pid_file, instance.init_file);
  if (!instance.user.empty()) out += fmt::format("user={}\n", instance.user);
  return out;
}

}  // namespace

std::vector<Setting> server_settings(std::string_view option_file) {
  std::vector<Setting> out;
  bool ours = false;
  while (!option_file.empty()) {
    const auto end = option_file.find('\n');
    const auto line = trimmed(option_file.substr(0, end));
    option_file = end == std::string_view::npos ? "" : option_file.substr(end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';' || line.front() == '!') continue;
    if (line.front() == '[') {
      ours = is_server_group(trimmed(line.substr(1, line.find(']') - 1)));
      continue;
    }
    if (!ours) continue;
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, equals));
    const auto value = equals == std::string_view::npos ? "" : trimmed(line.substr(equals + 1));
    out.push_back({normalised(name), unquoted(value)});
  }
  return out;
}

std::vector<Setting> safety_pins() {
  return {
      // Boots closed, whoever starts it: only the agent opens it, with an epoch.
      {"read_only", "ON"},
      {"super_read_only", "ON"},
      {"offline_mode", "ON"},
      {"skip_replica_start", "ON"},
      {"persisted_globals_load", "OFF"},
      {"loose_rpl_semi_sync_source_enabled", "OFF"},
      {"loose_rpl_semi_sync_replica_enabled", "OFF"},
      // Nothing that was acknowledged is lost by a crash.
      {"sync_binlog", "1"},
      {"innodb_flush_log_at_trx_commit", "1"},
      {"relay_log_recovery", "OFF"},
      {"loose_replication_sender_observe_commit_only", "OFF"},
      {"loose_rpl_semi_sync_source_wait_point", "AFTER_SYNC"},
      {"loose_rpl_semi_sync_source_wait_no_replica", "ON"},
      // Transactions are comparable, and every member can become the source.
      {"gtid_mode", "ON"},
      {"enforce_gtid_consistency", "ON"},
      {"loose_binlog_format", "ROW"},
      {"log_replica_updates", "ON"},
      {"loose_replica_preserve_commit_order", "ON"},
      // A member whose volume was lost keeps its server_id, and would pass over all that was once
      // written on it. GTIDs end the loops that this is there to prevent.
      {"replicate_same_server_id", "ON"},
      // A group is begun by the operator alone, has one primary, and whoever is no part of its
      // majority ends serving by itself. Only the operator brings it back: it compares first.
      {"loose_group_replication_start_on_boot", "OFF"},
      {"loose_group_replication_bootstrap_group", "OFF"},
      {"loose_group_replication_single_primary_mode", "ON"},
      {"loose_group_replication_enforce_update_everywhere_checks", "OFF"},
      {"loose_group_replication_communication_stack", "MYSQL"},
      {"loose_group_replication_unreachable_majority_timeout", "10"},
      {"loose_group_replication_autorejoin_tries", "0"},
      {"loose_group_replication_exit_state_action", "OFFLINE_MODE"},
      {"loose_group_replication_consistency", "BEFORE_ON_PRIMARY_FAILOVER"},
  };
}

std::vector<std::string> overridden_settings(const std::vector<Setting>& user) {
  std::vector<std::string> out;
  for (const auto& pin : safety_pins()) {
    const auto name = normalised(pin.name);
    const auto found = std::find_if(user.rbegin(), user.rend(),
                                    [&](const Setting& setting) { return setting.name == name; });
    if (found != user.rend() && meaning(found->value) != meaning(pin.value)) {
      out.push_back(fmt::format("{}={} (kept at {})", name, found->value, pin.value));
    }
  }
  for (const auto& setting : user) {
    if (setting.name == "skip_log_bin" || setting.name == "disable_log_bin") {
      out.push_back(fmt::format("{} (the binary log stays on)", setting.name));
    }
  }
  return out;
}

Result<std::string> instance_option_file(const InstanceSettings& instance,
                                         const std::vector<Setting>& user) {
  if (auto right = check_paths(instance); !right) return right.error();
  const auto binlog = value_of(user, "log_bin", instance.binlog_base);
  if (auto right = check_path(binlog); !right) return right.error();
  auto out = fmt::format(
      "# Written by troupe-agent for every start. What the rendered file does not set:\n"
      "[mysqld]\nport=3306\n{}server_id={}\nrelay_log={}\nloose_replica_parallel_workers={}\n",
      kNoFileImport, instance.server_id, instance.relay_log_base, kAppliers);
  if (!instance.report_host.empty()) out += fmt::format("report_host={}\n", instance.report_host);
  out += fmt::format("!include {}\n# What it cannot change:\n[mysqld]\n{}log_bin={}\n",
                     instance.rendered_file, place(instance), binlog);
  for (const auto* plugin : {"rpl_semi_sync_source=semisync_source.so",
                             "rpl_semi_sync_replica=semisync_replica.so", "clone=mysql_clone.so"}) {
    out += fmt::format("plugin_load_add={}\n", plugin);
  }
  if (!instance.tls_dir.empty()) {
    out += fmt::format("ssl_ca={0}/ca.crt\nssl_cert={0}/tls.crt\nssl_key={0}/tls.key\n",
                       instance.tls_dir);
  }
  // Loose: servers before 8.0.14 have none.
  if (!instance.admin_address.empty())
    out += fmt::format(
        "loose_admin_address={}\nloose_admin_port={}\nloose_create_admin_listener_thread=ON\n",
        instance.admin_address, kServerAdminPort);
  for (const auto& pin : safety_pins()) out += fmt::format("{}={}\n", pin.name, pin.value);
  return out;
}

Result<std::string> client_option_file(std::string_view socket) {
  if (auto right = check_path(socket); !right) return right.error();
  return fmt::format("[client]\nsocket={}\n", socket);
}

Result<std::string> bootstrap_option_file(const InstanceSettings& instance) {
  if (auto right = check_paths(instance); !right) return right.error();
  return fmt::format("[mysqld]\n{}!include {}\n[mysqld]\n{}skip_log_bin\n", kNoFileImport,
                     instance.rendered_file, place(instance));
}

}  // namespace troupe::agent
