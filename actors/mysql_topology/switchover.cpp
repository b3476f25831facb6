// A planned change of source, undone at every step before the candidate is promoted.
#include <fmt/format.h>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {

std::string candidates(const Topology& t, const Member& source, TimePoint now) {
  std::string names;
  for (const auto* m : t.voters())
    if (m != &source && !m->departing && m->host_problem.empty() && !unusable(*m, now))
      names += fmt::format("{}\"{}\"", names.empty() ? "" : " or ", m->name);
  return names.empty() ? "no other member can take over now" : "name " + names;
}

namespace {

// Beyond this the wait for the candidate would keep writers out for too long.
constexpr std::uint64_t kMaxLagSeconds = 30;
// After a switchover was given up, the same order waits.
constexpr Duration kRetryAfter = std::chrono::minutes(1);

// Replicas other than the candidate that could acknowledge to it.
std::uint32_t other_ackers(const Topology& t, const Member& source, const Member& candidate,
                           TimePoint now) {
  std::uint32_t n = 1;  // the old source becomes one
  for (const auto* m : t.voters())
    if (m != &source && m != &candidate && t.counts(*m) && m->answers(now) &&
        replicates_from(*m, source))
      ++n;
  return n;
}

bool is_listed(const Member* m) { return m && m->is_listed(); }

std::string not_listed(const Topology& t, const Member& source, const Member* candidate,
                       const std::string& name, TimePoint now) {
  return fmt::format(
      "\"{}\" is {}: {}", name,
      candidate && candidate->isolated ? "an isolated member" : "no member of this replication",
      candidates(t, source, now));
}

// What speaks against promoting `candidate`; empty: nothing.
std::vector<Guard> objections(const Topology& t, const Member& source, const Member* candidate,
                              const std::string& name, TimePoint now) {
  if (!is_listed(candidate))
    return {{"CandidateNotListed", not_listed(t, source, candidate, name, now), {}}};
  if (const auto why = unusable(*candidate, now))
    return {{why_unusable(*candidate, "CandidateUnusable"),
             fmt::format("{}; {}", *why, candidates(t, source, now)),
             candidate->probe ? candidate->probe->since : TimePoint{}}};
  const auto& s = *candidate->server();
  if (const auto why = replicates_from_another(t, *candidate, source))
    return {{"CandidateNotReplicating", *why, s.seen}};
  if (!replicates_from(*candidate, source))
    return {{"CandidateNotReplicating", why_not_replicating(*candidate, source), s.seen}};
  std::vector<Guard> out;
  if (candidate->departing)
    out.push_back(
        {"CandidateDeparts", candidate->departing->why + "; " + candidates(t, source, now), {}});
  if (!candidate->host_problem.empty())
    out.push_back({std::string(kHostNotItsOwn),
                   candidate->host_problem + "; " + candidates(t, source, now),
                   {}});
  if (!t.counts(*candidate) || t.recovers(*candidate))
    out.push_back({"CandidateJoining", name + " does not count for the quorum yet", s.seen});
  if (const auto full = nearly_full(*candidate)) out.push_back({"CandidateVolumeFull", *full, {}});
  const auto lag = s.replica->seconds_behind;
  if (!lag || *lag > kMaxLagSeconds)
    out.push_back({"CandidateLags",
                   lag ? fmt::format("{} is {} s behind; at most {} s are waited for", name, *lag,
                                     kMaxLagSeconds)
                       : fmt::format("how far {} is behind is unknown", name),
                   s.seen});
  if (t.semi_sync() && other_ackers(t, source, *candidate, now) < t.acks())
    out.push_back({"TooFewReplicas",
                   fmt::format("{} would have {} replicas to acknowledge, {} are needed", name,
                               other_ackers(t, source, *candidate, now), t.acks()),
                   {}});
  return out;
}

void begin(const Topology& t, const Member& source, const std::string& candidate,
           std::string reason, Plan& plan) {
  plan.record = t.record;
  plan.record->epoch = Epoch{t.record.epoch.value + 1};
  plan.record->operation = Operation{.type = OperationType::Switchover,
                                     .step = Step::Close,
                                     .from = source.name,
                                     .candidate = candidate,
                                     .reason = std::move(reason),
                                     .started = t.wall};
}

// A switchover that was undone a moment ago.
const Outcome* just_given_up(const Topology& t, const Member& source, TimePoint now) {
  if (t.is_fed()) {
    const auto* stopped = source.outcome(Verb::StopReceiver, t.record.epoch);
    return stopped && now - stopped->at < kRetryAfter ? stopped : nullptr;
  }
  const auto* reopened = source.outcome(Verb::Open, t.record.epoch);
  const bool lately =
      reopened && source.outcome(Verb::Close, t.record.epoch) && now - reopened->at < kRetryAfter;
  return lately ? reopened : nullptr;
}

// Lags are whole seconds, and tell nothing while it has not received what the source has.
bool keeps_up(const Member& m, const Member& source) {
  const auto& s = *m.server();
  const auto& of_source = *source.server();
  return s.seen >= of_source.answered() && s.replica->seconds_behind.value_or(~0ull) <= 1 &&
         m.position().contains(of_source.gtid_executed);
}

// How much of what the source was seen to have `m` has to apply yet. A lag of the server's own says
// nothing of one that has just come back and has to receive most of it.
std::uint64_t to_apply(const Member& m, const Member& source) {
  return subtract(source.server()->gtid_executed, m.server()->gtid_executed).count();
}

// A volume that fills up ends a source as surely as an order does.
std::optional<Departure> departure_of(const Member& source) {
  if (source.departing) return source.departing;
  if (auto full = nearly_full(source)) return Departure{std::move(*full), true};
  return std::nullopt;
}

// A source that is about to end goes on for a while, so that its role can be taken by somebody else
// before: by the one that is least behind. Where there is time for it, not before all that could
// have caught up: none follows the new source until it has, and soon the old one will not be there
// to acknowledge in its place.
void hand_over(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto departure = departure_of(source);
  if (!departure || !t.failover.enabled || just_given_up(t, source, now)) return;
  const auto& [why, soon] = *departure;
  const Member* heir = nullptr;
  std::string unfit, behind;
  for (const auto* m : t.voters()) {
    if (m == &source) continue;
    if (const auto against = objections(t, source, m, m->name, now); !against.empty()) {
      unfit += "; " + against.front().text;
      continue;
    }
    const auto lacks = to_apply(*m, source);
    if (!keeps_up(*m, source)) behind += fmt::format("; {} has {} to apply", m->name, lacks);
    if (!heir || lacks < to_apply(*heir, source)) heir = m;
  }
  if (!heir)
    plan.doing = fmt::format("{}, and nobody can take its role over{}", why, unfit);
  else if (!behind.empty() && !soon)
    plan.doing = fmt::format("{}; its replicas catch up first{}", why, behind);
  else
    begin(t, source, heir->name, why, plan);
}

void give_up(const Topology& t, const std::string& why, Plan& plan) {
  plan.record = t.record;
  plan.record->operation->step = Step::Reopen;
  plan.record->operation->reason = why;
}

void close_source(const Topology& t, const Member& from, Plan& plan) {
  const auto epoch = t.record.epoch;
  // Where nobody writes, it goes on by what it receives.
  const auto verb = t.is_fed() ? Verb::StopReceiver : Verb::Close;
  const auto* closed = from.outcome(verb, epoch);
  if (!closed) {
    plan.commands.push_back({.member = from.name, .verb = verb, .epoch = epoch});
    return;
  }
  if (!closed->ok)
    return give_up(t, fmt::format("{} could not be closed: {}", from.name, closed->error.message),
                   plan);
  // Then nobody knows what it had last.
  if (closed->killed)
    return give_up(t, fmt::format("{} died while it was being closed", from.name), plan);
  plan.record = t.record;
  plan.record->operation->step = Step::CatchUp;
  plan.record->operation->gtids = unite(closed->executed, closed->received).to_string();
}

void catch_up(const Topology& t, const Member& candidate, Plan& plan) {
  const auto& op = *t.record.operation;
  const auto until = mysql::GtidSet::parse(op.gtids);
  if (!until)
    return give_up(t, "the recorded GTID set cannot be read: " + until.error().message, plan);
  const auto* drained = candidate.outcome(Verb::Drain, t.record.epoch);
  if (drained && drained->ok) {
    plan.record = t.record;
    plan.record->current = candidate.name;
    plan.record->operation->step = Step::Promote;
    return;
  }
  if (drained)
    return give_up(
        t, fmt::format("{} did not catch up: {}", candidate.name, drained->error.message), plan);
  Command c{.member = candidate.name, .verb = Verb::Drain, .epoch = t.record.epoch};
  c.gtids = *until;
  plan.commands.push_back(std::move(c));
}

void reopen(const Topology& t, const Member& from, TimePoint now, Plan& plan) {
  attach_others(t, from, now, plan);
  if (t.is_fed()) {
    plan.roles[from.name] = Role::Source;
    if (follow_outside(t, from, now, plan) != FollowsOutside::Waits)
      plan.record = finished(t, t.record.operation->reason, true);
    return;
  }
  const bool open = make_source(t, from, plan);
  if (from.done(Verb::Promote, t.record.epoch)) plan.roles[from.name] = Role::Source;
  if (open) plan.record = finished(t, t.record.operation->reason, true);
}

}  // namespace

