#include "actors/host/operator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "actors/host/operator_core.hpp"
#include "actors/host/operator_metrics.hpp"
#include "actors/model/names.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "engines/agent/gateway.hpp"
#include "engines/mysql/gateway.hpp"
#include "k8s/client/http.hpp"
#include "k8s/client/token_reviewer.hpp"
#include "k8s/client/watch_health.hpp"
#include "runtime/clock.hpp"
#include "runtime/console/api.hpp"
#include "runtime/console/page.hpp"
#include "runtime/http_probes.hpp"
#include "runtime/http_server.hpp"
#include "runtime/http_verdicts.hpp"
#include "runtime/logging.hpp"
#include "runtime/metrics.hpp"

namespace troupe::actors {
namespace {

constexpr auto kLeaseName = "troupe-operator";
constexpr auto kStopPatience = std::chrono::seconds(10);
// Between looks whether the operator's own certificate is due: its last third is a month.
constexpr auto kIdentityLook = std::chrono::minutes(10);

// CPUs that the cgroup lets this process use; CAF itself only counts those of the machine.
unsigned available_cpus() {
  const unsigned all = std::max(1U, std::thread::hardware_concurrency());
  double quota = 0, period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period && period > 0)
    return std::clamp(static_cast<unsigned>(quota / period + 0.999), 1U, all);
  return all;
}

struct CafConfig : caf::actor_system_config {
  explicit CafConfig(unsigned threads) {
    // Fan-out from few threads to many actors is what "sharing" is good at, and it sleeps when
    // there is nothing to do. A bound on the messages a turn keeps one actor from holding a thread.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", static_cast<std::size_t>(threads ? threads : available_cpus()));
    set("scheduler.max-throughput", std::size_t{100});
  }
};

// An Asio context with a thread of its own.
class IoThread {
 public:
  IoThread() : guard_(boost::asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}
  ~IoThread() { stop(); }
  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }
  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

std::string identity() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return fmt::format("{}_{:08x}", host, std::random_device{}());
}

CoreOptions core_options(const OperatorOptions& options) {
  CoreOptions core{.kinds = options.kinds,
                   .namespaces = options.namespaces,
                   .settings = options.settings,
                   .lease = {},
                   .identity = identity(),
                   .seed = std::random_device{}(),
                   .fault_point = options.fault_point,
                   .fault = [](FaultPoint::What what, const Effect& effect) {
                     const bool dies = what == FaultPoint::What::Die;
                     fmt::print(stderr, "{} at \"{}\"\n", dies ? "dies" : "pauses", effect.key);
                     ::kill(::getpid(), dies ? SIGKILL : SIGSTOP);
                   }};
  if (options.leader_elect)
    core.lease = k8s::LeaseOptions{
        .ns = options.settings.operator_namespace, .name = kLeaseName, .identity = core.identity};
  return core;
}

}  // namespace

struct Operator::Impl {
  explicit Impl(OperatorOptions o)
      : options(std::move(o)),
        caf_config(options.threads),
        system(caf_config),
        timers(timer_thread.io(), clock, [this](ActorId id) { core.fire(id); }),
        core({system, clock, timers, history}, core_options(options)),
        kube(clock) {}

  Result<void> connect();
  void connect_gateways();
  void use_authority();
  void renew_identity();
  void watch_agent(const agent::Endpoint& e);
  void watch_server(const ServerTarget& t);
  void unwatch_agent(const std::string& id);
  void unwatch_server(const mysql::EndpointId& id);
  void publish_endpoints();                  // under endpoints_mutex
  void publish(const ServerTarget& target);  // likewise
  void open();
  void measure();
  void serve();
  void add_checks();
  void review(http::Credentials credentials, std::function<void(http::Decision)> done);
  void stop();

  // In the order in which each needs the ones before it.
  OperatorOptions options;
  SystemClock clock;
  History history;
  CafConfig caf_config;
  caf::actor_system system;
  IoThread timer_thread;
  TimerThread timers;
  OperatorCore core;
  Metrics metrics;
  HealthChecks alive, ready;
  http::Verdicts verdicts{
      [this](auto credentials, auto done) { review(std::move(credentials), std::move(done)); },
      clock};
  std::unique_ptr<http::Server> http;
  IoThread sql_thread;
  boost::asio::steady_timer identity_timer{sql_thread.io()};
  std::unique_ptr<mysql::Gateway> servers;
  std::unique_ptr<agent::Gateway> agents;
  std::mutex endpoints_mutex;
  std::map<std::string, agent::Endpoint> endpoints;
  std::map<std::string, ServerTarget> targets;
  std::shared_ptr<const mysql::TrustAnchors> anchors;  // of the authority; null: none yet
  k8s::LoopThread kube;
  std::unique_ptr<k8s::HttpTransport> transport;
  std::unique_ptr<k8s::TokenReviewer> reviewer;  // on the loop
  bool stopped = false;
};

