// The agent's own sessions on the database beside it, over the local socket: blocking calls for the
// steps, and a sentinel session that sees the server come and go.
//
// A statement that was given up (deadline, cancellation) may still be executing in the server: a
// SET GLOBAL that waits for a lock would open the member long after the decision was withdrawn. So
// every session's id is remembered until its statement is known to have ended, and `settle` kills
// what is left before the next command begins; sessions of an earlier agent process count as well.
//
// Thread-safe; each call blocks its own thread. Sessions run on the given context's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/agent/server/work.hpp"
#include "engines/mysql/model/error_number.hpp"
#include "engines/mysql/model/result_set.hpp"
#include "engines/mysql/model/statement.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::agent {

struct LocalLogin {
  std::string socket_path;
  std::string user;
  Secret password;
};

class LocalMysql {
 public:
  using Answers = std::vector<mysql::ResultSet>;
  // True when the server answers, false when its session ended.
  using OnServing = std::function<void(bool)>;

  LocalMysql(boost::asio::io_context& context, LocalLogin login);
  ~LocalMysql();

  // The sentinel connects as soon as it can, while `watch(true)` is in force.
  void on_serving(OnServing callback);
  void watch(bool process_exists);
  bool serving() const;

  // Runs the statements in order on a session of the pool. `limit` bounds them within the work.
  using Outcome = boost::system::result<Answers, mysql::ServerError>;
  Outcome execute(std::vector<mysql::Statement> statements, Work& work,
                  std::chrono::milliseconds limit);
  // For one statement whose failure needs no number.
  Result<mysql::ResultSet> query(mysql::Statement statement, Work& work,
                                 std::chrono::milliseconds limit = std::chrono::seconds(10));

  // Ends every statement of ours that may still be running; see above.
  Result<void> settle(Work& work);
  // The process has ended, and every statement with it.
  void process_ended();

  // Tries another account's password (over the local socket). True: it is right. Where clients have
  // all connections nobody can say, and it counts as wrong.
  Result<bool> password_works(const std::string& user, const Secret& password, Work& work);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::agent
