// A non-blocking connection to one MySQL server, on MariaDB Connector/C under Boost.Asio.
//
// Debian's MySQL client library is MariaDB Connector/C: libmysqlclient's API and, beside it, calls
// that give up control whenever they would wait (*_start, *_cont). This class is the only place
// that knows it. It drives the calls from the socket's readiness, so one thread serves thousands of
// connections.
//
// Threads: a Connection belongs to one executor that runs one handler at a time (a strand, or the
// executor of a context with one thread). All calls are made there and all callbacks arrive there,
// never from within the call that takes them.
//
// Requests: one at a time, each with a deadline, each answered exactly once. After a timeout or any
// error of the connection itself the handle is closed, because the state of a statement under way
// is unknown (the server may still be executing it); there is no silent reconnect. An error of a
// statement leaves the connection usable. Destroying the connection drops the callback unanswered.
//
// Stacks: the library runs each call on a small stack of its own, and connecting runs in a fiber
// besides, because the library cannot suspend a TLS handshake by itself. Nothing is ever thrown
// across them, and a stack that is abandoned half-way is unwound by letting the call fail, so that
// it leaks nothing; with that they run under ASan as they are.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/mysql/model/error_number.hpp"
#include "engines/mysql/model/result_set.hpp"
#include "engines/mysql/model/statement.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::mysql {

template <class T>
using Outcome = boost::system::result<T, ServerError>;

[[noreturn]] inline void throw_exception_from_error(const ServerError& failure,
                                                    const boost::source_location&) {
  throw ErrorException(to_error(failure));
}

// Certificates in PEM, held where the client library can read them as a file without their ever
// being on a disk. Immutable; one is shared by all connections that trust the same authorities.
class TrustAnchors {
 public:
  static Result<std::shared_ptr<const TrustAnchors>> from_pem(std::string_view pem);
  ~TrustAnchors();
  TrustAnchors(const TrustAnchors&) = delete;
  TrustAnchors& operator=(const TrustAnchors&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TrustAnchors(int fd);
  int fd_;
  std::string path_;
};

// The peer must show a certificate that `anchors` vouch for and that is bound to it: by its name,
// by its fingerprint, or, where neither is given, by the IP address that it is reached at. All of
// it is checked before credentials are sent.
struct TlsTrust {
  std::shared_ptr<const TrustAnchors> anchors;
  std::string name;  // a DNS name, for a server that was found by it
  // SHA-1 of the certificate in hexadecimal, colons allowed: the digest that this version of the
  // library compares.
  std::string fingerprint;

  bool operator==(const TlsTrust&) const = default;  // anchors by identity
};

struct Login {
  // An IP address, or a Unix socket's path if it starts with a slash. Never a name: the library's
  // look-up would block; resolve it first (resolver.hpp).
  std::string address;
  std::uint16_t port = 3306;
  std::string user;
  Secret password;
  // Without it the address has to be a Unix socket or a loopback address, unless allow_plain.
  std::optional<TlsTrust> tls;
  bool allow_plain = false;

  bool operator==(const Login&) const = default;
};

// What one request may bring back in all its results, before it is given up with the connection.
// GTID sets of a very fragmented server take some hundred KB.
inline constexpr std::size_t kMaxAnswerBytes = 16u << 20;
inline constexpr std::size_t kMaxAnswerRows = 100'000;

class Connection {
 public:
  using OnConnected = std::function<void(Outcome<void>)>;
  using OnAnswers = std::function<void(Outcome<std::vector<ResultSet>>)>;
  using OnHangup = std::function<void(const ServerError&)>;

  explicit Connection(boost::asio::any_io_executor executor);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects, authenticates and prepares the session. Whatever was open before is closed.
  void connect(const Login& login, Duration timeout, OnConnected done);

  // Runs the statements in order within one deadline and answers with all their results, or with
  // the error of the first that failed.
  void execute(std::vector<Statement> statements, Duration timeout, OnAnswers done);

  // Called at most once for each connect(), when the server ends the session while no request is
  // under way. A dead process is seen here as soon as the kernel has closed its sockets.
  void on_hangup(OnHangup callback);

  // Says good-bye if idle, else cuts the session off; a request under way is answered with Reset.
  void close();

  bool is_open() const;
  bool is_busy() const;
  // The session's number in the server's process list; 0 when not open.
  std::uint64_t session_id() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::mysql