Result<void> Operator::Impl::connect() {
  Result<void> outcome;
  kube.run([&] {
    auto made = k8s::HttpTransport::make(kube.loop(), options.cluster);
    if (!made) {
      outcome = made.error();
      return;
    }
    transport = std::move(*made);
    reviewer = std::make_unique<k8s::TokenReviewer>(*transport);
    core.connect(kube.loop(), *transport);
  });
  return outcome;
}

void Operator::Impl::connect_gateways() {
  servers = std::make_unique<mysql::Gateway>(
      sql_thread.io().get_executor(), clock, mysql::GatewayOptions{},
      [this](std::shared_ptr<const mysql::ProbeOutcome> seen) {
        core.observations().put(std::move(seen));
      });
  // Its identity comes with the authority; nobody is connected to before.
  agents = std::make_unique<agent::Gateway>(
      clock, agent::TlsIdentity{},
      [this](const std::string& id, agent::Gateway::Observation seen) {
        core.observations().put(id, std::move(seen));
      },
      [this] { return core.leads(); });
  boost::asio::post(sql_thread.io(), [this] { renew_identity(); });
}

// New connections show and trust what is held now; those that are open stay.
void Operator::Impl::use_authority() {
  const auto identity = core.authority().identity();
  if (!identity) return log::error("no identity", {{"reason", identity.error().message}});
  auto trusted = mysql::TrustAnchors::from_pem(identity->authorities);
  if (!trusted) return log::error("no trust anchors", {{"reason", trusted.error().message}});
  agents->set_identity(*identity);
  const std::scoped_lock lock(endpoints_mutex);
  anchors = std::move(*trusted);
  publish_endpoints();
  for (const auto& [id, target] : targets) publish(target);
}

void Operator::Impl::renew_identity() {
  if (core.authority().identity_is_due()) use_authority();
  identity_timer.expires_after(kIdentityLook);
  identity_timer.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) renew_identity();
  });
}

void Operator::Impl::watch_agent(const agent::Endpoint& e) {
  const std::scoped_lock lock(endpoints_mutex);
  endpoints[e.id] = e;
  publish_endpoints();
}

void Operator::Impl::unwatch_agent(const std::string& id) {
  const std::scoped_lock lock(endpoints_mutex);
  endpoints.erase(id);
  publish_endpoints();
}

void Operator::Impl::publish_endpoints() {
  if (!anchors) return;
  std::vector<agent::Endpoint> all;
  for (const auto& [id, e] : endpoints) all.push_back(e);
  agents->set_endpoints(std::move(all));
}

void Operator::Impl::watch_server(const ServerTarget& t) {
  const std::scoped_lock lock(endpoints_mutex);
  targets[t.id.value] = t;
  publish(t);
}

void Operator::Impl::unwatch_server(const mysql::EndpointId& id) {
  const std::scoped_lock lock(endpoints_mutex);
  targets.erase(id.value);
  servers->unwatch(id);
}

void Operator::Impl::publish(const ServerTarget& t) {
  auto trusted = anchors;
  if (!t.ca_pem.empty()) {
    auto own = mysql::TrustAnchors::from_pem(t.ca_pem);
    if (!own) return log::error("no trust anchors", {{"reason", own.error().message}});
    trusted = std::move(*own);
  }
  if (!trusted) return;
  mysql::Endpoint endpoint;
  endpoint.id = t.id;
  endpoint.login.address = t.ip;
  endpoint.login.port = t.port;
  endpoint.admin_port = t.admin_port;
  endpoint.login.user = t.user;
  endpoint.login.password = t.password;
  endpoint.login.tls = mysql::TlsTrust{.anchors = trusted, .name = t.tls_name, .fingerprint = {}};
  servers->watch(std::move(endpoint));
}

void Operator::Impl::open() {
  CoreOutside outside{
      .ask_agent = [this](
                       const std::string& endpoint, agent::Command command,
                       auto done) { agents->call(endpoint, std::move(command), std::move(done)); },
      .probe_now = [this](const mysql::EndpointId& server,
                          auto done) { servers->probe_now(server, std::move(done)); },
      .watchers = {.watch_agent = [this](const agent::Endpoint& e) { watch_agent(e); },
                   .unwatch_agent = [this](const std::string& id) { unwatch_agent(id); },
                   .watch_server = [this](const ServerTarget& t) { watch_server(t); },
                   .unwatch_server = [this](const mysql::EndpointId& id) { unwatch_server(id); }}};
  outside.authority_taken = [this] {
    if (core.authority().identity_is_due()) use_authority();
  };
  if (options.leader_elect)
    outside.leading = [&gauge = leader_status(metrics, kLeaseName)](bool leads) {
      gauge.Set(leads ? 1 : 0);
    };
  core.open(std::move(outside));
}

