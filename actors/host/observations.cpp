#include "actors/host/observations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "actors/model/causality.hpp"

namespace troupe::actors {
namespace {

// One endpoint: its newest observation, and who wants it.
template <class Target, class Seen>
struct Watched {
  Target target;
  std::shared_ptr<const Seen> seen;
  std::vector<ActorId> wanted_by;
};

using WatchedAgent = Watched<agent::Endpoint, agent::AgentObservation>;
using WatchedServer = Watched<ServerTarget, mysql::ProbeOutcome>;

const std::string& key_of(const agent::Endpoint& e) { return e.id; }
const std::string& key_of(const ServerTarget& t) { return t.id.value; }

bool same(const agent::Endpoint& a, const agent::Endpoint& b) { return a == b; }
bool same(const ServerTarget& a, const ServerTarget& b) {
  return a.ip == b.ip && a.port == b.port && a.admin_port == b.admin_port && a.user == b.user &&
         a.password == b.password && a.ca_pem == b.ca_pem && a.tls_name == b.tls_name;
}

struct AgentSeen {
  std::string unit;
  std::shared_ptr<const agent::AgentObservation> seen;
};
struct ServerSeen {
  std::string unit;
  std::shared_ptr<const mysql::ProbeOutcome> seen;
};

std::string describe_agent(const Cause& cause) {
  const auto& s = *static_cast<const AgentSeen*>(cause.subject.get());
  const auto& p = s.seen->process;
  std::string text = fmt::format("agent of {}: {}, process {}", s.unit,
                                 agent::to_string(s.seen->stream), agent::to_string(p.state));
  if (p.dying) text += ", dying";
  if (s.seen->death_witnessed() && p.exit_signal)
    text += fmt::format(", ended by signal {}", *p.exit_signal);
  return text;
}

// One that was stopped was stopped by somebody.
bool is_alarm(const agent::AgentObservation& seen) {
  return seen.process.paused ||
         (seen.death_witnessed() && seen.process.state != agent::ProcessState::Stopped);
}

std::string describe_server(const Cause& cause) {
  const auto& s = *static_cast<const ServerSeen*>(cause.subject.get());
  return fmt::format("server of {}: {}{}{}", s.unit, mysql::to_string(s.seen->reachability),
                     s.seen->message.empty() ? "" : ": ", s.seen->message);
}

}  // namespace

struct Observations::Impl {
  Impl(Actors& a, const Clock& c) : actors(a), clock(c) {}

  struct Calls {
    std::vector<std::function<void()>> list;
  };

  // Brings `table` to what `actor` wants; notes the calls to be made when the lock is released.
  template <class Table, class Target, class Watch, class Unwatch>
  void reconcile(Table& table, std::map<ActorId, std::vector<std::string>>& wanted, ActorId actor,
                 std::vector<Target> targets, const Watch& watch, const Unwatch& unwatch,
                 Calls& calls) {
    auto& before = wanted[actor];
    std::vector<std::string> now;
    for (auto& t : targets) {
      const auto key = key_of(t);
      now.push_back(key);
      auto& w = table[key];
      auto& by = w.wanted_by;
      const bool fresh = by.empty();
      if (std::find(by.begin(), by.end(), actor) == by.end()) by.push_back(actor);
      if (!fresh && same(w.target, t)) continue;
      w.target = std::move(t);
      if (watch) calls.list.push_back([watch, target = w.target] { watch(target); });
    }
    for (const auto& key : before) {
      if (std::find(now.begin(), now.end(), key) != now.end()) continue;
      const auto found = table.find(key);
      if (found == table.end()) continue;
      std::erase(found->second.wanted_by, actor);
      if (!found->second.wanted_by.empty()) continue;
      table.erase(found);
      if (!is_watched(key)) chains.erase(key);
      if (unwatch) calls.list.push_back([unwatch, key] { unwatch(key); });
    }
    if (now.empty())
      wanted.erase(actor);
    else
      before = std::move(now);
  }

  bool is_watched(const std::string& id) const {
    return agents.contains(id) || servers.contains(id);
  }