std::optional<std::string> ordered(const Topology& t) {
  const auto& note = t.order_by_note;
  if (!note.empty() && note != t.record.current && is_listed(t.find(note))) return note;
  if (t.wanted != t.record.honored && t.wanted != t.record.current) return t.wanted;
  return std::nullopt;
}

// It may be listed long after everybody has forgotten the order.
void withdraw_order(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto& name = t.order_by_note;
  const auto* candidate = t.find(name);
  if (name.empty() || is_listed(candidate)) return;
  plan.order =
      "the order to switch over is withdrawn: " + not_listed(t, source, candidate, name, now);
  plan.refusals.push_back({std::string(kWithdrawn), plan.order, {}});
  plan.note_void = true;
}

bool is_obeyed_already(const Topology& t, Plan& plan) {
  if (!t.order_by_note.empty() && t.order_by_note == t.record.current) plan.note_done = true;
  if (t.wanted == t.record.honored || t.wanted != t.record.current) return false;
  plan.record = t.record;
  plan.record->honored = t.wanted;
  return true;
}

void consider_order(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  if (is_obeyed_already(t, plan)) return;
  const auto name = ordered(t);
  if (!name) return hand_over(t, source, now, plan);
  const auto* candidate = t.find(*name);
  auto against = objections(t, source, candidate, *name, now);
  if (const auto* reopened = just_given_up(t, source, now)) {
    against.push_back(
        {"SwitchoverGivenUp", t.record.last ? t.record.last->text : "", reopened->at});
    plan.wake_at(reopened->at + kRetryAfter);
  }
  if (!against.empty()) {
    plan.order = fmt::format("a switchover to {} is ordered and held back", *name);
    for (const auto& g : against) plan.order += fmt::format("; {}: {}", g.rule, g.text);
    plan.doing = plan.order;
    plan.refusals.insert(plan.refusals.end(), against.begin(), against.end());
    // Who goes cannot wait for the one that was named.
    return hand_over(t, source, now, plan);
  }
  begin(t, source, *name, *name == t.wanted ? "spec.source" : "annotation", plan);
  if (*name == t.wanted) plan.record->honored = t.wanted;
}

