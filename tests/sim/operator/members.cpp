#include "tests/sim/operator/members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::operator_sim {
namespace {

using mysql::Reachability;
using mysql_topology::sim::AgentState;
using mysql_topology::sim::AgentStream;
using mysql_topology::sim::Job;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace topo = mysql_topology;

constexpr Duration kProbeEvery = seconds(1);
constexpr Duration kProbeDeadline = milliseconds(2500);
constexpr Duration kStreamSilence = seconds(3);  // then the agent's stream counts as lost
constexpr Duration kPushMin = milliseconds(3);
constexpr Duration kPushMax = milliseconds(40);
constexpr Duration kLateCopyMax = seconds(2);

// A command's way to the server that does it: the Fleet's agents know the engine's verbs, the rest
// is done at once.
class Carried {
 public:
  Carried(const World& world, int member, const agent::Command& command)
      : world_(world), member_(member), command_(command) {}

  using Answer = std::function<void(Result<agent::Reply>)>;
  void out(Answer answer) {
    answer_ = std::move(answer);
    std::visit(*this, command_.action);
  }

  void operator()(const agent::Render&) { done(agent::Rendered{"", true, {}}); }
  void operator()(const agent::EnsureInitialised&) {
    if (server().running) return fail(Code::Conflict, "the server runs");
    world_.fleet.initialise(member_);
    done(agent::Initialised{true});
  }
  void operator()(const agent::StartProcess&) {
    if (!server().initialised) return fail(Code::Conflict, "there is no data");
    world_.fleet.start(member_);
    done(agent::Done{});
  }
  void operator()(const agent::StopProcess&) { stop(); }
  void operator()(const agent::KillProcess&) { stop(); }
  void operator()(const agent::EnsureAccounts& a) {
    if (!server().running) return fail(Code::Retry, "the server does not run");
    for (const auto& account : a.accounts)
      for (const auto grant : account.grants)
        if (grant == agent::GrantSet::Probe) world_.fleet[member_].accounts = true;
    done(agent::AccountsEnsured{});
  }
  void operator()(const agent::ResetBinlogs&) { done(agent::Done{}); }
  void operator()(const agent::StartGroup& a) {
    ask({.verb = topo::Verb::StartGroup, .bootstrap = a.bootstrap, .group = a.group_name});
  }
  void operator()(const agent::StopGroup&) { ask({.verb = topo::Verb::StopGroup}); }
  void operator()(const agent::SetGroupPrimary&) { ask({.verb = topo::Verb::SetGroupPrimary}); }

  void operator()(const agent::InspectSource& a) {
    if (world_.cluster.by_host(a.source.host) != world_.fleet.outside())
      return fail(Code::Retry, "no such host");
    ask({.verb = topo::Verb::InspectSource});
  }
  void operator()(const agent::StopReceiver&) { ask({.verb = topo::Verb::StopReceiver}); }
  void operator()(const agent::Drain& a) {
    ask({.verb = topo::Verb::Drain, .gtids = mysql::GtidSet::parse(a.until).value()});
  }
  void operator()(const agent::Promote& a) {
    ask({.verb = topo::Verb::Promote, .acks = a.acks, .semi_sync = a.semi_sync});
  }
  void operator()(const agent::OpenForWrites& a) {
    ask({.verb = topo::Verb::Open, .acks = a.acks, .semi_sync = a.semi_sync});
  }
  void operator()(const agent::Follow& a) {
    const auto source = world_.cluster.by_host(a.source.host);
    if (!source) return fail(Code::Invalid, "no such host");
    ask({.verb = topo::Verb::Follow,
         .peer = world_.fleet[*source].name,
         .gtids = mysql::GtidSet::parse(a.source_purged).value(),
         .semi_sync = a.semi_sync});
  }
  void operator()(const agent::Close& a) {
    ask({.verb = topo::Verb::Close, .kill_if_blocked = a.kill_if_blocked});
  }
  void operator()(const agent::SaveTransactions& a) {
    ask({.verb = topo::Verb::SaveTransactions, .gtids = mysql::GtidSet::parse(a.gtid_set).value()});
  }
  void operator()(const agent::Clone& a) {
    auto donor = world_.cluster.at_address(a.donor_host);
    if (!donor) donor = world_.cluster.by_host(a.donor_host);
    if (!donor) return fail(Code::Retry, "the donor is not reached");
    ask({.verb = topo::Verb::Clone, .peer = world_.fleet[*donor].name});
  }

