// The engine's commands as calls to the members' agents.
#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/split.hpp>
#include <charconv>

#include "actors/model/credentials.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {

namespace topo = mysql_topology;

namespace {

const Node* find(const World& w, std::string_view name) {
  const auto found = std::find_if(w.nodes.begin(), w.nodes.end(),
                                  [name](const Node& n) { return n.name == name; });
  return found == w.nodes.end() ? nullptr : &*found;
}

// One user with both sets of grants where the Secret names one for both.
std::vector<agent::Account> accounts(const World& w, const Credentials& c) {
  using enum agent::GrantSet;
  std::vector<agent::GrantSet> replicates{Replication, CloneDonor};
  if (w.object->spec.mode == k8s::ReplicationMode::Group) replicates.push_back(GroupMember);
  if (c.probe_user == c.replication_user) {
    replicates.insert(replicates.begin(), Probe);
    return {{.user = c.probe_user, .password = c.probe_password, .grants = replicates}};
  }
  return {{.user = c.probe_user, .password = c.probe_password, .grants = {Probe}},
          {.user = c.replication_user,
           .password = c.replication_password,
           .grants = std::move(replicates)}};
}

agent::ReplicationSource outside(const World& w) {
  agent::ReplicationSource s;
  s.host = w.external->host;
  s.port = w.external->port;
  s.user = w.external->user;
  s.password = w.external->password;
  s.ca_pem = w.external->ca_pem;
  return s;
}

agent::Clone clone_of_outside(const World& w) {
  agent::Clone a;
  a.donor_host = w.external->host;
  a.donor_port = w.external->port;
  a.donor_user = w.external->user;
  a.donor_password = w.external->password;
  a.replace_data = true;
  return a;
}

agent::Follow follow(const Node& source, const topo::Command& c, const Credentials& credentials) {
  agent::Follow f;
  f.source.host = source.host;
  f.source.port = source.port;
  f.source.admin_port = agent::kServerAdminPort;
  f.source.user = credentials.replication_user;
  f.source.password = credentials.replication_password;
  // Members of ours have certificates of the operator's authority, which bear their names.
  f.source.own_authorities = bool(source.certificate);
  f.semi_sync = c.semi_sync;
  f.source_purged = c.gtids.to_string();
  return f;
}

agent::Clone clone(const Node& donor, const topo::Command& c, const Credentials& credentials) {
  agent::Clone a;
  a.donor_host = donor.pod ? donor.pod->status.podIP.str() : donor.host;
  a.donor_port = donor.port;
  a.donor_user = credentials.replication_user;
  a.donor_password = credentials.replication_password;
  a.replace_data = true;
  a.needed_bytes = c.needed_bytes;
  return a;
}

std::string address_of(const Node& n) { return fmt::format("{}:{}", n.host, n.port); }

agent::StartGroup start_group(const World& w, const Node& member, const topo::Command& c,
                              const Credentials& credentials) {
  agent::StartGroup a;
  a.group_name = c.group;
  a.local_address = address_of(member);
  for (const auto& n : w.nodes)
    if (n.takes_part()) a.members.push_back(address_of(n));
  a.user = credentials.replication_user;
  a.password = credentials.replication_password;
  a.own_authorities = bool(member.certificate);
  a.bootstrap = c.bootstrap;
  return a;
}

struct Step {
  agent::Action action;
  Duration deadline;
};

// About a server that is no member; nothing: nobody says any more where it is.
std::optional<Step> step_outside(const World& w, const topo::Command& c) {
  using std::chrono::seconds;
  if (w.external_name.empty() || !w.external) return std::nullopt;
  switch (c.verb) {
    case topo::Verb::InspectSource:
      return Step{agent::InspectSource{outside(w)}, seconds(15)};
    case topo::Verb::Follow: {
      agent::Follow f{.source = outside(w), .semi_sync = false};
      f.source_purged = c.gtids.to_string();
      return Step{std::move(f), seconds(30)};
    }
    case topo::Verb::Clone:
      return Step{clone_of_outside(w), std::chrono::hours(6)};
    default:
      return std::nullopt;
  }
}

// The action and how long it may take; nothing if the peer has gone.
std::optional<Step> step_of(const World& w, const Node& member, const topo::Command& c,
                            const Credentials& credentials) {
  using std::chrono::minutes, std::chrono::seconds;
  if (c.peer == topo::kOutside) return step_outside(w, c);
  const auto* peer = find(w, c.peer);
  switch (c.verb) {
    case topo::Verb::EnsureAccounts:
      return Step{agent::EnsureAccounts{accounts(w, credentials)}, seconds(15)};
    case topo::Verb::StopReceiver:
      return Step{agent::StopReceiver{}, seconds(5)};
    case topo::Verb::Drain:
      return Step{agent::Drain{c.gtids.to_string()}, seconds(60)};
    case topo::Verb::Promote:
      return Step{agent::Promote{.acks = c.acks, .semi_sync = c.semi_sync}, minutes(10)};
    case topo::Verb::Open:
      return Step{agent::OpenForWrites{.acks = c.acks, .semi_sync = c.semi_sync}, seconds(30)};
    case topo::Verb::Follow:
      if (!peer) return std::nullopt;
      return Step{follow(*peer, c, credentials), minutes(10)};
    case topo::Verb::Close:
      return Step{agent::Close{.kill_if_blocked = c.kill_if_blocked}, seconds(20)};
    case topo::Verb::SaveTransactions:
      return Step{agent::SaveTransactions{c.gtids.to_string()}, minutes(10)};
    case topo::Verb::Clone:
      if (!peer) return std::nullopt;
      return Step{clone(*peer, c, credentials), std::chrono::hours(6)};
    case topo::Verb::StartGroup:
      return Step{start_group(w, member, c, credentials), minutes(10)};
    case topo::Verb::StopGroup:
      return Step{agent::StopGroup{}, minutes(2)};
    case topo::Verb::SetGroupPrimary:
      return Step{agent::SetGroupPrimary{}, minutes(1)};
    case topo::Verb::InspectSource:
      break;  // only of what is outside
  }
  return std::nullopt;
}

}  // namespace

