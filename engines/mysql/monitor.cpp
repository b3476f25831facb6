#include "engines/mysql/monitor.hpp"

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <utility>

namespace troupe::mysql::internal {
namespace {

constexpr unsigned kNoSuchTable = 1146;

bool is_name(const std::string& address) {
  if (address.starts_with('/')) return false;
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(address, not_an_address);
  return static_cast<bool>(not_an_address);
}

// The server speaks otherwise than its greeting let expect: another version, a plugin that went.
bool is_wrong_shape(unsigned number) {
  return number == kNoSuchTable || reaction_of(number) == Reaction::Detect;
}

}  // namespace

namespace {

using SteadyClock = std::chrono::steady_clock;

// One connect under way.
struct Attempt {
  SharedSurroundings around;
  std::weak_ptr<Connection> connection;  // gone: nobody waits any more
  Login login;
  std::uint16_t admin_port;
  SteadyClock::time_point deadline;
  Connection::OnConnected done;
  std::optional<ServerError> refused{};  // what clients are told, while administrators are let in
};

void connect_now(Attempt attempt) {
  const auto connection = attempt.connection.lock();
  if (!connection) return;
  attempt.around->counters.connects.fetch_add(1);
  const auto login = attempt.login;
  const auto left = attempt.deadline - SteadyClock::now();
  connection->connect(login, left, [attempt = std::move(attempt)](Outcome<void> connected) mutable {
    // A server that is full answers, whatever becomes of the other port.
    if (!connected && attempt.refused) return attempt.done(*attempt.refused);
    const bool full = !connected && connected.error().reachability == Reachability::Overloaded;
    if (!full || attempt.admin_port == 0) return attempt.done(std::move(connected));
    attempt.refused = connected.error();
    attempt.login.port = std::exchange(attempt.admin_port, 0);
    connect_now(std::move(attempt));
  });
}

}  // namespace

void connect_endpoint(const SharedSurroundings& around,
                      const std::shared_ptr<Connection>& connection, const Endpoint& endpoint,
                      Duration timeout, Connection::OnConnected done) {
  Attempt attempt{
      around,         connection, endpoint.login, endpoint.admin_port, SteadyClock::now() + timeout,
      std::move(done)};
  if (!is_name(attempt.login.address)) return connect_now(std::move(attempt));
  around->resolver.resolve(
      attempt.login.address, around->executor, [attempt](Result<std::string> address) mutable {
        if (attempt.connection.expired()) return;
        if (!address) {
          return attempt.done(ServerError{0, Reachability::Unreachable, address.error().message});
        }
        auto& tls = attempt.login.tls;
        if (tls && tls->name.empty() && tls->fingerprint.empty()) tls->name = attempt.login.address;
        attempt.login.address = *address;
        connect_now(std::move(attempt));
      });
}

Monitor::Monitor(SharedSurroundings around, Endpoint endpoint)
    : around_(std::move(around)),
      endpoint_(std::move(endpoint)),
      connection_(std::make_shared<Connection>(around_->executor)),
      slot_(around_->executor) {
  outcome_.endpoint = endpoint_.id;
  outcome_.since = around_->clock.now();
  around_->counters.members.fetch_add(1);
}

Monitor::~Monitor() {
  around_->counters.members.fetch_sub(1);
  if (counted_open_) around_->counters.connected.fetch_sub(1);
  for (const auto* waiting : {&answering_, &asked_})
    for (const auto& done : *waiting) done();
}

void Monitor::begin(Begin when) { when == Begin::Now ? start_probe() : wait_for_slot(); }

void Monitor::probe_now(Gateway::OnProbed done) {
  if (done) asked_.push_back(std::move(done));
  if (probing_) {
    again_ = true;
  } else {
    start_probe();
  }
}

void Monitor::change(Endpoint endpoint) {
  auto before = std::exchange(endpoint_, std::move(endpoint));
  // Who is trusted matters to the next connection; this one was believed when it was made.
  if (before.login.tls && endpoint_.login.tls) {
    before.login.tls->anchors = endpoint_.login.tls->anchors;
    if (before == endpoint_ && connection_->is_open()) return;
  }
  connection_ = std::make_shared<Connection>(around_->executor);
  shape_.reset();
  probing_ = again_ = false;
  start_probe();
}

// Each endpoint has an instant within the period that follows from its id, so that the probes of
// many spread evenly and stay spread.
Monitor::SteadyTime Monitor::next_slot() const {
  const auto period = around_->options.probe_period;
  const auto phase = Duration(static_cast<Duration::rep>(
      std::hash<std::string>{}(endpoint_.id.value) % static_cast<std::size_t>(period.count())));
  const auto now = std::chrono::steady_clock::now();
  const Duration since_slot = (now.time_since_epoch() - phase) % period;
  return now + (period - since_slot);
}

void Monitor::wait_for_slot() {
  slot_.expires_at(next_slot());
  slot_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self && !self->probing_) self->start_probe();
  });
}