 private:
  const Server& server() const { return world_.fleet[member_]; }

  void stop() {
    world_.fleet.stop(member_);
    done(agent::Done{});
  }
  void done(agent::Answer answer) { answer_(agent::Reply{std::move(answer), {}}); }
  void fail(Code code, std::string why) { answer_(Error{code, std::move(why)}); }

  void ask(topo::Command c) {
    c.member = server().name;
    c.epoch = command_.header.epoch;
    const auto verb = c.verb;
    Job job{.command = std::move(c),
            .deadline = world_.timeline.now() + command_.header.time_limit,
            .answer = [verb, answer = answer_](const topo::sim::Reply& reply) {
              if (reply.failed) return answer(*reply.failed);
              answer(agent::Reply{answer_of(verb, reply), {}});
            }};
    world_.fleet.command(member_, std::move(job));
  }

  static agent::Answer answer_of(topo::Verb verb, const topo::sim::Reply& reply) {
    const auto executed = reply.executed.to_string();
    switch (verb) {
      case topo::Verb::StopReceiver:
        return agent::ReceiverStopped{{}, reply.received.to_string(), executed};
      case topo::Verb::Drain:
        return agent::Drained{executed};
      case topo::Verb::Promote:
        return agent::Promoted{{}, executed};
      case topo::Verb::Open:
        return agent::Opened{{}, executed, 0};
      case topo::Verb::Follow:
        return agent::Following{{}, executed};
      case topo::Verb::Close:
        return agent::Closed{reply.killed, {}, executed};
      case topo::Verb::SaveTransactions:
        return agent::TransactionsSaved{reply.saved_to, 1, 1};
      case topo::Verb::Clone:
        return agent::Cloned{{}, executed};
      case topo::Verb::StartGroup:
        return agent::GroupStarted{{}, executed};
      case topo::Verb::StopGroup:
        return agent::GroupStopped{{}, reply.received.to_string(), executed};
      case topo::Verb::SetGroupPrimary:
        return agent::GroupPrimarySet{{}, executed};
      case topo::Verb::InspectSource:
        return agent::SourceInspected{.server_uuid = reply.outside->server_uuid,
                                      .version = reply.outside->version,
                                      .executed = reply.outside->executed.to_string(),
                                      .purged = reply.outside->purged.to_string(),
                                      .by_gtids = reply.outside->by_gtids};
      case topo::Verb::EnsureAccounts:
        break;
    }
    return agent::Done{};
  }

  World world_;
  int member_;
  const agent::Command& command_;
  Answer answer_;
};

}  // namespace

actors::Observations::Watchers Members::watchers() {
  return {.watch_agent =
              [this](const agent::Endpoint& e) {
                auto& agent = agents_[e.id];
                agent.endpoint = e;
                agent.member = Cluster::member_behind(e.ip);
              },
          .unwatch_agent =
              [this](const std::string& id) {
                const auto found = agents_.find(id);
                if (found == agents_.end()) return;
                end_calls(found->second, "not watched any more");
                agents_.erase(found);
              },
          .watch_server =
              [this](const actors::ServerTarget& t) {
                const bool known = servers_.count(t.id.value) != 0;
                servers_[t.id.value].target = t;
                if (!known) probe_again(t.id.value);
              },
          .unwatch_server = [this](const mysql::EndpointId& id) { servers_.erase(id.value); }};
}