void ask_members(const World& w, const topo::Plan& plan, const Credentials& credentials,
                 Decision& d) {
  for (const auto& c : plan.commands) {
    const auto* node = find(w, c.member);
    if (!node || !node->pod) continue;
    const auto endpoint = agent_of(*node->pod);
    auto step = step_of(w, *node, c, credentials);
    if (!endpoint || !step) continue;
    // One clone at a time, whoever the donor.
    const std::string_view peer = c.verb == topo::Verb::Clone ? std::string_view() : c.peer;
    auto key =
        fmt::format("step {} {} {} {}", c.member, topo::to_string(c.verb), c.epoch.value, peer);
    // Others than those under way are another step, which waits for neither it nor its backoff.
    if (c.accounts > 0) key += fmt::format(" {}", c.accounts);
    if (!c.address.empty()) key += " " + c.address;
    d.add(std::move(key), AskAgent{*endpoint, std::move(step->action), c.epoch}, step->deadline);
  }
  for (const auto& name : plan.probe) {
    const auto* node = find(w, name);
    if (node && node->pod)
      d.add("probe " + name, ProbeNow{mysql::EndpointId{pod_life(*node->pod)}});
  }
}

void remember_orders(const World& w, const topo::Plan& plan, TimePoint now, Memory& memory) {
  for (const auto& c : plan.commands) {
    const auto* node = find(w, c.member);
    if (c.verb != topo::Verb::Follow || !node || !node->pod) continue;
    auto& steps = memory.members[c.member];
    const auto life = pod_life(*node->pod);
    if (steps.life != life) steps = {.life = life, .outcomes = {}, .follow_order = {}};
    steps.follow_order = topo::FollowOrder{c.epoch, c.peer, c.address, now};
  }
}

