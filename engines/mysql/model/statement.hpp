// Every statement that Troupe sends to a MySQL server to change something, as typed builders.
//
// SET GLOBAL, CHANGE REPLICATION SOURCE, CLONE, CREATE USER and KILL take no placeholders in
// prepared statements, so their literals are quoted here, by quote_literal() and quote_identifier()
// and by nothing else. A Statement is two texts: the one to send, which may hold passwords and is a
// Secret, and the one for logs and traces, in which each secret is '<redacted>'.
//
// Session contract: a statement is sent over a mysql::Connection, which pins the character set to
// utf8mb4 and sql_mode to NO_BACKSLASH_ESCAPES before anything else (session_setup()). Sent over a
// session that treats backslashes as escapes, a literal with a backslash would mean another value.
//
// Names follow the server's Dialect (dialect.hpp). Everything here is pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engines/mysql/model/dialect.hpp"
#include "engines/mysql/model/gtid_set.hpp"
#include "engines/mysql/model/observation.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::mysql {

// What a backslash in a string literal means to the session.
enum class Escapes : std::uint8_t { Backslash, None };

// The escapes of every session that Troupe opens.
inline constexpr Escapes kSessionEscapes = Escapes::None;

// 'text', for a session whose character set is utf8mb4. Right for any bytes.
std::string quote_literal(std::string_view text, Escapes escapes = kSessionEscapes);
// `text`, for the name of a schema, table, column, plugin or variable.
std::string quote_identifier(std::string_view text);

class Statement {
 public:
  Statement() = default;

  // For the wire only.
  std::string_view text() const { return text_.reveal(); }
  // For people.
  const std::string& redacted() const { return redacted_; }

  // Only the text is compared: it decides what the server does.
  bool operator==(const Statement& other) const { return text_ == other.text_; }

 private:
  friend class StatementBuilder;
  Secret text_;
  std::string redacted_;
};

// Appends parts; each knows how it is quoted. For statements that this header lacks.
class StatementBuilder {
 public:
  // SQL written in our own source code, never anything that came from outside.
  StatementBuilder& sql(std::string_view trusted);
  StatementBuilder& identifier(std::string_view name);
  StatementBuilder& literal(std::string_view value);
  StatementBuilder& number(std::uint64_t value);
  StatementBuilder& secret(const Secret& value);
  StatementBuilder& account(std::string_view user, std::string_view host);  // 'user'@'host'
  Statement build();

 private:
  StatementBuilder& both(std::string_view text);
  std::string text_, redacted_;
};

// First statement of every session: character set, sql_mode, UTC, and no autocommit surprises.
Statement session_setup();

// --- Global variables ---

// A word is written bare (ON, AFTER_SYNC): only letters, digits and underscores.
struct Word {
  std::string text;
};
using VariableValue = std::variant<bool, std::uint64_t, Word, std::string>;
struct Assignment {
  std::string name;
  VariableValue value;
};

// One statement: the server checks all assignments before it makes the first.
Statement set_global(std::span<const Assignment> assignments);
Statement set_global(std::initializer_list<Assignment> assignments);

// read_only = OFF also clears super_read_only; super_read_only = ON also sets read_only.
Statement set_read_only(bool on);
Statement set_super_read_only(bool on);
Statement set_offline_mode(bool on);

// Largest semi-sync timeout, in ms, that every supported server takes as it is: 10^18 (Vitess uses
// it; MySQL 9.7 takes up to 2^64-1). Read it back: a server may clip it with a warning only.
inline constexpr std::uint64_t kSemiSyncTimeoutMs = 1'000'000'000'000'000'000;

// Everything a source waits by, then the switch itself; AFTER_SYNC and wait_no_replica=ON always.
Statement enable_semi_sync_source(SemiSyncNames names, std::uint64_t acks,
                                  std::uint64_t timeout_ms = kSemiSyncTimeoutMs);
// Only on a server without waiting sessions: switching off releases them with an OK.
Statement disable_semi_sync_source(SemiSyncNames names);
Statement set_semi_sync_acks(SemiSyncNames names, std::uint64_t acks);
Statement set_semi_sync_replica(SemiSyncNames names, bool on);

// --- Replication ---

struct SourceTls {
  bool required = true;
  // PEM file on the *replica's* file system; empty: encrypted, the peer is not verified.
  std::string ca_file;
  // Also check that the certificate names the host given.
  bool verify_name = false;
};

