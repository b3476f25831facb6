// What an error number of a MySQL server or client means for whoever watches the server.
//
// Numbers from 2000 to 2999 and from 5000 to 5999 come from the client library, all others from the
// server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"

namespace troupe::mysql {

// How a probe ended. Each value is a different piece of evidence about the server.
enum class Reachability : std::uint8_t {
  Unknown,       // never tried
  Ok,            // answered everything
  Refused,       // nobody listens there: the process is dead or not up yet
  Reset,         // an established connection broke: the process died, or cut us off
  Timeout,       // no answer in time: network, a paused or a hung server
  Unreachable,   // no route to that address
  AuthFailed,    // alive, but our credentials do not work: a configuration error, never a death
  TlsFailed,     // alive, but its certificate is not what was expected
  Overloaded,    // alive, with all its connections taken: use the admin port
  ShuttingDown,  // alive and going away
  Offline,       // alive in offline_mode, and our user may not pass it: fenced
  Unsupported,   // alive, but not a server that we know how to command
  Failed,        // alive, but a statement failed
};

std::string_view to_string(Reachability reachability);

// A server process answered, whatever it said.
bool is_alive(Reachability reachability);

// What to do about an error, coarser than the number.
enum class Reaction : std::uint8_t {
  Reconnect,      // the connection is gone or useless; its statement's outcome is unknown
  Retry,          // the same statement may work later (lock wait, deadlock, busy)
  Ignore,         // nothing is wrong (KILL of a thread that has gone)
  Detect,         // the server speaks another dialect than we thought
  Reauthorize,    // a privilege is missing: repair the grants from the primary
  Configuration,  // credentials, plugins or certificates: for people
  AdminPort,      // come again through the admin port
  Terminating,    // shutting down or offline: treat as fenced, not as failed
  ReadOnly,       // writes are refused, as is right on a replica
  Clone,       // the source cannot serve what this replica needs: purged, or the replica has more
  Drift,       // applier found other data than the source has: rebuild, never skip
  Restarting,  // CLONE is done and the server waits to be restarted
  Fail,        // the statement is wrong or was refused
};

Reaction reaction_of(unsigned number);
// The reaction in terms of the tree's error codes.
Code code_of(Reaction reaction);

// The evidence in an error that ended a probe.
Reachability reachability_of(unsigned number);

// A server's message without what may be secret or is of no use in a log: it ends where a server
// starts to quote the statement, and after kMaxErrorText bytes; control characters become spaces,
// and bytes that are no text U+FFFD: client libraries have passed on whatever they read.
std::string sanitize(std::string_view message);
inline constexpr std::size_t kMaxErrorText = 512;

// An error with the evidence it carries.
struct ServerError {
  unsigned number = 0;  // 0: no server or library gave a number
  Reachability reachability = Reachability::Failed;
  std::string message;  // sanitized
};

Error to_error(const ServerError& failure);

namespace error_number {
inline constexpr unsigned kTooManyConnections = 1040;
inline constexpr unsigned kAccessDenied = 1045;
inline constexpr unsigned kServerShutdown = 1053;
inline constexpr unsigned kSyntax = 1064;
inline constexpr unsigned kNoSuchThread = 1094;
inline constexpr unsigned kUnknownVariable = 1193;
inline constexpr unsigned kCannotOpenChannel = 1201;
inline constexpr unsigned kLockWait = 1205;
inline constexpr unsigned kTooManyUserConnections = 1203;
inline constexpr unsigned kDeadlock = 1213;
inline constexpr unsigned kMissingPrivilege = 1227;
inline constexpr unsigned kCannotServeBinlog = 1236;
inline constexpr unsigned kReadOnlyOption = 1290;
inline constexpr unsigned kInterrupted = 1317;
inline constexpr unsigned kCannotOpenRelayLog = 1872;
inline constexpr unsigned kOfflineMode = 3032;
inline constexpr unsigned kAccountLocked = 3118;
inline constexpr unsigned kCannotRestart = 3707;
inline constexpr unsigned kNoSocket = 2002;
inline constexpr unsigned kConnectFailed = 2003;
inline constexpr unsigned kServerGone = 2006;
inline constexpr unsigned kServerLost = 2013;
inline constexpr unsigned kTlsError = 2026;
inline constexpr unsigned kAuthPlugin = 2059;
inline constexpr unsigned kAuthPluginError = 2061;
inline constexpr unsigned kAuthMethodNotUsed = 5010;
}  // namespace error_number

}  // namespace troupe::mysql
