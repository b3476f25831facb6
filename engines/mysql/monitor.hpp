// One watched server of a gateway: its connection, its probes, its newest outcome.
//
// Internal to the gateway and, like its Connection, confined to the gateway's executor.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engines/mysql/connection.hpp"
#include "engines/mysql/gateway.hpp"
#include "engines/mysql/model/observation.hpp"
#include "engines/mysql/model/probe.hpp"
#include "engines/mysql/resolver.hpp"

namespace troupe::mysql::internal {

struct Counters {
  std::atomic<std::uint64_t> members{0}, connected{0}, probes_ok{0}, probes_failed{0},
      probes_timed_out{0}, hangups{0}, connects{0}, controls{0}, controls_rejected{0};
};

// What a gateway's monitors and control sessions share and keep alive.
struct Surroundings {
  boost::asio::any_io_executor executor;
  const Clock& clock;
  GatewayOptions options;
  Gateway::Sink sink;
  Resolver resolver;
  Counters counters;
};

using SharedSurroundings = std::shared_ptr<Surroundings>;

// Connects to an endpoint: resolves its name where it has one, and comes again through the admin
// port where all ordinary connections are taken.
void connect_endpoint(const SharedSurroundings& around,
                      const std::shared_ptr<Connection>& connection, const Endpoint& endpoint,
                      Duration timeout, Connection::OnConnected done);

class Monitor : public std::enable_shared_from_this<Monitor> {
 public:
  Monitor(SharedSurroundings around, Endpoint endpoint);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Begins with a probe at once, or in the endpoint's slot.
  enum class Begin { Now, InSlot };
  void begin(Begin when);
  // `done`, if any, is called once: after a probe that began from now on, or when the watch ends.
  void probe_now(Gateway::OnProbed done = {});
  // Another login: connects anew.
  void change(Endpoint endpoint);

  const Endpoint& endpoint() const { return endpoint_; }
  std::uint64_t session_id() const { return connection_->session_id(); }

  int controls_under_way = 0;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void wait_for_slot();
  SteadyTime next_slot() const;
  void start_probe();
  Duration remaining() const;
  void connect();
  void greet();
  void take_greeting(const ResultSet& answer);
  void ask();
  void take_answers(const std::vector<ResultSet>& answers);
  void lose(const ServerError& failure);
  void take_hangup(const ServerError& failure);
  void finish();
  void publish(Reachability reachability, unsigned number, std::string message);

  SharedSurroundings around_;
  Endpoint endpoint_;
  std::shared_ptr<Connection> connection_;
  boost::asio::steady_timer slot_;
  SteadyTime deadline_;
  TimePoint began_;     // of the probe under way, or of the last one
  TimePoint asked_at_;  // when the statements of the probe under way were sent
  std::optional<SteadyTime> last_hangup_;
  std::optional<ProbeShape> shape_;
  bool probing_ = false;
  bool again_ = false;        // somebody asked for a probe while one was under way
  bool established_ = false;  // the connection was there before this probe
  bool counted_open_ = false;
  std::vector<Gateway::OnProbed> asked_;      // for a probe that has yet to begin
  std::vector<Gateway::OnProbed> answering_;  // for the one under way
  ProbeOutcome outcome_;
};

}  // namespace troupe::mysql::internal
