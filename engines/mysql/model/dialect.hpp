// How a given server spells things: capability detection as data.
//
// Two independent questions decide the spelling. The *version* decides statements and the names of
// ordinary variables (one row of a table for each step in MySQL's renaming of master and slave);
// the *plugins that are installed* decide the names of semi-sync variables, because both sets of
// plugins were shipped side by side from 8.0.26 on. Forks that share the protocol but not the
// behaviour (MariaDB, TiDB, Aurora, ...) and versions that cannot be read are Unsupported, with a
// reason for people.
//
// Error 1193 (unknown variable) or 1064 (syntax) on a statement built from here means that the
// server changed under its connection: detect again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engines/mysql/model/version.hpp"

namespace troupe::mysql {

// The first version that spells things so; a server has the last row that is not newer than it.
enum class DialectId : std::uint8_t {
  Unsupported,
  From5_7,     // all old words; an external donor at best
  From8_0_22,  // REPLICA in statements
  From8_0_23,  // CHANGE REPLICATION SOURCE TO, with SOURCE_* options
  From8_0_26,  // replica_* variables, semi-sync plugins under both names
  From8_2,     // RESET BINARY LOGS AND GTIDS, SHOW BINARY LOG STATUS
};

struct Dialect {
  DialectId id;
  Version since;
  std::string_view replica;            // the word in START, STOP, RESET and SHOW ... STATUS
  std::string_view show_replicas;      // who is attached to this source
  std::string_view change_source;      // the head of the statement that names a source
  std::string_view source_option;      // prefix of that statement's options
  std::string_view reset_binary_logs;  // empties the binary log and the executed set
  std::string_view binary_log_status;  // shows the position of the binary log
  std::string_view replica_variable;   // prefix of replica_preserve_commit_order and its like
  std::string_view log_replica_updates;
  std::string_view skip_replica_start;
  bool clone;         // the CLONE plugin can be there (8.0.17)
  bool tagged_gtids;  // UUID:tag:number (8.3)
};

// The row of the table. Unsupported has one too, which spells as the newest does.
const Dialect& dialect(DialectId id);

struct Detection {
  DialectId id = DialectId::Unsupported;
  Version version;
  std::string reason;  // why it is Unsupported, else empty
};

// From VERSION() and @@version_comment.
Detection detect(std::string_view version, std::string_view comment);

// Which of the two families of semi-sync plugins a server has for one of the two roles.
enum class SemiSyncNames : std::uint8_t { None, Old, New };

// Names of one role's plugin, its file and its variables; those that the role lacks are empty.
struct SemiSyncSourceNames {
  std::string_view plugin, soname;
  std::string_view enabled, timeout, wait_for_replica_count, wait_no_replica, wait_point;
  std::string_view clients, status, wait_sessions, yes_tx, no_tx;  // status variables
};
struct SemiSyncReplicaNames {
  std::string_view plugin, soname;
  std::string_view enabled;
  std::string_view status;  // status variable
};

// None spells as New does: what would be installed on a server that this dialect describes.
const SemiSyncSourceNames& semi_sync_source_names(SemiSyncNames names);
const SemiSyncReplicaNames& semi_sync_replica_names(SemiSyncNames names);
// Which family to install on a server that has none.
SemiSyncNames preferred_semi_sync(DialectId id);

}  // namespace troupe::mysql