  Actors& actors;
  const Clock& clock;
  mutable std::mutex mutex;
  Watchers watchers;
  std::unordered_map<std::string, WatchedAgent> agents;
  std::unordered_map<std::string, WatchedServer> servers;
  std::unordered_map<std::string, EndpointChains> chains;  // of endpoints that are watched
  std::map<ActorId, std::vector<std::string>> agents_wanted;
  std::map<ActorId, std::vector<std::string>> servers_wanted;
};

Observations::Observations(Actors& actors, const Clock& clock)
    : impl_(std::make_unique<Impl>(actors, clock)) {}
Observations::~Observations() = default;

void Observations::connect(Watchers watchers) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->watchers = std::move(watchers);
}

void Observations::want(ActorId actor, std::vector<agent::Endpoint> agents,
                        std::vector<ServerTarget> servers) {
  Impl::Calls calls;
  {
    const std::scoped_lock lock(impl_->mutex);
    const auto& w = impl_->watchers;
    const std::function<void(const std::string&)> unwatch_server =
        w.unwatch_server
            ? [f = w.unwatch_server](const std::string& id) { f(mysql::EndpointId{id}); }
            : std::function<void(const std::string&)>();
    impl_->reconcile(impl_->agents, impl_->agents_wanted, actor, std::move(agents), w.watch_agent,
                     w.unwatch_agent, calls);
    impl_->reconcile(impl_->servers, impl_->servers_wanted, actor, std::move(servers),
                     w.watch_server, unwatch_server, calls);
  }
  for (const auto& call : calls.list) call();
}

std::shared_ptr<const agent::AgentObservation> Observations::agent_seen(
    const std::string& id) const {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->agents.find(id);
  return found == impl_->agents.end() ? nullptr : found->second.seen;
}

std::shared_ptr<const mysql::ProbeOutcome> Observations::server_seen(
    const mysql::EndpointId& id) const {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->servers.find(id.value);
  return found == impl_->servers.end() ? nullptr : found->second.seen;
}

void Observations::begin(const std::string& id, CausalId chain) {
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->is_watched(id)) impl_->chains[id].begin(chain);
}

void Observations::end(const std::string& id, CausalId chain) {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->chains.find(id);
  if (found != impl_->chains.end()) found->second.end(chain);
}

void Observations::put(const std::string& id, std::shared_ptr<const agent::AgentObservation> seen) {
  std::vector<ActorId> wake;
  CausalId chain = impl_->actors.next_causal_id();
  const auto now = impl_->clock.now();
  auto subject = std::make_shared<AgentSeen>();
  {
    const std::scoped_lock lock(impl_->mutex);
    const auto found = impl_->agents.find(id);
    if (found == impl_->agents.end()) return;
    found->second.seen = seen;
    chain = impl_->chains[id].of_agent(*seen, now, chain);
    subject->unit = found->second.target.unit;
    wake = found->second.wanted_by;
  }
  subject->seen = std::move(seen);
  const bool alarm = is_alarm(*subject->seen);
  const Cause cause{CauseType::Observation, chain,           now,  0,
                    std::move(subject),     &describe_agent, alarm};
  for (const auto actor : wake) impl_->actors.wake(actor, cause);
}

void Observations::put(std::shared_ptr<const mysql::ProbeOutcome> seen) {
  std::vector<ActorId> wake;
  CausalId chain = impl_->actors.next_causal_id();
  const auto now = impl_->clock.now();
  auto subject = std::make_shared<ServerSeen>();
  {
    const std::scoped_lock lock(impl_->mutex);
    const auto found = impl_->servers.find(seen->endpoint.value);
    if (found == impl_->servers.end()) return;
    found->second.seen = seen;
    chain = impl_->chains[seen->endpoint.value].of_server(seen->ok(), now, chain);
    subject->unit = found->second.target.label;
    wake = found->second.wanted_by;
  }
  subject->seen = std::move(seen);
  const Cause cause{CauseType::Observation, chain, now, 0, std::move(subject), &describe_server};
  for (const auto actor : wake) impl_->actors.wake(actor, cause);
}

Observations::Size Observations::size() const {
  const std::scoped_lock lock(impl_->mutex);
  return {impl_->agents.size(), impl_->servers.size()};
}

}  // namespace troupe::actors