struct SourceConfig {
  std::string host;
  std::uint16_t port = 3306;
  std::string user;
  Secret password;
  std::optional<SourceTls> tls;
  // Lets caching_sha2_password work without TLS; not sent where TLS is used.
  bool get_public_key = true;
  std::chrono::milliseconds heartbeat_period{1000};
  std::chrono::seconds connect_retry{1};
  // A replica that gave up would have to be started by hand.
  std::uint64_t retry_count = 1'000'000;
};

// What becomes of the transactions that were received and are not applied yet. A server keeps its
// relay log only while one of the channel's two threads runs (MySQL manual, CHANGE REPLICATION
// SOURCE TO).
enum class RelayLog : std::uint8_t {
  ThrownAway,  // both threads are stopped; drain what was received first
  Kept,        // the applier runs on; the channel must have been by auto-position before
};
// Always by auto-position.
Statement change_source(DialectId dialect, const SourceConfig& source,
                        RelayLog relay_log = RelayLog::ThrownAway);

enum class ReplicaThreads : std::uint8_t { Both, Io, Sql };
Statement start_replica(DialectId dialect, ReplicaThreads threads = ReplicaThreads::Both);
// Can block up to rpl_stop_replica_timeout.
Statement stop_replica(DialectId dialect, ReplicaThreads threads = ReplicaThreads::Both);
enum class ResetReplica : std::uint8_t { RelayLog, All };
Statement reset_replica(DialectId dialect, ResetReplica what = ResetReplica::All);
// Empties binary log and gtid_executed. Only on servers that hold nothing of value.
Statement reset_binary_logs(DialectId dialect);
// Where gtid_executed is empty: claims a history, as after a restored dump.
Statement set_gtid_purged(const GtidSet& set);
// Answers 0 when all of `set` is executed, 1 after `timeout`; zero waits for ever. Blocks its
// connection.
Statement wait_for_executed(const GtidSet& set, std::chrono::milliseconds timeout);

// The account by which members of a group reach one another. Takes effect at the next connect, also
// while the group runs, but not while the member recovers from it.
Statement change_group_account(std::string_view user, const Secret& password,
                               std::string_view channel);

// --- Clone ---

Statement set_clone_donor(std::string_view host, std::uint16_t port);
// Error 3707 is success: the server waits to be restarted by its supervisor.
Statement clone_instance(std::string_view user, std::string_view host, std::uint16_t port,
                         const Secret& password, bool require_tls);

// --- Users ---

// What an account is for; an account may serve several purposes and then has all their privileges.
enum class AccountPurpose : std::uint8_t {
  Probe,        // the gateway: reads state, closes a member, passes offline_mode
  Control,      // the agent: every change of role; creates the other accounts
  Replication,  // a replica's receiver
  CloneDonor,   // the recipient of a clone, at its donor
};

// Privileges at *.*, sorted, without duplicates. Control also has the grant option, and whatever
// the other purposes need, so that it can make their accounts.
std::vector<std::string_view> privileges_of(std::span<const AccountPurpose> purposes);

// CREATE USER IF NOT EXISTS with caching_sha2_password.
Statement create_user(std::string_view user, std::string_view host, const Secret& password);
enum class OldPassword : std::uint8_t { Discard, Retain };
Statement alter_user_password(std::string_view user, std::string_view host, const Secret& password,
                              OldPassword old = OldPassword::Discard);
Statement discard_old_password(std::string_view user, std::string_view host);
Statement drop_user(std::string_view user, std::string_view host);
Statement grant(std::string_view user, std::string_view host,
                std::span<const AccountPurpose> purposes);
// All privileges with the grant option, for a stock image's root or an administrator.
Statement grant_all(std::string_view user, std::string_view host);

// --- The rest ---

// IDs of the sessions that clients have open, at most kMaxSessionsListed, without the server's own
// and without those given.
inline constexpr std::size_t kMaxSessionsListed = 10'000;
Statement list_sessions(std::span<const std::string> without_users,
                        std::span<const std::uint64_t> without_ids);
Statement kill_connection(std::uint64_t id);
Statement install_plugin(std::string_view name, std::string_view soname);
Statement uninstall_plugin(std::string_view name);
// For statements that must not replicate or make GTIDs.
Statement set_session_binlog(bool on);
// Re-reads certificate, key and CA files; established sessions keep what they have.
Statement reload_tls();

}  // namespace troupe::mysql