void resume_switchover(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  if (op.step == Step::Promote) return install(t, now, plan);
  plan.doing =
      fmt::format("Switchover from {} to {}: {}", op.from, op.candidate, to_string(op.step));
  plan.roles[op.from] = Role::None;
  const auto* from = t.find(op.from);
  const auto* candidate = t.find(op.candidate);
  if (!from || from->former) {
    plan.hold("SourceNotListed", op.from + " is no member any more; list it again");
    return;
  }
  if (const auto death = death_of(t, *from, now)) {
    // What it acknowledged is on a quorum, and nothing else is known to be complete.
    consider_failover(t, *from, *death, now, plan);
    if (plan.record || op.step != Step::CatchUp) return;
    plan.guards.clear();
  }
  if (op.step == Step::Reopen) return reopen(t, *from, now, plan);
  if (!is_listed(candidate))
    return give_up(t, op.candidate + " is no (non-isolated) member any more", plan);
  if (candidate->is_anothers()) return give_up(t, *unusable(*candidate, now), plan);
  if (!candidate->host_problem.empty()) return give_up(t, candidate->host_problem, plan);
  if (const auto death = death_of(t, *candidate, now)) return give_up(t, death->evidence, plan);
  if (op.step == Step::Close) return close_source(t, *from, plan);
  catch_up(t, *candidate, plan);
}

}  // namespace troupe::mysql_topology
