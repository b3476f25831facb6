#include "engines/mysql/control.hpp"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>
#include <utility>

namespace troupe::mysql::internal {
namespace {

// A killed session takes a moment to go, and a client that reconnects at once may slip in between
// two rounds. What is still there after half a second is the caller's to judge: a commit that waits
// for acknowledgements does not go at all.
constexpr int kMaxKillRounds = 20;
constexpr auto kKillPause = std::chrono::milliseconds(25);

// One connection and what is done over it. Keeps itself alive until it has answered.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(SharedSurroundings around, Endpoint endpoint)
      : around_(std::move(around)),
        endpoint_(std::move(endpoint)),
        connection_(std::make_shared<Connection>(around_->executor)) {}
  virtual ~Session() = default;

 protected:
  using OnAnswer = std::function<void(Outcome<ResultSet>)>;

  const boost::asio::any_io_executor& executor() const { return around_->executor; }

  // Connects first where there is no connection (any more). The callbacks hold the session.
  void run(Statement statement, OnAnswer done) {
    const auto timeout = around_->options.control_deadline;
    if (connection_->is_open()) return execute(std::move(statement), std::move(done));
    connect_endpoint(around_, connection_, endpoint_, timeout,
                     [self = shared_from_this(), statement = std::move(statement),
                      done = std::move(done)](Outcome<void> connected) {
                       if (!connected) return done(connected.error());
                       self->execute(statement, done);
                     });
  }

 private:
  void execute(Statement statement, OnAnswer done) {
    connection_->execute({std::move(statement)}, around_->options.control_deadline,
                         [self = shared_from_this(), done = std::move(done)](auto answers) {
                           if (!answers) return done(answers.error());
                           done(std::move(answers->front()));
                         });
  }

  SharedSurroundings around_;
  Endpoint endpoint_;
  std::shared_ptr<Connection> connection_;
};

class Closing final : public Session {
 public:
  Closing(const SharedSurroundings& around, const Endpoint& endpoint, CloseMember what,
          Gateway::OnClosed done)
      : Session(around, endpoint), what_(what), done_(std::move(done)) {}

  // Sessions are cut off first: what they are doing may hold the lock that super_read_only wants.
  void start() {
    if (!what_.offline_mode) return close_for_writing();
    run(set_offline_mode(true), [this](Outcome<ResultSet> answer) {
      outcome_.offline_mode = note(answer);
      close_for_writing();
    });
  }

 private:
  void close_for_writing() {
    if (!what_.super_read_only) return done_(outcome_);
    run(set_super_read_only(true), [this](Outcome<ResultSet> answer) {
      outcome_.super_read_only = note(answer);
      done_(outcome_);
    });
  }

  bool note(const Outcome<ResultSet>& answer) {
    if (!answer && !outcome_.failure) outcome_.failure = answer.error();
    return answer.has_value();
  }

  CloseMember what_;
  Gateway::OnClosed done_;
  CloseOutcome outcome_;
};

class Killing final : public Session {
 public:
  Killing(const SharedSurroundings& around, const Endpoint& endpoint,
          std::vector<std::string> keep_users, std::vector<std::uint64_t> keep_sessions,
          Gateway::OnKilled done)
      : Session(around, endpoint),
        keep_users_(std::move(keep_users)),
        keep_sessions_(std::move(keep_sessions)),
        done_(std::move(done)),
        timer_(executor()) {}

  void start() {
    run(list_sessions(keep_users_, keep_sessions_), [this](Outcome<ResultSet> answer) {
      if (!answer) return done_(answer.error());
      take_list(*answer);
    });
  }

 private:
  void take_list(const ResultSet& rows) {
    victims_.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto id = rows[i].number("ID");
      if (id && !killed_.contains(*id)) victims_.push_back(*id);
    }
    outcome_.left = rows.size();
    if (rows.empty() || round_++ == kMaxKillRounds) return done_(outcome_);
    kill_next();
  }

  void kill_next() {
    if (victims_.empty()) return pause();
    const auto id = victims_.back();
    victims_.pop_back();
    run(kill_connection(id), [this, id](Outcome<ResultSet> answer) {
      const bool gone = !answer && reaction_of(answer.error().number) == Reaction::Ignore;
      if (!answer && !gone) return done_(answer.error());
      if (answer) ++outcome_.killed;
      killed_.insert(id);
      kill_next();
    });
  }

  void pause() {
    timer_.expires_after(kKillPause);
    timer_.async_wait([this, self = shared_from_this()](boost::system::error_code) { start(); });
  }

  std::vector<std::string> keep_users_;
  std::vector<std::uint64_t> keep_sessions_;
  Gateway::OnKilled done_;
  boost::asio::steady_timer timer_;
  std::vector<std::uint64_t> victims_;
  std::set<std::uint64_t> killed_;
  int round_ = 0;
  KillOutcome outcome_;
};

}  // namespace

void close_member(const SharedSurroundings& around, const Endpoint& endpoint, CloseMember what,
                  Gateway::OnClosed done) {
  std::make_shared<Closing>(around, endpoint, what, std::move(done))->start();
}

void kill_connections(const SharedSurroundings& around, const Endpoint& endpoint,
                      std::vector<std::string> keep_users, std::vector<std::uint64_t> keep_sessions,
                      Gateway::OnKilled done) {
  std::make_shared<Killing>(around, endpoint, std::move(keep_users), std::move(keep_sessions),
                            std::move(done))
      ->start();
}

}  // namespace troupe::mysql::internal