void Members::close() {
  agents_.clear();
  servers_.clear();
}

// --- agents --------------------------------------------------------------------------------------

void Members::look_at_agents_of(int member) {
  for (auto& [id, agent] : agents_)
    if (agent.member == member) look_at(id, agent);
}

void Members::look_at(const std::string& id, Agent& agent) {
  const auto news = agent.stream.look(state_of(agent), process_.clock().now(), kStreamSilence);
  if (news == AgentStream::News::None) return;
  if (news != AgentStream::News::Pushed) end_calls(agent, "the stream has ended");
  process_.later(process_.world().timeline.chance.between(kPushMin, kPushMax), [this, id] {
    const auto found = agents_.find(id);
    if (found != agents_.end() && found->second.stream.seen())
      process_.core().observations().put(id, found->second.stream.seen());
  });
}

std::optional<AgentState> Members::state_of(const Agent& agent) const {
  const auto member = process_.world().cluster.at_address(agent.endpoint.ip);
  const auto& fleet = process_.world().fleet;
  if (!member || !process_.network().link(*member).hears || !fleet[*member].agent_up)
    return std::nullopt;
  auto state = mysql_topology::sim::agent_state(fleet[*member], agent.endpoint.id);
  state.terminating = process_.world().cluster.terminating(*member);
  return state;
}

// The first answer counts, or that none came.
void Members::answer(const std::string& endpoint, std::uint64_t call,
                     const Result<agent::Reply>& reply) {
  const auto found = agents_.find(endpoint);
  if (found == agents_.end()) return;
  auto waiting = found->second.calls.extract(call);
  if (!waiting.empty()) waiting.mapped()(reply);
}

void Members::end_calls(Agent& agent, std::string_view why) {
  for (auto& [id, done] : std::exchange(agent.calls, {}))
    process_.post([done = std::move(done), why = std::string(why)] {
      done(Error{Code::Timeout, why});
    });
}

void Members::ask(const std::string& endpoint, agent::Command command, Answered done) {
  const auto world = process_.world();  // which outlives us
  auto& timeline = world.timeline;
  const auto& network = process_.network();
  const auto found = agents_.find(endpoint);
  if (found == agents_.end())
    return process_.post([done] { done(Error{Code::NotFound, "not watched"}); });
  const auto call = ++last_call_;
  found->second.calls.emplace(call, std::move(done));
  const auto fail = [this, endpoint, call](Duration after, std::string why) {
    process_.later(after, [this, endpoint, call, why = std::move(why)] {
      answer(endpoint, call, Error{Code::Timeout, why});
    });
  };
  fail(command.header.time_limit, "no answer in time");
  const bool lost = timeline.chance.percent(network.lose_percent);
  const bool doubled = !lost && timeline.chance.percent(network.double_percent);
  // What is lost takes its connection along.
  if (lost) fail(timeline.chance.between({}, kStreamSilence), "connection reset");
  const bool only_looks = std::holds_alternative<agent::InspectSource>(command.action);
  if (!only_looks) process_.acted();
  timeline.tell("{}: {} {} (epoch {}){}", process_.name(), command.header.unit,
                agent::name_of(command.action), command.header.epoch.value,
                lost      ? ", lost"
                : doubled ? ", twice"
                          : "");
  const auto shared = std::make_shared<const agent::Command>(std::move(command));
  const auto ip = found->second.endpoint.ip;
  const auto back = [weak = process_.weak_from_this(), members = weak_from_this(), endpoint, call,
                     ip](Result<agent::Reply> reply) {
    const auto process = weak.lock();
    if (!process) return;
    auto& chance = process->world().timeline.chance;
    const auto& net = process->network();
    const auto at = process->world().cluster.at_address(ip);
    const bool gone = !at || !net.link(*at).hears || chance.percent(net.lose_percent);
    if (gone) reply = Error{Code::Timeout, "connection reset"};
    process->later(chance.between({}, gone ? kStreamSilence : net.latency_max + net.link(*at).slow),
                   [members, endpoint, call, reply = std::move(reply)] {
                     if (const auto live = members.lock()) live->answer(endpoint, call, reply);
                   });
  };
  for (int n = lost ? 1 : 0; n < (doubled ? 2 : 1); ++n) {
    const auto delay = timeline.chance.between({}, n == 0 ? network.latency_max : kLateCopyMax);
    timeline.after(delay, [world, &network, ip, shared, back] {
      const auto member = world.cluster.at_address(ip);
      if (!member || !network.link(*member).reaches || !world.fleet[*member].agent_up)
        return back(Error{Code::Retry, "not reached"});
      Carried(world, *member, *shared).out(back);
    });
  }
}

