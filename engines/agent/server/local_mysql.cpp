#include "engines/agent/server/local_mysql.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <mutex>
#include <set>

#include "engines/mysql/connection.hpp"

namespace troupe::agent {
namespace {

namespace asio = boost::asio;
using mysql::Connection;
using mysql::ServerError;
using mysql::Statement;
using mysql::StatementBuilder;
using std::chrono::milliseconds;

constexpr milliseconds kConnectLimit{5000};
constexpr milliseconds kKnockInterval{15};  // of the sentinel while the server comes up
constexpr milliseconds kSettleInterval{10};
constexpr std::size_t kMaxIdleSessions = 4;

struct Session {
  std::shared_ptr<Connection> connection;
  std::uint64_t id = 0;
};

ServerError lost(std::string message) {
  return {.number = 0, .reachability = mysql::Reachability::Reset, .message = std::move(message)};
}

}  // namespace

class LocalMysql::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, LocalLogin login)
      : context_(context), timer_(context), login_(std::move(login)) {}

  // --- the sentinel; all of it on the context's thread

  void on_serving(OnServing callback) { on_serving_ = std::move(callback); }

  void watch(bool process_exists) {
    asio::post(context_, [self = shared_from_this(), process_exists] {
      if (self->watched_ == process_exists) return;
      self->watched_ = process_exists;
      if (process_exists) {
        self->knock();
      } else {
        self->timer_.cancel();
        self->sentinel_.reset();
        self->set_serving(false);
      }
    });
  }

  void knock() {
    sentinel_ = std::make_shared<Connection>(context_.get_executor());
    sentinel_->on_hangup([weak = weak_from_this()](const ServerError&) {
      if (auto self = weak.lock()) self->sentinel_lost();
    });
    sentinel_->connect(login(), kConnectLimit,
                       [weak = weak_from_this()](mysql::Outcome<void> done) {
                         auto self = weak.lock();
                         if (!self || !self->watched_) return;
                         if (done) return self->served();
                         self->knock_later();
                       });
  }

  // All sessions of this agent come after its first sentinel's.
  void served() {
    if (first_session_ == 0) first_session_ = sentinel_->session_id();
    set_serving(true);
  }

  void knock_later() {
    timer_.expires_after(kKnockInterval);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& failure) {
      auto self = weak.lock();
      if (self && !failure && self->watched_) self->knock();
    });
  }

  void sentinel_lost() {
    set_serving(false);
    if (watched_) knock_later();
  }

  void set_serving(bool serving) {
    if (serving_.exchange(serving) != serving && on_serving_) on_serving_(serving);
  }

  bool serving() const { return serving_; }

  // --- sessions for the steps

  Outcome execute(std::vector<Statement> statements, Work& work, milliseconds limit) {
    auto session = take(work, limit);
    if (!session) return session.error();
    auto answers = run(*session, std::move(statements), work, limit);
    if (answers) {
      give_back(*session);
    } else {
      // Of a broken session nobody knows what became; the statements before one that failed may
      // have changed the others.
      if (is_broken(answers.error())) unsettled(session->id);
      discard(*session);
    }
    return answers;
  }

  Result<bool> password_works(const std::string& user, const Secret& password, Work& work) {
    auto other = login();
    other.user = user;
    other.password = password;
    const auto session = connect(other, work, kConnectLimit);
    if (session) {
      discard(*session);
      return true;
    }
    // Locked until it is given a password of its own: root, from the initialisation on.
    if (session.error().number == mysql::error_number::kAccountLocked) return false;
    switch (session.error().reachability) {
      case mysql::Reachability::AuthFailed:
      case mysql::Reachability::Overloaded:  // clients have all connections: nobody was asked
        return false;
      case mysql::Reachability::Offline:  // asked only after the password was found right
        return true;
      default:
        return to_error(session.error());
    }
  }

  Result<void> settle(Work& work) {
    if (!settled_predecessors_) {
      auto found = predecessors(work);
      if (!found) return found.error();
      const std::lock_guard lock(mutex_);
      unsettled_.insert(found->begin(), found->end());
      settled_predecessors_ = true;
    }
    while (true) {
      std::set<std::uint64_t> left;
      {
        const std::lock_guard lock(mutex_);
        left = unsettled_;
      }
      if (left.empty()) return {};
      for (const auto id : left) {
        if (auto ended = end_session(id, work); !ended) return ended;
      }
      if (auto go_on = work.pause(kSettleInterval); !go_on) {
        return error(go_on.error().code,
                     fmt::format("{}; {} statements of an interrupted command still run",
                                 go_on.error().message, left.size()));
      }
    }
  }

  void process_ended() {
    {
      const std::lock_guard lock(mutex_);
      unsettled_.clear();
      settled_predecessors_ = true;
    }
    drop_idle();
  }

 private:
  mysql::Login login() const {
    return {.address = login_.socket_path, .user = login_.user, .password = login_.password};
  }

  static bool is_broken(const ServerError& failure) {
    using enum mysql::Reachability;
    return failure.reachability == Reset || failure.reachability == Timeout ||
           failure.reachability == Refused;
  }

  std::optional<Session> take_idle() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::nullopt;
    auto session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  boost::system::result<Session, ServerError> take(Work& work, milliseconds limit) {
    while (auto session = take_idle()) {
      std::promise<bool> open;
      asio::post(context_, [&] { open.set_value(session->connection->is_open()); });
      if (open.get_future().get()) return *std::move(session);
      discard(*session);
    }
    return connect(login(), work, std::min(limit, kConnectLimit));
  }

  boost::system::result<Session, ServerError> connect(const mysql::Login& login, Work& work,
                                                      milliseconds limit) {
    Session session{std::make_shared<Connection>(context_.get_executor())};
    std::promise<mysql::Outcome<void>> promise;
    asio::post(context_, [&] {
      session.connection->connect(login, work.within(limit), [&](mysql::Outcome<void> outcome) {
        session.id = session.connection->session_id();
        promise.set_value(std::move(outcome));
      });
    });
    if (auto connected = promise.get_future().get(); !connected) {
      discard(session);
      return connected.error();
    }
    return session;
  }

  Outcome run(const Session& session, std::vector<Statement> statements, Work& work,
              milliseconds limit) {
    auto connection = session.connection;
    work.on_cancel(
        [this, connection] { asio::post(context_, [connection] { connection->close(); }); });
    std::promise<Outcome> promise;
    asio::post(context_, [&] {
      if (!connection->is_open()) return promise.set_value(lost("the session has ended"));
      connection->execute(std::move(statements), work.within(limit),
                          [&](Outcome answers) { promise.set_value(std::move(answers)); });
    });
    auto answers = promise.get_future().get();
    work.on_cancel(nullptr);
    return answers;
  }

  void unsettled(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    unsettled_.insert(id);
  }

  void settled(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    unsettled_.erase(id);
  }

  void give_back(Session& session) {
    {
      const std::lock_guard lock(mutex_);
      if (idle_.size() < kMaxIdleSessions) return idle_.push_back(std::move(session));
    }
    discard(session);
  }

  // A connection is used, and so destroyed, on the context's thread.
  void discard(const Session& session) {
    asio::post(context_, [connection = session.connection] { connection->close(); });
  }

  void drop_idle() {
    std::vector<Session> idle;
    {
      const std::lock_guard lock(mutex_);
      idle.swap(idle_);
    }
    for (const auto& session : idle) discard(session);
  }

  Result<std::vector<std::uint64_t>> predecessors(Work& work) {
    // Whoever uses our account and came before us.
    auto answers = execute({StatementBuilder()
                                .sql("SELECT ID AS id FROM performance_schema.processlist "
                                     "WHERE USER = ")
                                .literal(login_.user)
                                .sql(" AND COMMAND = 'Query' AND ID < ")
                                .number(first_session_.load())
                                .build()},
                           work, kConnectLimit);
    if (!answers) return to_error(answers.error());
    std::vector<std::uint64_t> ids;
    const auto& rows = answers->front();
    for (std::size_t i = 0; i < rows.size(); ++i) ids.push_back(rows[i].number("id").value_or(0));
    return ids;
  }

  Result<void> end_session(std::uint64_t id, Work& work) {
    auto killed = execute({mysql::kill_connection(id)}, work, kConnectLimit);
    if (killed) return {};  // on its way; looked at again
    if (killed.error().number != mysql::error_number::kNoSuchThread)
      return to_error(killed.error());
    settled(id);
    return {};
  }

  asio::io_context& context_;
  asio::steady_timer timer_;
  const LocalLogin login_;
  OnServing on_serving_;
  bool watched_ = false;
  std::atomic<bool> serving_ = false;
  std::atomic<std::uint64_t> first_session_ = 0;  // of the server that was there first
  std::shared_ptr<Connection> sentinel_;

  std::mutex mutex_;
  std::vector<Session> idle_;
  std::set<std::uint64_t> unsettled_;  // sessions whose statement may still run
  std::atomic<bool> settled_predecessors_ = false;
};

