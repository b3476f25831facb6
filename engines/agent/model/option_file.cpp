#include "engines/agent/model/option_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/replace.hpp>
#include <cctype>
#include <iterator>
#include <optional>

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

// Servers take the older names as well: slave_exec_mode, log_slave_updates.
std::string called_today(std::string name) {
  boost::algorithm::replace_all(name, "slave", "replica");
  boost::algorithm::replace_all(name, "master", "source");
  return name;
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
        &instance.included_file, &instance.binlog_base, &instance.relay_log_base,
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

struct Line {
  std::string_view text;    // as it is there
  bool is_servers = false;  // in a group that servers read
  std::optional<Setting> setting;
};

std::vector<Line> lines_of(std::string_view option_file) {
  std::vector<Line> out;
  bool is_servers = false;
  while (!option_file.empty()) {
    const auto end = option_file.find('\n');
    Line line{option_file.substr(0, end), is_servers, {}};
    option_file = end == std::string_view::npos ? "" : option_file.substr(end + 1);
    const auto text = trimmed(line.text);
    if (text.starts_with('[')) {
      is_servers = is_server_group(trimmed(text.substr(1, text.find(']') - 1)));
    } else if (text.starts_with('!')) {
      const auto space = std::min(text.find_first_of(" \t"), text.size());
      line.setting =
          Setting{std::string(text.substr(0, space)), std::string(trimmed(text.substr(space)))};
    } else if (!text.empty() && text.front() != '#' && text.front() != ';') {
      const auto equals = text.find('=');
      const auto value = equals == std::string_view::npos ? "" : trimmed(text.substr(equals + 1));
      line.setting =
          Setting{called_today(normalised(trimmed(text.substr(0, equals)))), unquoted(value)};
    }
    out.push_back(std::move(line));
  }
  return out;
}

// Of these each adds to the others. A server takes the beginning of a name for the name, too.
constexpr std::array<std::string_view, 9> kFilters{"binlog_do_db",
                                                   "binlog_ignore_db",
                                                   "replicate_do_db",
                                                   "replicate_ignore_db",
                                                   "replicate_do_table",
                                                   "replicate_ignore_table",
                                                   "replicate_wild_do_table",
                                                   "replicate_wild_ignore_table",
                                                   "replicate_rewrite_db"};
constexpr std::size_t kShortestBeginning = std::string_view("binlog_do").size();

bool is_filter(std::string_view name) {
  return name.size() >= kShortestBeginning &&
         std::any_of(kFilters.begin(), kFilters.end(),
                     [name](std::string_view filter) { return filter.starts_with(name); });
}

// What commits wait for is the operator's to say, whenever a member is promoted.
bool is_told_when_promoted(std::string_view name) {
  return name == "rpl_semi_sync_source_timeout" ||
         name == "rpl_semi_sync_source_wait_for_replica_count";
}

// A server takes the beginning of a name for the name where no other begins so.
bool means(std::string_view name, std::string_view whole, std::string_view shortest) {
  return name.starts_with(shortest) && whole.starts_with(name);
}

// Why it is left out; empty: it is not.
std::string_view why_left_out(const Setting& setting) {
  if (setting.name.starts_with('!')) return "what it sets is not looked at";
  if (is_filter(setting.name)) return "a failover would lose what it leaves out";
  const auto value = meaning(setting.value);
  if (setting.name == "innodb_flush_method" && (value == "nosync" || value == "littlesync"))
    return "what is committed would not be on disk";
  if (means(setting.name, "init_connect", "init_c") && value.find("log_bin") != value.npos)
    return "what its sessions write would be on no replica";
  if (means(setting.name, "skip_grant_tables", "skip_g"))
    return "anybody could log in, and write everywhere";
  return {};
}

}  // namespace

std::vector<Setting> server_settings(std::string_view option_file) {
  std::vector<Setting> out;
  for (auto& line : lines_of(option_file))
    if (line.setting && (line.is_servers || line.setting->name.starts_with('!')))
      out.push_back(*std::move(line.setting));
  return out;
}

bool is_left_out(const Setting& setting) { return !why_left_out(setting).empty(); }

std::string without_unsafe_lines(std::string_view option_file) {
  std::string out;
  for (const auto& line : lines_of(option_file))
    if (!line.setting || !is_left_out(*line.setting)) out.append(line.text) += '\n';
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
      {"innodb_doublewrite", "ON"},
      {"binlog_error_action", "ABORT_SERVER"},
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
      // A replica that cannot apply something stops, and says so.
      {"loose_replica_exec_mode", "STRICT"},
      {"loose_replica_skip_errors", "OFF"},
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
    if (const auto why = why_left_out(setting); !why.empty())
      out.push_back(fmt::format("{}{}{} (left out: {})", setting.name,
                                setting.name.starts_with('!') ? ' ' : '=', setting.value, why));
    if (setting.name == "skip_log_bin" || setting.name == "disable_log_bin") {
      out.push_back(fmt::format("{} (the binary log stays on)", setting.name));
    }
    if (is_told_when_promoted(setting.name))
      out.push_back(fmt::format("{}={} (the operator sets it)", setting.name, setting.value));
  }
  return out;
}

Result<std::string> instance_option_file(const InstanceSettings& instance,
                                         const std::vector<Setting>& user) {
  if (auto right = check_paths(instance); !right) return right.error();
  const auto binlog = value_of(user, "log_bin", instance.binlog_base);
  if (auto right = check_path(binlog); !right) return right.error();
  auto out = fmt::format(
      "# Written by troupe-agent for every start. What the user does not set:\n"
      "[mysqld]\nport=3306\n{}server_id={}\nrelay_log={}\nloose_replica_parallel_workers={}\n",
      kNoFileImport, instance.server_id, instance.relay_log_base, kAppliers);
  if (!instance.report_host.empty()) out += fmt::format("report_host={}\n", instance.report_host);
  out += fmt::format("!include {}\n# What it cannot change:\n[mysqld]\n{}log_bin={}\n",
                     instance.included_file, place(instance), binlog);
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
                     instance.included_file, place(instance));
}

}  // namespace troupe::agent
