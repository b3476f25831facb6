#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "actors/mysql_topology/steps.hpp"
#include "engines/mysql/model/choice.hpp"

namespace troupe::mysql_topology {
namespace {

// Once a quorum has stopped, how long the rest may take before it is left behind.
constexpr Duration kStragglers = std::chrono::milliseconds(300);
// How long a failover may lack its quorum before an old source that lives is used again.
constexpr Duration kGiveUp = std::chrono::seconds(10);

// What can be asked to stop receiving: a server that runs, its agent within reach. Also one that is
// no member by the specification any more, as long as it counts.
std::vector<const Member*> reachable_replicas(const Topology& t, const Member& source) {
  std::vector<const Member*> out;
  for (const auto& m : t.members)
    if (&m != &source && t.counts(m) && m.ours && m.process_running()) out.push_back(&m);
  return out;
}

std::string not_whole(const Member& m) { return m.name + " does not have all data yet"; }

std::string missing(const Topology& t, const Member& source, int have, TimePoint now) {
  std::string text = fmt::format("{} of {} needed replicas within reach", have, t.quorum());
  for (const auto& name : t.record.quorum.members) {
    const auto* m = t.find(name);
    if (m == &source || (m && m->process_running() && !t.recovers(*m))) continue;
    const auto why = !m                     ? name + " is gone"
                     : m->process_running() ? not_whole(*m)
                                            : unusable(*m, now);
    text += "; " + why.value_or(name + " is not usable");
  }
  return text;
}

struct Stopped {
  std::vector<mysql::Candidate> candidates;  // those that can vouch for what they acknowledged
  // Likewise, but no members by the specification any more: they are not chosen.
  std::vector<mysql::Candidate> leaving;
  std::string others;  // why the rest cannot
  TimePoint first = TimePoint::max();
  bool all = true;
};

mysql::Candidate candidate_of(const Member& m, const Outcome& stopped) {
  mysql::Candidate c{.name = m.name, .ordinal = m.ordinal, .position = stopped.executed};
  c.position.add(stopped.received);
  c.unapplied = subtract(stopped.received, stopped.executed).count();
  if (m.server()) c.version = m.server()->version;
  c.departing = m.departing.has_value();
  c.misnamed = !m.host_problem.empty();
  return c;
}

// A member without data may lack what it acknowledged before its volume was replaced.
void leave_out_empty(const Topology& t, Stopped& s, const Member& source) {
  const auto cannot_vouch = [&](const mysql::Candidate& c) {
    return c.position.empty() && !had_nothing_to_lose(*t.find(c.name), source);
  };
  for (auto* list : {&s.candidates, &s.leaving}) {
    for (const auto& c : *list)
      if (cannot_vouch(c)) s.others += fmt::format("; {} holds no transactions", c.name);
    std::erase_if(*list, cannot_vouch);
  }
}

Stopped stopped_replicas(const Topology& t, const Member& source) {
  Stopped s;
  for (const auto* m : reachable_replicas(t, source)) {
    const auto* o = m->outcome(Verb::StopReceiver, t.record.epoch);
    if (!o || !o->ok) {
      s.all = false;
      continue;
    }
    s.first = std::min(s.first, o->at);
    if (m->clone_is_partial())
      s.others += fmt::format("; {}'s clone is not complete", m->name);
    else if (!t.recovers(*m))
      (m->is_listed() ? s.candidates : s.leaving).push_back(candidate_of(*m, *o));
  }
  leave_out_empty(t, s, source);
  return s;
}

void tell_divergence(const Topology& t, const Stopped& s, const mysql::Diverged& d, Plan& plan) {
  std::string text;
  for (const auto& leader : d.leaders)
    text += fmt::format("{}{} alone has {}", text.empty() ? "" : "; ",
                        s.candidates[leader.index].name, leader.only_here.to_string());
  if (!t.recover_on.empty())
    text += fmt::format("; \"{}\", by the annotation recover-on, is none of them", t.recover_on);
  plan.hold("Diverged",
            text +
                "; name the one that is right in the annotation troupe.dev/recover-on: what the "
                "others alone have is saved, reported in status.lostTransactions and given up");
}

// Nobody but a person gives up what may have been acknowledged.
const mysql::Candidate* chosen_by_hand(const Topology& t, const Stopped& s,
                                       const mysql::Diverged& d) {
  for (const auto& leader : d.leaders)
    if (s.candidates[leader.index].name == t.recover_on) return &s.candidates[leader.index];
  return nullptr;
}

void report_given_up(const Topology& t, const Stopped& s, const mysql::Candidate& winner,
                     Plan& plan) {
  std::string text;
  for (const auto& c : s.candidates) {
    const auto more = subtract(c.position, winner.position);
    if (more.empty()) continue;
    text += fmt::format("; {} of {}", more.to_string(), c.name);
    report_lost(
        *plan.record,
        Lost{.member = c.name, .gtids = more.to_string(), .epoch = t.record.epoch, .at = t.wall});
  }
  plan.notes.push_back(
      {true, "DivergenceDecided",
       fmt::format("{} is right, by annotation{} is given up", winner.name, text)});
}

// Whoever was taken out of the specification may have acknowledged last.
bool more_is_leaving(const Stopped& s, const mysql::Candidate& winner) {
  return std::any_of(s.leaving.begin(), s.leaving.end(), [&winner](const mysql::Candidate& c) {
    return !winner.position.contains(c.position);
  });
}

void tell_who_leaves(const Stopped& s, const mysql::Candidate& winner, Plan& plan) {
  for (const auto& c : s.leaving)
    if (const auto more = subtract(c.position, winner.position); !more.empty())
      plan.hold("HeldByFormerMember",
                fmt::format("{} was taken out and alone has {}: make it a member again", c.name,
                            more.to_string()));
}

// Gives the old source its replicas back when it lives and they do not come to a choice. The time
// is counted from the first of them all that did as it was asked.
bool give_up(const Topology& t, const Member& source, const Stopped& s, TimePoint now, Plan& plan) {
  if (!source.answers(now) || death_of(t, source, now)) return false;
  auto since = s.first;
  if (const auto* closed = source.outcome(Verb::Close, t.record.epoch))
    since = std::min(since, closed->at);
  if (since == TimePoint::max()) return false;
  plan.wake_at(since + kGiveUp);
  if (now - since < kGiveUp) return false;
  const auto text = source.name + " is back, and its replicas could not agree on another";
  plan.record = finished(t, text, true);
  return true;
}

void promote(const Topology& t, const mysql::Candidate& winner, Plan& plan) {
  plan.record = t.record;
  plan.record->current = winner.name;
  plan.record->operation->candidate = plan.record->current;
  plan.record->operation->step = Step::Promote;
}

void choose_source(const Topology& t, const Member& source, const Stopped& stopped, TimePoint now,
                   Plan& plan) {
  const auto choice = mysql::choose(stopped.candidates);
  const mysql::Candidate* winner = nullptr;
  if (const auto* diverged = std::get_if<mysql::Diverged>(&choice)) {
    winner = chosen_by_hand(t, stopped, *diverged);
    if (!winner) {
      if (!give_up(t, source, stopped, now, plan)) tell_divergence(t, stopped, *diverged, plan);
      return;
    }
  } else if (const auto* chosen = std::get_if<mysql::Chosen>(&choice)) {
    winner = &stopped.candidates[chosen->index];
  }
  if (!winner) return;
  if (more_is_leaving(stopped, *winner)) {
    if (!give_up(t, source, stopped, now, plan)) tell_who_leaves(stopped, *winner, plan);
    return;
  }
  // Without acknowledgements nothing would be written there. As long as it is not promoted, it can
  // still be another that has as much.
  if (winner->misnamed && t.semi_sync()) {
    if (!give_up(t, source, stopped, now, plan))
      plan.hold(std::string(kHostNotItsOwn),
                fmt::format("only {} has everything, and nobody could follow it: {}", winner->name,
                            t.find(winner->name)->host_problem));
    return;
  }
  promote(t, *winner, plan);
  if (std::holds_alternative<mysql::Diverged>(choice)) report_given_up(t, stopped, *winner, plan);
}

}  // namespace

void consider_failover(const Topology& t, const Member& source, const Death& death, TimePoint now,
                       Plan& plan) {
  plan.doing = "the source is dead";
  plan.roles[source.name] = Role::None;
  plan.hold("SourceDead", death.evidence, death.since);
  // Who names another source while this one is dead wants just that.
  if (!t.failover.enabled && !ordered(t)) {
    plan.hold("FailoverDisabled",
              "spec.failover.enabled is false: name another spec.source, or bring it back",
              death.since);
    return;
  }
  // What comes from outside is there still.
  if (t.mode == Mode::Async && !t.is_fed() && !t.failover.allow_loss) {
    plan.hold("LossNotAllowed",
              "asynchronous replicas may lack acknowledged writes; spec.failover.allowLoss permits "
              "a failover all the same",
              death.since);
    return;
  }
  const auto reachable = reachable_replicas(t, source);
  const auto vouching = static_cast<int>(std::count_if(
      reachable.begin(), reachable.end(), [&t](const Member* m) { return !t.recovers(*m); }));
  if (t.record.quorum.members.size() < 2 || vouching < t.quorum()) {
    plan.hold("QuorumMissing", missing(t, source, vouching, now), death.since);
    return;
  }
  plan.guards.clear();
  plan.record = t.record;
  plan.record->epoch = Epoch{t.record.epoch.value + 1};
  plan.record->operation = Operation{.type = OperationType::Failover,
                                     .step = Step::StopReceivers,
                                     .from = source.name,
                                     .reason = death.evidence,
                                     .started = t.wall};
}

void resume_failover(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  if (op.step == Step::Promote) return install(t, now, plan);
  plan.doing = "Failover: stopping the receivers of " + op.from;
  plan.roles[op.from] = Role::None;
  const auto* source = t.find(op.from);
  if (!source) {
    plan.hold("SourceNotListed", op.from + " is no member any more; list it again");
    return;
  }
  // It may live and just be out of our sight: close it if its agent hears us. Not waited for.
  if (source->agent_connected() && !source->outcome(Verb::Close, t.record.epoch) &&
      source->process_running())
    plan.commands.push_back({.member = source->name,
                             .verb = Verb::Close,
                             .epoch = t.record.epoch,
                             .kill_if_blocked = true});
  for (const auto* m : reachable_replicas(t, *source))
    if (!m->done(Verb::StopReceiver, t.record.epoch))
      plan.commands.push_back(
          {.member = m->name, .verb = Verb::StopReceiver, .epoch = t.record.epoch});

  const auto stopped = stopped_replicas(t, *source);
  const int count = static_cast<int>(stopped.candidates.size() + stopped.leaving.size());
  if (count < t.quorum()) {
    if (give_up(t, *source, stopped, now, plan)) return;
    plan.hold("QuorumMissing",
              fmt::format("{} of {} needed replicas confirmed stopped{}; {}", count, t.quorum(),
                          stopped.others, missing(t, *source, count, now)),
              stopped.first == TimePoint::max() ? TimePoint{} : stopped.first);
    return;
  }
  if (!stopped.all && now - stopped.first < kStragglers) {
    plan.wake_at(stopped.first + kStragglers);
    return;
  }
  choose_source(t, *source, stopped, now, plan);
}

}  // namespace troupe::mysql_topology
