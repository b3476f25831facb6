#include "engines/mysql/model/error_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/find.hpp>
#include <iterator>

#include "runtime/model/utf8.hpp"

namespace troupe::mysql {
namespace {

struct Row {
  unsigned number;
  Reaction reaction;
  Reachability reachability;  // of a server that answered a probe so
};

using enum Reaction;
using R = Reachability;

// Sorted by number.
constexpr Row kRows[] = {
    {1032, Drift, R::Failed},              // applier: row not found
    {1040, AdminPort, R::Overloaded},      // too many connections
    {1045, Configuration, R::AuthFailed},  // access denied
    {1053, Terminating, R::ShuttingDown},  // shutdown in progress
    {1062, Drift, R::Failed},              // applier: duplicate row
    {1064, Detect, R::Failed},             // syntax: a removed statement
    {1094, Ignore, R::Failed},             // KILL: no such thread
    {1129, Configuration, R::AuthFailed},  // host is blocked
    {1130, Configuration, R::AuthFailed},  // host is not allowed
    {1142, Reauthorize, R::Failed},        // table privilege missing
    {1193, Detect, R::Failed},             // unknown variable
    {1203, AdminPort, R::Overloaded},      // max_user_connections
    {1205, Retry, R::Failed},              // lock wait timeout
    {1213, Retry, R::Failed},              // deadlock
    {1227, Reauthorize, R::Failed},        // privilege missing
    {1236, Clone, R::Failed},              // source cannot serve the binary log
    {1290, ReadOnly, R::Failed},           // --read-only and the like
    {1317, Reconnect, R::Failed},          // query interrupted
    {1524, Configuration, R::AuthFailed},  // authentication plugin not loaded
    {1836, ReadOnly, R::Failed},           // read-only mode
    {1927, Reconnect, R::Reset},           // connection was killed
    {2002, Reconnect, R::Refused},         // no socket
    {2003, Reconnect, R::Refused},         // connect failed
    {2006, Reconnect, R::Reset},           // gone
    {2013, Reconnect, R::Reset},           // lost
    {2026, Configuration, R::TlsFailed},   // TLS
    {2059, Configuration, R::AuthFailed},  // client plugin missing
    {2061, Configuration, R::AuthFailed},  // client plugin failed, as without TLS
    {3032, Terminating, R::Offline},       // offline_mode
    {3092, Configuration, R::Failed},      // group replication misconfigured
    {3100, Retry, R::Failed},              // a hook refused the commit
    {3118, Configuration, R::AuthFailed},  // account is locked
    {3159, Configuration, R::TlsFailed},   // require_secure_transport
    {3169, Ignore, R::Failed},             // killed session id is out of range
    {3707, Restarting, R::Failed},         // RESTART without a supervisor: CLONE is done
    {3862, Clone, R::Failed},              // clone: donor error
    {3870, Configuration, R::Failed},      // clone: plugins differ
    {4031, Reconnect, R::Reset},           // disconnected for inactivity
    {5010, Configuration, R::AuthFailed},  // asked for a method that is not used: often no account
};

// What follows these may be a part of a statement, and that may hold a password.
constexpr std::string_view kStatementFollows[] = {" near '", "query: '", "identified", "password="};

const Row* find(unsigned number) {
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.number == number; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

std::string_view to_string(Reachability reachability) {
  switch (reachability) {
    case Reachability::Unknown:
      return "unknown";
    case Reachability::Ok:
      return "ok";
    case Reachability::Refused:
      return "refused";
    case Reachability::Reset:
      return "reset";
    case Reachability::Timeout:
      return "timeout";
    case Reachability::Unreachable:
      return "unreachable";
    case Reachability::AuthFailed:
      return "auth-failed";
    case Reachability::TlsFailed:
      return "tls-failed";
    case Reachability::Overloaded:
      return "overloaded";
    case Reachability::ShuttingDown:
      return "shutting-down";
    case Reachability::Offline:
      return "offline";
    case Reachability::Unsupported:
      return "unsupported";
    case Reachability::Failed:
      return "failed";
  }
  return "unknown";
}

bool is_alive(Reachability reachability) {
  switch (reachability) {
    case Reachability::Ok:
    case Reachability::AuthFailed:
    case Reachability::TlsFailed:
    case Reachability::Overloaded:
    case Reachability::ShuttingDown:
    case Reachability::Offline:
    case Reachability::Unsupported:
    case Reachability::Failed:
      return true;
    case Reachability::Unknown:
    case Reachability::Refused:
    case Reachability::Reset:
    case Reachability::Timeout:
    case Reachability::Unreachable:
      return false;
  }
  return false;
}

Reaction reaction_of(unsigned number) {
  const auto* row = find(number);
  return row ? row->reaction : Reaction::Fail;
}

Code code_of(Reaction reaction) {
  switch (reaction) {
    case Reconnect:
    case Retry:
    case AdminPort:
    case Terminating:
    case Restarting:
    case Detect:
      return Code::Retry;
    case Ignore:
      return Code::NotFound;
    case Reauthorize:
    case Configuration:
      return Code::Denied;
    case ReadOnly:
      return Code::Conflict;
    case Clone:
    case Drift:
    case Fail:
      return Code::Invalid;
  }
  return Code::Invalid;
}

Reachability reachability_of(unsigned number) {
  const auto* row = find(number);
  return row ? row->reachability : Reachability::Failed;
}

Error to_error(const ServerError& failure) {
  const auto code =
      failure.reachability == Reachability::Timeout
          ? Code::Timeout
          : code_of(failure.number == 0 ? Reaction::Reconnect : reaction_of(failure.number));
  if (failure.number == 0) return error(code, failure.message);
  return error(code, fmt::format("MySQL error {}: {}", failure.number, failure.message));
}

std::string sanitize(std::string_view message) {
  auto end = std::min(message.size(), kMaxErrorText);
  for (const auto mark : kStatementFollows) {
    const auto found = boost::algorithm::ifind_first(message, mark);
    if (found) end = std::min(end, static_cast<std::size_t>(found.begin() - message.begin()));
  }
  auto out = as_printable(message.substr(0, end_of_character(message, end)));
  if (end < message.size()) out += " [cut]";
  return out;
}

}  // namespace troupe::mysql