void want_observations(const World& w, const Credentials* credentials, Decision& d) {
  const bool formed = !w.object->status.currentSource.empty();
  for (const auto& n : w.nodes) {
    const bool ours = is_ours(w, n);
    // What was ours a moment ago and is nobody's is claimed again: it is not lost sight of.
    const bool unclaimed = formed && n.unit && other_owner(w, n).empty();
    if ((!ours && !unclaimed) || !n.pod) continue;
    auto endpoint = agent_of(*n.pod);
    if (!endpoint) continue;
    if (credentials && n.certificate)
      d.servers.push_back({.id = mysql::EndpointId{endpoint->id},
                           .label = endpoint->unit,
                           .ip = endpoint->ip,
                           .port = n.port,
                           .admin_port = agent::kServerAdminPort,
                           .user = credentials->probe_user,
                           .password = credentials->probe_password,
                           .ca_pem = {},
                           .tls_name = endpoint->server_name});
    if (ours) d.agents.push_back(std::move(*endpoint));
  }
}

}  // namespace troupe::actors::mysqlreplication

namespace troupe::actors {
namespace {

namespace topo = mysql_topology;

std::optional<topo::Verb> parse_verb(std::string_view text) {
  using enum topo::Verb;
  for (const auto v :
       {EnsureAccounts, StopReceiver, Drain, Promote, Open, Follow, Close, SaveTransactions, Clone,
        StartGroup, StopGroup, SetGroupPrimary, InspectSource})
    if (topo::to_string(v) == text) return v;
  return std::nullopt;
}

mysql::GtidSet parse_or_empty(std::string_view text) {
  auto set = mysql::GtidSet::parse(text);
  return set ? std::move(*set) : mysql::GtidSet{};
}

std::uint32_t parse_or_zero(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// All words from the first on: in an address nobody forbids spaces.
std::string text_from(const std::vector<std::string>& words, std::size_t first) {
  return words.size() > first
             ? fmt::format("{}", fmt::join(words.begin() + first, words.end(), " "))
             : std::string();
}

struct Fill {
  topo::Outcome& o;
  void operator()(const agent::ReceiverStopped& a) const {
    o.executed = parse_or_empty(a.executed);
    o.received = parse_or_empty(a.received);
  }
  void operator()(const agent::Drained& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::Promoted& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::Opened& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::Following& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::Closed& a) const {
    o.executed = parse_or_empty(a.executed);
    o.killed = a.killed;
  }
  void operator()(const agent::TransactionsSaved& a) const { o.saved_to = a.path; }
  void operator()(const agent::SourceInspected& a) const {
    o.outside = topo::Outside{.server_uuid = a.server_uuid,
                              .version = a.version,
                              .executed = parse_or_empty(a.executed),
                              .purged = parse_or_empty(a.purged),
                              .by_gtids = a.by_gtids};
  }
  void operator()(const agent::Cloned& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::GroupStarted& a) const { o.executed = parse_or_empty(a.executed); }
  void operator()(const agent::GroupStopped& a) const {
    o.executed = parse_or_empty(a.executed);
    o.received = parse_or_empty(a.received);
  }
  void operator()(const auto&) const {}
};

}  // namespace

void MysqlReplicationKind::fold(Memory& memory, const EffectResult& r) {
  mysqlreplication::remember_told(r, memory);
  // "step MEMBER VERB EPOCH PEER [ACCOUNTS [ADDRESS]]"
  std::vector<std::string> words;
  boost::algorithm::split(words, r.key, [](char c) { return c == ' '; });
  if (words.size() < 5 || words[0] != "step") return;
  const auto verb = parse_verb(words[2]);
  if (!verb) return;
  auto& steps = memory.members[words[1]];
  if (steps.life != r.endpoint) steps = {.life = r.endpoint, .outcomes = {}, .follow_order = {}};
  auto& o = steps.outcomes[*verb];
  if (r.epoch < o.epoch) return;  // an answer that nobody waits for any more
  const auto failures = r.failed && o.epoch == r.epoch ? o.failures + 1 : 0;
  o = topo::Outcome{.epoch = r.epoch,
                    .peer = words[4],
                    .address = text_from(words, 6),
                    .ok = !r.failed,
                    .error = r.failed.value_or(Error{}),
                    .at = r.finished,
                    .failures = failures,
                    .accounts = words.size() > 5 ? parse_or_zero(words[5]) : 0};
  if (r.reply) std::visit(Fill{o}, r.reply->answer);
}

}  // namespace troupe::actors
