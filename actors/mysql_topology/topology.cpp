#include "actors/mysql_topology/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engines/mysql/model/quorum.hpp"

namespace troupe::mysql_topology {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find_by_text(const std::array<Enum, N>& all, std::string_view text) {
  for (const auto value : all)
    if (to_string(value) == text) return value;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::EnsureAccounts:
      return "EnsureAccounts";
    case Verb::StopReceiver:
      return "StopReceiver";
    case Verb::Drain:
      return "Drain";
    case Verb::Promote:
      return "Promote";
    case Verb::Open:
      return "Open";
    case Verb::Follow:
      return "Follow";
    case Verb::Close:
      return "Close";
    case Verb::SaveTransactions:
      return "SaveTransactions";
    case Verb::Clone:
      return "Clone";
    case Verb::StartGroup:
      return "StartGroup";
    case Verb::StopGroup:
      return "StopGroup";
    case Verb::SetGroupPrimary:
      return "SetGroupPrimary";
    case Verb::InspectSource:
      return "InspectSource";
  }
  return "";
}

std::string_view to_string(OperationType type) {
  switch (type) {
    case OperationType::Form:
      return "Form";
    case OperationType::Failover:
      return "Failover";
    case OperationType::Switchover:
      return "Switchover";
    case OperationType::Rebuild:
      return "Rebuild";
    case OperationType::Bootstrap:
      return "Bootstrap";
    case OperationType::Attach:
      return "Attach";
    case OperationType::Detach:
      return "Detach";
  }
  return "";
}

std::optional<OperationType> parse_operation_type(std::string_view text) {
  using enum OperationType;
  return find_by_text(std::array{Form, Failover, Switchover, Rebuild, Bootstrap, Attach, Detach},
                      text);
}

std::string_view to_string(Step step) {
  switch (step) {
    case Step::StopReceivers:
      return "StopReceivers";
    case Step::Close:
      return "Close";
    case Step::CatchUp:
      return "CatchUp";
    case Step::Promote:
      return "Promote";
    case Step::Reopen:
      return "Reopen";
    case Step::Save:
      return "Save";
    case Step::Clone:
      return "Clone";
    case Step::Follow:
      return "Follow";
    case Step::StopGroup:
      return "StopGroup";
    case Step::Bootstrap:
      return "Bootstrap";
  }
  return "";
}

std::optional<Step> parse_step(std::string_view text) {
  using enum Step;
  return find_by_text(std::array{StopReceivers, Close, CatchUp, Promote, Reopen, Save, Clone,
                                 Follow, StopGroup, Bootstrap},
                      text);
}

std::string Member::address() const { return fmt::format("{}:{}", host, port); }

bool Member::is_at(std::string_view at_host, std::uint16_t at_port) const {
  return at_host == host && agent::is_port_of_server(at_port, port);
}

const mysql::MemberObservation* Member::server() const {
  return probe ? probe->observation.get() : nullptr;
}

bool Member::answers(TimePoint now) const {
  return probe && probe->ok() && probe->observation && now - probe->seen <= kStale;
}

bool Member::agent_connected() const { return agent && agent->connected(); }

bool Member::process_running() const {
  return agent_connected() && !agent->death_witnessed() &&
         agent->process.state == agent::ProcessState::Running;
}

// The answer to the command and the agent's sight of itself come on streams of their own.
bool Member::cloned_since_seen() const {
  const auto cloned = outcomes.find(Verb::Clone);
  return cloned != outcomes.end() && cloned->second.ok && cloned->second.at >= agent->seen;
}

bool Member::is_being_cloned() const {
  return agent_connected() && agent->operation && agent->operation->kind == "Clone" &&
         !cloned_since_seen();
}

bool Member::clone_is_partial() const {
  if (is_being_cloned()) return true;
  return agent_connected() && agent->data == agent::DataState::ClonePartial && !cloned_since_seen();
}

