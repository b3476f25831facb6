// MySQL option files: what a rendered one sets, and the file that the server is really given.
//
// The server's own option file includes the rendered one between two sections: before it, what the
// agent sets when the user does not; after it, the pins, which win because the last value counts.
// Pins are what failover without loss rests on (a member boots closed, nothing committed is lost by
// a crash): a user's other value for one is reported, and has no effect. What no later value undoes
// (filters of databases, of which each adds to the others) is left out of what is included, and
// reported likewise. SET PERSIST has no effect either (persisted_globals_load=OFF): persisted
// values would win over everything here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/mysql/model/durability.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent {

using mysql::Setting;

// What a server reads from this text: its groups ([mysqld], [server], [mysqld-9.7]), names with _,
// without a leading loose_ and as servers call them today (replica_*, source_*), in order. Lines
// that include other files are there as a setting "!include" or "!includedir".
std::vector<Setting> server_settings(std::string_view option_file);

struct InstanceSettings {
  std::string data_dir;
  std::string socket;
  std::string pid_file;
  std::string init_file;
  std::string included_file;  // what the user has rendered, without unsafe lines
  std::string binlog_base;    // where the user has not said so
  std::string relay_log_base;
  std::string report_host;    // empty: none
  std::string admin_address;  // where administrators are let in beside all clients; empty: nowhere
  std::string tls_dir;        // ca.crt, tls.crt and tls.key of the server; empty: its own
  std::uint32_t server_id = 1;
  std::string user;  // empty: whoever the process already is
};

// Values of the pins, in the order in which they are written.
std::vector<Setting> safety_pins();

// "sync_binlog=0 (kept at 1)", for each setting that has no effect because of a pin, because it is
// left out, or because the operator sets it.
std::vector<std::string> overridden_settings(const std::vector<Setting>& user);
// Whether it has no effect in any case, so that it makes no difference to a running server.
bool is_left_out(const Setting& setting);
// The rendered file without the lines that are left out.
std::string without_unsafe_lines(std::string_view option_file);

// Code::Invalid if a path holds a character that an option file cannot carry.
Result<std::string> instance_option_file(const InstanceSettings& instance,
                                         const std::vector<Setting>& user);
// For clients beside the server: they find it without being told.
Result<std::string> client_option_file(std::string_view socket);
// For mysqld --initialize: the same directories and user settings, no pins, no binlog.
Result<std::string> bootstrap_option_file(const InstanceSettings& instance);

}  // namespace troupe::agent