LocalMysql::LocalMysql(asio::io_context& context, LocalLogin login)
    : impl_(std::make_shared<Impl>(context, std::move(login))) {}
LocalMysql::~LocalMysql() { impl_->watch(false); }

void LocalMysql::on_serving(OnServing callback) { impl_->on_serving(std::move(callback)); }
void LocalMysql::watch(bool process_exists) { impl_->watch(process_exists); }
bool LocalMysql::serving() const { return impl_->serving(); }

LocalMysql::Outcome LocalMysql::execute(std::vector<Statement> statements, Work& work,
                                        milliseconds limit) {
  return impl_->execute(std::move(statements), work, limit);
}

Result<mysql::ResultSet> LocalMysql::query(Statement statement, Work& work, milliseconds limit) {
  const auto redacted = statement.redacted();
  auto answers = impl_->execute({std::move(statement)}, work, limit);
  if (answers) return std::move(answers->front());
  if (auto go_on = work.check(); !go_on) return go_on.error();
  auto failure = to_error(answers.error());
  failure.message += fmt::format(" (in: {})", redacted);
  return failure;
}

Result<void> LocalMysql::settle(Work& work) { return impl_->settle(work); }
void LocalMysql::process_ended() { impl_->process_ended(); }
Result<bool> LocalMysql::password_works(const std::string& user, const Secret& password,
                                        Work& work) {
  return impl_->password_works(user, password, work);
}

}  // namespace troupe::agent