mysql::GtidSet Member::position() const {
  mysql::GtidSet set;
  TimePoint seen;
  if (const auto* s = server()) {
    set = s->position();
    seen = s->seen;
  }
  for (const auto& [verb, outcome] : outcomes) {
    if (!outcome.ok || outcome.at < seen || verb == Verb::InspectSource) continue;
    set.add(outcome.executed);
    set.add(outcome.received);
  }
  return set;
}

bool Member::data_is_known() const {
  if (server()) return true;
  return std::any_of(outcomes.begin(), outcomes.end(), [](const auto& entry) {
    const auto& [verb, outcome] = entry;
    const bool tells = verb == Verb::StopReceiver || verb == Verb::Promote || verb == Verb::Open ||
                       verb == Verb::Close || verb == Verb::Follow;
    return tells && outcome.ok && !outcome.killed;
  });
}

bool Member::changed_since_probe() const {
  const auto* s = server();
  return std::any_of(outcomes.begin(), outcomes.end(), [s](const auto& entry) {
    const auto& [verb, outcome] = entry;
    const bool changes =
        verb != Verb::EnsureAccounts && verb != Verb::Drain && verb != Verb::InspectSource;
    return changes && (!s || outcome.at > s->seen);
  });
}

const Outcome* Member::outcome(Verb verb, Epoch epoch) const {
  const auto found = outcomes.find(verb);
  return found != outcomes.end() && found->second.epoch == epoch ? &found->second : nullptr;
}

bool Member::done(Verb verb, Epoch epoch) const {
  const auto* o = outcome(verb, epoch);
  return o && o->ok;
}

bool Member::has_followed(Epoch epoch, const Member& source) const {
  const auto* o = outcome(Verb::Follow, epoch);
  return o && o->ok && o->peer == source.name &&
         (o->address.empty() || o->address == source.address());
}

const Outcome* Member::given_accounts(std::uint32_t revision) const {
  const auto found = outcomes.find(Verb::EnsureAccounts);
  if (found == outcomes.end()) return nullptr;
  return found->second.ok && found->second.accounts == revision ? &found->second : nullptr;
}

const Member* Topology::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const Member& m) { return m.name == name; });
  return found == members.end() ? nullptr : &*found;
}

std::vector<const Member*> Topology::voters() const {
  std::vector<const Member*> out;
  for (const auto& m : members)
    if (m.is_listed()) out.push_back(&m);
  return out;
}

bool is_among(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void Quorum::begin_to_recover(const std::string& member) {
  if (is_among(members, member) && !is_among(recovering, member)) recovering.push_back(member);
}

bool Topology::counts(const Member& m) const { return is_among(record.quorum.members, m.name); }

bool Topology::recovers(const Member& m) const {
  return is_among(record.quorum.recovering, m.name);
}

std::string External::address() const { return fmt::format("{}:{}", host, port); }

std::uint32_t Topology::acks_wanted() const {
  if (is_fed()) return 0;
  const auto staying = record.quorum.members.size() - record.quorum.leaving.size();
  return mode == Mode::SemiSync
             ? static_cast<std::uint32_t>(mysql::required_acks(static_cast<int>(staying)))
             : 0;
}

int Topology::quorum() const {
  if (mode == Mode::Async && !is_fed()) return 1;
  // A majority of all, and of the rest where one has died.
  if (mode == Mode::Group || is_fed())
    return std::max(1, static_cast<int>(record.quorum.members.size()) / 2);
  return static_cast<int>(record.quorum.members.size()) - static_cast<int>(record.quorum.acks);
}

void find_twins(Topology& t) {
  const auto uuid = [](const Member& m) {
    return m.ours && m.agent ? std::string_view(m.agent->server_uuid) : std::string_view();
  };
  const auto goes_before = [&t](const Member& a, const Member& b) {
    return std::pair(a.name != t.record.current, std::string_view(a.name)) <
           std::pair(b.name != t.record.current, std::string_view(b.name));
  };
  for (auto& m : t.members)
    for (const auto& other : t.members)
      if (&m != &other && !uuid(m).empty() && uuid(m) == uuid(other) && goes_before(other, m))
        m.twin_of = other.name;
}

}  // namespace troupe::mysql_topology