// --- servers -------------------------------------------------------------------------------------

void Members::probe_again(const std::string& id) {
  if (servers_.count(id) == 0) return;
  probe(id, [] {});
  process_.later(kProbeEvery + process_.world().timeline.chance.between({}, milliseconds(20)),
                 [this, id] { probe_again(id); });
}

void Members::probe_now(const mysql::EndpointId& server, std::function<void()> done) {
  probe(server.value, std::move(done));
}

void Members::probe(const std::string& id, std::function<void()> done) {
  auto& timeline = process_.world().timeline;
  const auto latency = [this, &timeline](Duration slow = {}) {
    return timeline.chance.between({}, process_.network().latency_max + slow);
  };
  const auto tell = [this, id, done](Duration after, Reachability reachability,
                                     std::shared_ptr<mysql::MemberObservation> seen) {
    process_.later(after, [this, id, done, reachability, seen = std::move(seen)]() mutable {
      probed(id, reachability, std::move(seen));
      done();
    });
  };
  process_.later(latency(), [this, id, done, tell, latency] {
    const auto found = servers_.find(id);
    if (found == servers_.end()) return done();
    const auto member = process_.world().cluster.at_address(found->second.target.ip);
    if (!member) return tell(kProbeDeadline, Reachability::Timeout, nullptr);
    const auto& link = process_.network().link(*member);
    const auto after = latency(link.slow);
    if (!link.reaches || !link.hears || after > kProbeDeadline)
      return tell(kProbeDeadline, Reachability::Timeout, nullptr);
    const auto& s = process_.world().fleet[*member];
    if (!s.listens()) return tell(latency(), Reachability::Refused, nullptr);
    if (!s.accounts) return tell(latency(), Reachability::AuthFailed, nullptr);
    if (!process_.world().fleet.answers(*member))
      return tell(kProbeDeadline, Reachability::Timeout, nullptr);
    auto seen = std::make_shared<mysql::MemberObservation>(process_.world().fleet.observe(*member));
    if (seen->replica && s.source)
      seen->replica->source_host = process_.world().cluster.host_of(*s.source);
    if (seen->group)
      for (auto& peer : seen->group->peers)
        peer.host = process_.world().cluster.host_of(process_.world().fleet.index_of(peer.host));
    tell(after, Reachability::Ok, std::move(seen));
  });
}

void Members::probed(const std::string& id, Reachability reachability,
                     std::shared_ptr<mysql::MemberObservation> seen) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  const auto now = process_.clock().now();
  mysql::ProbeOutcome o;
  if (found->second.seen) o = *found->second.seen;
  o.endpoint = {id};
  o.found(reachability, now - kProbeDeadline, now);
  if (seen) {
    seen->endpoint = o.endpoint;
    seen->seen = o.seen = now;
    mysql::remember(o.observation.get(), *seen);
    o.observation = std::move(seen);
  }
  found->second.seen = std::make_shared<const mysql::ProbeOutcome>(std::move(o));
  process_.core().observations().put(found->second.seen);
}

}  // namespace troupe::operator_sim
