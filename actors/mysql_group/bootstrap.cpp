// Beginning a group: what only one member may do, and only when no group is left.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_group/steps.hpp"
#include "engines/mysql/model/choice.hpp"

namespace troupe::mysql_group {
namespace {

// There is nothing of it that could be in a group, and a person has said to go on without it.
bool is_given_up(const Topology& t, const Member& m) {
  return t.failover.allow_loss && !m.pod_exists && !m.is_anothers();
}

// Its server does not run, nor will it before it is cloned again; all that it had, its donor has.
bool is_half_cloned(const Member& m) { return m.clone_is_partial() && !m.process_running(); }

// On record, and nothing at all is there to speak for them.
bool nothing_is_known_of_some(const Topology& t, Plan& plan) {
  const auto before = plan.guards.size();
  for (const auto& name : t.record.quorum.members)
    if (!t.find(name)) plan.hold("MembersUnknown", "nothing is known of " + name);
  return plan.guards.size() > before;
}

std::vector<const Member*> who_belongs(const Topology& t) {
  std::vector<const Member*> out;
  for (const auto& m : t.members)
    if (belongs(t, m) && !is_given_up(t, m)) out.push_back(&m);
  return out;
}

// Somebody may be in a group, or hold what nobody else has.
bool somebody_may_be_in_one(const Topology& t, TimePoint now, Plan& plan) {
  const auto before = plan.guards.size();
  nothing_is_known_of_some(t, plan);
  for (const auto* m : who_belongs(t)) {
    if (is_half_cloned(*m)) continue;
    if (const auto why = topo::unusable(*m, now)) {
      plan.hold(topo::why_unusable_now(*m, "MembersUnknown", now), *why,
                m->probe ? m->probe->since : TimePoint{});
    } else if (m->changed_since_probe()) {
      plan.probe.push_back(m->name);
      plan.hold("MembersUnknown", m->name + " is looked at again");
    } else if (const auto state = own_state(*m);
               state == GroupState::Online || state == GroupState::Recovering) {
      plan.hold("NoMajority", describe_sight(*m), m->server()->seen);
    }
  }
  return plan.guards.size() > before;
}

void begin(const Topology& t, PersistedRecord record, std::string reason, Plan& plan) {
  record.operation = Operation{.type = OperationType::Bootstrap,
                               .step = Step::StopGroup,
                               .from = t.record.current,
                               .reason = std::move(reason),
                               .started = t.wall};
  plan.record = std::move(record);
}

PersistedRecord first_record(const Topology& t, std::string current, std::string group) {
  auto r = t.record;
  r.epoch = topo::next_epoch(t);
  r.current = std::move(current);
  r.honored = t.wanted;
  r.quorum = topo::new_quorum(t);
  r.group = std::move(group);
  return r;
}

mysql::Candidate candidate_of(const Member& m, const topo::Outcome& stopped) {
  mysql::Candidate c{.name = m.name, .ordinal = m.ordinal, .position = stopped.executed};
  c.position.add(stopped.received);
  c.unapplied = subtract(stopped.received, stopped.executed).count();
  c.version = m.server() ? m.server()->version : mysql::Version{};
  c.departing = m.departing.has_value();
  return c;
}

struct Left {
  std::vector<mysql::Candidate> candidates;
  std::vector<mysql::Candidate> leaving;  // no members by the specification: not chosen
};

// A member without data does not have what it had acknowledged. What a majority has, so many others
// have to have that one of them was among it.
bool too_many_are_empty(const Topology& t, const Left& left, Plan& plan) {
  const auto members = t.record.quorum.members.size();
  std::size_t holders = 0;
  for (const auto* list : {&left.candidates, &left.leaving})
    for (const auto& c : *list)
      if (!c.position.empty()) ++holders;
  const auto needed = members - (members / 2 + 1) + 1;
  // The first time there is nothing yet that anybody could have acknowledged.
  if (t.record.operation->from.empty() || holders >= needed) return false;
  if (holders == 0 && left.candidates.size() + left.leaving.size() >= members)
    return false;  // nobody has written anything yet
  plan.hold("DataMissing", fmt::format("{} of {} members hold transactions, {} have to: what the "
                                       "others acknowledged is nowhere; bring their volumes back",
                                       holders, members, needed));
  return true;
}

// Who holds nothing comes to count when it joins. Else a member that has begun a group, and dies
// before another has joined, would be outvoted by those who never had anything. The one that begins
// it counts, also if another one was chosen when this was tried before.
void let_holders_count(const Left& left, const std::string& chosen, PersistedRecord& record) {
  for (const auto* list : {&left.candidates, &left.leaving})
    for (const auto& c : *list) {
      if (!c.position.empty() || c.name == chosen) continue;
      std::erase(record.quorum.members, c.name);
      std::erase(record.quorum.leaving, c.name);
    }
  auto& members = record.quorum.members;
  if (std::find(members.begin(), members.end(), chosen) == members.end()) members.push_back(chosen);
}

void tell_divergence(const std::vector<mysql::Candidate>& all, const mysql::Diverged& d,
                     Plan& plan) {
  std::string text;
  for (const auto& leader : d.leaders)
    text += fmt::format("{}{} alone has {}", text.empty() ? "" : "; ", all[leader.index].name,
                        leader.only_here.to_string());
  plan.hold("Diverged", text + "; decide which of them is right and rebuild the others");
}

bool somebody_leaving_has_more(const Left& left, const mysql::Candidate& best, Plan& plan) {
  const auto before = plan.guards.size();
  for (const auto& c : left.leaving)
    if (const auto more = subtract(c.position, best.position); !more.empty())
      plan.hold("HeldByFormerMember",
                fmt::format("{} was taken out and alone has {}: make it a member again", c.name,
                            more.to_string()));
  return plan.guards.size() > before;
}

// The one that holds what all others do; of several, the one that the specification names.
const std::string* chosen(const Topology& t, const Left& left, Plan& plan) {
  const auto& all = left.candidates;
  const auto choice = mysql::choose(all);
  if (const auto* diverged = std::get_if<mysql::Diverged>(&choice)) {
    tell_divergence(all, *diverged, plan);
    return nullptr;
  }
  const auto* winner = std::get_if<mysql::Chosen>(&choice);
  if (!winner) return nullptr;
  const auto& best = all[winner->index];
  if (somebody_leaving_has_more(left, best, plan)) return nullptr;
  for (const auto& c : all)
    if (c.name == t.wanted && c.position.contains(best.position)) return &c.name;
  return &best.name;
}

// What all of them hold, once each has left its group; nothing until then.
std::optional<Left> stopped(const Topology& t, TimePoint now, Plan& plan) {
  Left left;
  bool all = true;
  for (const auto* m : who_belongs(t)) {
    const auto* o = m->outcome(Verb::StopGroup, t.record.epoch);
    if (o && o->ok) {
      if (!m->clone_is_partial())
        (m->is_listed() ? left.candidates : left.leaving).push_back(candidate_of(*m, *o));
      continue;
    }
    // It cannot obey, but its agent refuses what is older then.
    if (is_half_cloned(*m) && m->agent->highest_epoch >= t.record.epoch) continue;
    all = false;
    if (m->process_running() || is_half_cloned(*m))
      plan.commands.push_back(
          {.member = m->name, .verb = Verb::StopGroup, .epoch = t.record.epoch});
    else
      plan.hold(topo::why_unusable(*m, "MembersUnknown"),
                topo::unusable(*m, now).value_or(m->name + " cannot be asked"));
  }
  return all ? std::optional(std::move(left)) : std::nullopt;
}

void stop_all(const Topology& t, TimePoint now, Plan& plan) {
  const auto left = stopped(t, now, plan);
  if (!left || nothing_is_known_of_some(t, plan) || too_many_are_empty(t, *left, plan)) return;
  const auto* name = chosen(t, *left, plan);
  if (!name) return;
  plan.record = t.record;
  plan.record->epoch.value += 1;  // no StopGroup that comes late takes anybody out of the new group
  plan.record->current = *name;
  plan.record->operation->step = Step::Bootstrap;
  plan.record->operation->candidate = *name;
  let_holders_count(*left, *name, *plan.record);
}

// Whoever leaves the group later does so in a later epoch than it was begun in: an order to begin
// it that comes again is refused then.
PersistedRecord ended(const Topology& t, const std::string& text, bool undone) {
  auto record = topo::finished(t, text, undone);
  record.epoch.value += 1;
  return record;
}

// Everybody is asked again, with an epoch that ends what is under way.
void start_over(const Topology& t, const std::string& why, Plan& plan) {
  plan.record = t.record;
  plan.record->epoch.value += 1;
  plan.record->operation->step = Step::StopGroup;
  plan.record->operation->candidate.clear();
  plan.notes.push_back({true, "BootstrapStartedOver", why});
}

void bootstrap(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  const auto* m = t.find(op.candidate);
  if (!m || !topo::stays(*m) || is_given_up(t, *m))
    return start_over(t, op.candidate + " is gone", plan);
  const auto* started = m->outcome(Verb::StartGroup, t.record.epoch);
  if (started && started->ok) {
    plan.record = ended(
        t, fmt::format("{} has begun group {}: {}", m->name, t.record.group, op.reason), false);
    return;
  }
  if (started && started->error.code == Code::Conflict)
    return start_over(t, started->error.message, plan);
  if (started)
    plan.hold("BootstrapFailed", fmt::format("{}: {}", m->name, started->error.message),
              started->at);
  if (!m->process_running()) {
    plan.hold(topo::why_unusable(*m, "CandidateUnusable"),
              topo::unusable(*m, now).value_or(m->name + " cannot be asked"));
    return;
  }
  auto command = start_command(t, *m);
  command.bootstrap = true;
  plan.commands.push_back(std::move(command));
}

}  // namespace

void discover(const Topology& t, TimePoint now, Plan& plan) {
  plan.doing = "discovering what is there";
  if (topo::some_are_anothers(t, now, plan)) return;
  topo::ensure_accounts(t, topo::next_epoch(t), plan);
  if (topo::some_are_unknown(t, now, plan)) return;
  const auto sight = look(t, now);
  if (!sight.several.empty()) return plan.hold("SeveralGroups", sight.several);
  if (sight.view && sight.view->primary()) {
    const auto& name = sight.view->primary()->name;
    plan.record = first_record(t, name, sight.view->group_name);
    plan.notes.push_back({false, "Adopted", name + " is the primary of the group that was found"});
    return;
  }
  for (const auto* m : t.voters())
    if (m->server()->replica || !m->server()->super_read_only)
      plan.hold(
          "ReplicatesAlready",
          fmt::format("{} {}: only closed servers that replicate from nobody form a group", m->name,
                      m->server()->replica ? "follows a source" : "can be written to"));
  const auto* wanted = t.find(t.wanted);
  if (!wanted || !wanted->is_listed())
    plan.hold("SourceNotListed",
              fmt::format("spec.source names \"{}\", which is no member: name one", t.wanted));
  if (!plan.guards.empty() || somebody_may_be_in_one(t, now, plan)) return;
  begin(t, first_record(t, t.wanted, t.new_group), "new group", plan);
}

void without_group(const Topology& t, TimePoint now, Plan& plan) {
  plan.doing = "no majority of the group is seen";
  if (somebody_may_be_in_one(t, now, plan)) return;
  auto record = t.record;
  record.epoch.value += 1;
  begin(t, std::move(record), "every member has lost its group", plan);
}

void resume_bootstrap(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.doing = fmt::format("Bootstrap of group {}: {}", t.record.group, to_string(op.step));
  plan.forming = op.from.empty();
  for (const auto* m : t.voters()) plan.roles[m->name] = Role::None;
  topo::ensure_accounts(t, t.record.epoch, plan);
  const auto sight = look(t, now);
  const auto* primary = sight.view ? sight.view->primary() : nullptr;
  if (primary && primary->name != op.candidate) {
    plan.record = ended(t, "there is a group: " + primary->name + " is its primary", true);
    return;
  }
  if (op.step == Step::StopGroup) return stop_all(t, now, plan);
  bootstrap(t, now, plan);
}

}  // namespace troupe::mysql_group