// Of the parts that are not there yet when the endpoint opens.
void Operator::Impl::measure() {
  collect_requests(metrics, *transport);
  collect_watches(metrics, core.multiplexer(), core.store(), clock);
  collect_writes(metrics, core.api());
  collect_events(metrics, core.events());
  collect_agents(metrics, *agents);
  collect_servers(metrics, *servers);
  collect_effects(metrics, core.effects());
  collect_kinds(metrics, core.counters());
}

// Being alive asks for nothing outside this process: a restart would mend none of that. Nor does
// being ready ask for leadership: a standby takes over at once.
void Operator::Impl::add_checks() {
  alive.add("ping", [] { return std::string(); });
  ready.add("caches",
            [this] { return core.synced() ? std::string() : k8s::not_listed(core.watches()); });
  ready.add("watch-streams",
            [this] { return k8s::cut_off(core.watches(), clock.now(), options.watch_patience); });
  ready.add("authority", [this] {
    return core.authority().holds()
               ? std::string()
               : fmt::format("there is no Secret {}/{} yet", options.settings.operator_namespace,
                             kAuthoritySecret);
  });
}

void Operator::Impl::serve() {
  add_checks();
  collect_actors(metrics, core.actors(), history);
  collect_timers(metrics, timers);
  collect_server(metrics, *http);
  collect_verdicts(metrics, verdicts);
  collect_observations(metrics, core.observations());
  collect_journals(metrics, core.journals());
  metrics.collect([dropped = options.dropped_log_lines](Samples& out) {
    out.counter("troupe_log_lines_dropped_total", "Lines that the log could not take in time",
                static_cast<double>(dropped()));
  });
  collect_process(metrics);
  set_build_info(metrics, options.version);
  add_probes(http->router(), alive, ready, metrics);
  console::add_api(http->router(), {.actors = core.actors(),
                                    .history = history,
                                    .clock = clock,
                                    .schedule = http->schedule(),
                                    .version = options.version,
                                    .leader = [this]() -> std::optional<bool> {
                                      if (!options.leader_elect) return std::nullopt;
                                      return core.is_leader();
                                    }});
  console::add_page(http->router());
}

void Operator::Impl::review(http::Credentials credentials,
                            std::function<void(http::Decision)> done) {
  kube.loop().post([this, credentials = std::move(credentials), done = std::move(done)] {
    if (reviewer) return reviewer->review(credentials, done);
    done({http::Decision::Verdict::Unavailable, "The operator is starting, or stopping"});
  });
}

void Operator::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  const auto released = std::make_shared<std::promise<void>>();
  kube.run([&] { core.release([released] { released->set_value(); }); });
  released->get_future().wait_for(kStopPatience);
  kube.run([this] { core.hold(); });
  timers.stop();
  for (const auto& a : core.actors().list()) core.actors().stop(a.id);
  system.await_all_actors_done();
  http.reset();  // scrapes look at all that goes next
  kube.run([this] {
    reviewer.reset();
    core.disconnect();
    transport.reset();
  });
  kube.stop();
  sql_thread.stop();
  agents.reset();
  servers.reset();
  timer_thread.stop();
}

Operator::Operator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Operator::~Operator() { impl_->stop(); }

Result<std::unique_ptr<Operator>> Operator::start(OperatorOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  impl->http = std::make_unique<http::Server>(http::ServerOptions{
      .listen = impl->options.listen,
      .authorizer = [&verdicts = impl->verdicts](http::Credentials credentials, auto done) {
        verdicts.decide(std::move(credentials), std::move(done));
      }});
  impl->serve();
  if (auto listening = impl->http->start(); !listening) return listening.error();
  if (auto connected = impl->connect(); !connected) return connected.error();
  impl->connect_gateways();
  impl->open();
  impl->measure();
  impl->kube.run([&core = impl->core] { core.begin(); });
  return std::unique_ptr<Operator>(new Operator(std::move(impl)));
}

std::string Operator::url() const {
  const auto colon = impl_->options.listen.rfind(':');
  auto host = impl_->options.listen.substr(0, colon);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  return fmt::format("http://{}:{}", host, impl_->http->port());
}

void Operator::stop() { impl_->stop(); }

}  // namespace troupe::actors