void Monitor::start_probe() {
  slot_.cancel();
  probing_ = true;
  std::move(asked_.begin(), asked_.end(), std::back_inserter(answering_));
  asked_.clear();
  began_ = around_->clock.now();
  deadline_ = std::chrono::steady_clock::now() + around_->options.probe_deadline;
  established_ = connection_->is_open();
  if (!established_) return connect();
  shape_ ? ask() : greet();
}

Duration Monitor::remaining() const { return deadline_ - std::chrono::steady_clock::now(); }

void Monitor::connect() {
  shape_.reset();
  connect_endpoint(around_, connection_, endpoint_, remaining(),
                   [weak = weak_from_this()](Outcome<void> connected) {
                     const auto self = weak.lock();
                     if (!self) return;
                     connected ? self->greet() : self->lose(connected.error());
                   });
}

void Monitor::greet() {
  if (!std::exchange(counted_open_, true)) around_->counters.connected.fetch_add(1);
  connection_->on_hangup([weak = weak_from_this()](const ServerError& failure) {
    if (const auto self = weak.lock()) self->take_hangup(failure);
  });
  connection_->execute({hello_statement()}, remaining(), [weak = weak_from_this()](auto answers) {
    const auto self = weak.lock();
    if (!self) return;
    answers ? self->take_greeting(answers->front()) : self->lose(answers.error());
  });
}

void Monitor::take_greeting(const ResultSet& answer) {
  const auto hello = decode_hello(answer);
  if (!hello) return lose({0, Reachability::Unsupported, hello.error().message});
  if (hello->detection.id == DialectId::Unsupported) {
    return lose({0, Reachability::Unsupported, hello->detection.reason});
  }
  shape_ = hello->shape;
  ask();
}

void Monitor::ask() {
  asked_at_ = around_->clock.now();
  auto statements = probe_statements(*shape_);
  connection_->execute(
      {std::make_move_iterator(statements.begin()), std::make_move_iterator(statements.end())},
      remaining(), [weak = weak_from_this()](auto answers) {
        const auto self = weak.lock();
        if (!self) return;
        answers ? self->take_answers(*answers) : self->lose(answers.error());
      });
}

void Monitor::take_answers(const std::vector<ResultSet>& answers) {
  auto decoded = decode_probe(endpoint_.id, *shape_, answers);
  if (!decoded) return lose({0, Reachability::Unsupported, decoded.error().message});
  shape_ = decoded->shape;
  around_->counters.probes_ok.fetch_add(1);
  outcome_.seen = around_->clock.now();
  decoded->observation.seen = asked_at_;
  decoded->observation.took = outcome_.seen - asked_at_;
  remember(outcome_.observation.get(), decoded->observation);
  outcome_.observation = std::make_shared<const MemberObservation>(std::move(decoded->observation));
  publish(Reachability::Ok, 0, {});
  finish();
}

void Monitor::lose(const ServerError& failure) {
  around_->counters.probes_failed.fetch_add(1);
  if (failure.reachability == Reachability::Timeout)
    around_->counters.probes_timed_out.fetch_add(1);
  if (is_wrong_shape(failure.number)) shape_.reset();
  // Global privileges that were granted since count from the next login on.
  if (reaction_of(failure.number) == Reaction::Reauthorize) connection_->close();
  if (!connection_->is_open() && std::exchange(counted_open_, false)) {
    around_->counters.connected.fetch_sub(1);
  }
  publish(failure.reachability, failure.number, failure.message);
  // An old connection broke: whether somebody still listens is worth knowing at once.
  if (established_ && failure.reachability == Reachability::Reset) again_ = true;
  finish();
}

void Monitor::take_hangup(const ServerError& failure) {
  around_->counters.hangups.fetch_add(1);
  if (std::exchange(counted_open_, false)) around_->counters.connected.fetch_sub(1);
  publish(failure.reachability, failure.number, failure.message);
  // Once a period: something that accepts and hangs up again must not keep us busy.
  const auto now = std::chrono::steady_clock::now();
  const auto previous = std::exchange(last_hangup_, now);
  if (!previous || now - *previous >= around_->options.probe_period) probe_now();
}

void Monitor::finish() {
  probing_ = false;
  const auto answered = std::exchange(answering_, {});
  std::exchange(again_, false) ? start_probe() : wait_for_slot();
  for (const auto& done : answered) done();
}

void Monitor::publish(Reachability reachability, unsigned number, std::string message) {
  outcome_.found(reachability, began_, around_->clock.now());
  outcome_.error_number = number;
  outcome_.message = std::move(message);
  around_->sink(std::make_shared<const ProbeOutcome>(outcome_));
}

}  // namespace troupe::mysql::internal
