// Topologies that are fed from outside: the source follows a server that is no member and takes no
// writes, its replicas follow it. All data come from there, so nothing is acknowledged here: no
// quorum has to be kept, and a source that dies is replaced by whoever has most, and follows on.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"
#include "engines/mysql/model/quorum.hpp"
#include "engines/mysql/model/version.hpp"

namespace troupe::mysql_topology {
namespace {

// How long what a server outside said of itself is relied on.
constexpr Duration kInspectionHolds = std::chrono::seconds(10);
// For how long what stands in the way by that is told: longer, until there is another answer.
constexpr Duration kAnswerStands = std::chrono::seconds(15);
// After an order to follow a server outside was given up, it waits.
constexpr Duration kRetryAfter = std::chrono::minutes(1);
// How long the replicas of a source that was closed may take to get what it has.
constexpr Duration kSpreadTakes = std::chrono::seconds(10);

std::string where(const External& e) { return fmt::format("{} (Secret {})", e.address(), e.name); }

Command about(const Topology& t, const Member& m, Verb verb) {
  return {.member = m.name,
          .verb = verb,
          .epoch = t.record.epoch,
          .peer = std::string(kOutside),
          .address = t.external->address(),
          .accounts = t.external->revision};
}

void ask_to_close(const Topology& t, const Member& m, Plan& plan) {
  plan.commands.push_back(
      {.member = m.name, .verb = Verb::Close, .epoch = t.record.epoch, .kill_if_blocked = true});
}

// Of the server outside as it is described now.
bool is_about(const Outcome& o, const External& e) {
  return o.address == e.address() && o.accounts == e.revision;
}

// What the server outside said to `m` after `since`, and lately; null: it is being asked.
const Outside* inspect(const Topology& t, const Member& m, TimePoint since, TimePoint now,
                       Plan& plan) {
  const auto& e = *t.external;
  const auto last = m.outcomes.find(Verb::InspectSource);
  const bool known = last != m.outcomes.end() && is_about(last->second, e);
  if (known && last->second.ok && last->second.outside && last->second.at >= since &&
      now - last->second.at < kInspectionHolds) {
    plan.wake_at(last->second.at + kInspectionHolds);
    return &*last->second.outside;
  }
  plan.commands.push_back(about(t, m, Verb::InspectSource));
  if (known && !last->second.ok)
    plan.hold("ExternalSourceUnreachable",
              fmt::format("{} cannot ask {} what it has: {}", m.name, where(e),
                          last->second.error.message),
              last->second.at);
  return nullptr;
}

// What is told on: `found`, or else what the server outside said to `m` the last time, in this
// epoch: by now `m` can have got more. Nothing is done on that, but what stands in the way does not
// come and go with each question.
const Outside* said(const Outside* found, const Topology& t, const Member& m, TimePoint now) {
  const auto last = m.outcomes.find(Verb::InspectSource);
  if (found || last == m.outcomes.end()) return found;
  const auto& o = last->second;
  const bool stands = o.outside && o.epoch == t.record.epoch && is_about(o, *t.external) &&
                      now - o.at < kAnswerStands;
  return stands ? &*o.outside : nullptr;
}

std::string text_of(const mysql::GtidSet& set) {
  return fmt::format("{} ({})", transactions(set.count()), set.to_string());
}

// Why `m` must not follow what was found there; nullopt: it may, perhaps after a clone.
std::optional<Guard> objection(const Topology& t, const Member& m, const Outside& found) {
  const auto& e = *t.external;
  const auto guard = [](std::string rule, std::string text) {
    return Guard{std::move(rule), std::move(text), {}};
  };
  if (!found.by_gtids)
    return guard("ExternalWithoutGtids", fmt::format("{}: set gtid_mode=ON there", where(e)));
  for (const auto& other : t.members)
    if (other.server() && mysql::to_string(other.server()->server_uuid) == found.server_uuid)
      return guard(
          "ExternalIsMember",
          fmt::format("{} is {} itself: name a server that is no member", where(e), other.name));
  const auto lacks = subtract(m.position(), found.executed);
  if (lacks.empty()) return std::nullopt;
  return guard("ExternalLacksTransactions",
               fmt::format("{} has {} that {} lacks: only what has all of it can be followed",
                           m.name, text_of(lacks), where(e)));
}

// What `m` lacks and cannot get by following.
mysql::GtidSet out_of_reach(const Member& m, const Outside& found) {
  return subtract(found.purged, m.position());
}

// Nor can a topology that works be cloned from there.
std::optional<Guard> why_not_followed(const Topology& t, const Member& m, const Outside& found) {
  if (auto against = objection(t, m, found)) return against;
  const auto gone = out_of_reach(m, found);
  if (gone.empty()) return std::nullopt;
  return Guard{"PurgedOutside",
               fmt::format("{} lacks {} whose binlogs {} has purged: delete the volumes and the "
                           "MysqlReplication, and have it made again",
                           m.name, text_of(gone), where(*t.external)),
               {}};
}

// CLONE works within one series only.
std::optional<Guard> no_clone(const Topology& t, const Member& m, const Outside& found) {
  const auto there = mysql::parse_version(found.version);
  const auto& here = m.server()->version;
  if (there && there->major == here.major && there->minor == here.minor) return std::nullopt;
  return Guard{
      "ExternalOfAnotherSeries",
      fmt::format("{} runs MySQL {}, {} runs {}, and a clone needs the same series: load "
                  "a dump of it into {} that sets gtid_purged, or take servers of its "
                  "series",
                  where(*t.external), found.version, m.name, mysql::to_string(here), m.name),
      {}};
}

void hold(const Guard& g, Plan& plan) { plan.guards.push_back(g); }

bool is_pointed_outside(const Member& m, const External& e) {
  const auto* s = m.server();
  return s && s->replica && s->replica->source_host == e.host && s->replica->source_port == e.port;
}

bool is_turned_away(const mysql::ReplicaStatus& r) {
  return mysql::reachability_of(r.io_error.number) == mysql::Reachability::AuthFailed;
}

// It follows, or will as soon as the server outside is there again: it tries by itself.
bool follows_by_itself(const Member& m, const External& e) {
  if (!is_pointed_outside(m, e)) return false;
  const auto& s = *m.server();
  const auto& r = *s.replica;
  return s.super_read_only && !s.offline_mode && !s.semi_sync_replica.enabled.value_or(false) &&
         !s.semi_sync_source.enabled.value_or(false) && r.sql == mysql::ThreadState::On &&
         r.io != mysql::ThreadState::Off && !is_turned_away(r);
}

// As it is described now, by the word of its agent.
const Outcome* followed_outside(const Topology& t, const Member& m) {
  const auto* o = m.outcome(Verb::Follow, t.record.epoch);
  return o && o->peer == kOutside && is_about(*o, *t.external) ? o : nullptr;
}

PersistedRecord fed_by(const Topology& t, PersistedRecord record) {
  record.external = t.external->name;
  record.quorum.acks = record.quorum.waits_for = 0;
  return record;
}

void go_to(const Topology& t, Step step, Plan& plan) {
  plan.record = fed_by(t, t.record);
  plan.record->operation->step = step;
}

void give_up(const Topology& t, const std::string& why, Plan& plan) {
  plan.record = finished(t, why, true);
}

// Replicas that count and have all of a set.
struct Spread {
  std::uint32_t have = 0;
  std::string behind;  // the others, for people; empty: there are none
};

Spread spread_of(const Topology& t, const Member& source, const mysql::GtidSet& all,
                 TimePoint now) {
  Spread s;
  for (const auto* m : t.voters()) {
    if (m == &source || !t.counts(*m)) continue;
    if (m->answers(now) && m->position().contains(all))
      ++s.have;
    else
      s.behind += "; " + unusable(*m, now).value_or(m->name + " lacks some of it");
  }
  return s;
}

// Whoever is chosen while no acknowledgement is counted on must have what was acknowledged before:
// all replicas have it first. Whether they do; not for ever does a source stay closed for that.
bool all_have_it(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  const auto spread = spread_of(t, m, m.server()->gtid_executed, now);
  if (spread.behind.empty()) return true;
  const auto text = fmt::format("not all replicas have what {} has{}", m.name, spread.behind);
  const auto closed = m.outcome(Verb::Close, t.record.epoch)->at;
  if (now - closed >= kSpreadTakes) {
    give_up(t, text, plan);
  } else {
    plan.hold("ReplicasBehind", text, closed);
    plan.wake_at(closed + kSpreadTakes);
  }
  return false;
}

// The source takes no more writes, and what it has is known: whether it can follow is decided now.
void judge(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  if (m.changed_since_probe()) return plan.probe.push_back(m.name);
  const auto* found = inspect(t, m, m.server()->answered(), now, plan);
  const auto* answer = said(found, t, m, now);
  if (!answer) return;
  auto against = objection(t, m, *answer);
  // A new topology gets all that is there, be it in binlogs or not.
  const bool is_new = t.is_fed() && m.position().empty();
  const bool must_clone = is_new || !out_of_reach(m, *answer).empty();
  if (!against && must_clone) against = no_clone(t, m, *answer);
  if (!found) {
    if (against && t.is_fed()) hold(*against, plan);
    return;
  }
  if (!against) {
    if (t.is_fed() || all_have_it(t, m, now, plan))
      go_to(t, must_clone ? Step::Clone : Step::Follow, plan);
    return;
  }
  // One that took writes goes on with that.
  if (!t.is_fed()) return give_up(t, against->text, plan);
  hold(*against, plan);
}

void close(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  const auto epoch = t.record.epoch;
  if (!t.is_fed())
    if (const auto death = death_of(t, m, now)) return consider_failover(t, m, *death, now, plan);
  if (!m.done(Verb::Close, epoch)) {
    return ask_to_close(t, m, plan);
  }
  if (const auto why = unusable(m, now))
    return plan.hold(why_unusable_now(m, "SourceUnusable", now), *why);
  judge(t, m, now, plan);
}

enum class Cloned { Yes, No, NotKnown };

// Also where an operator before this one asked for it: its clone may have taken hours, and is not
// made again for want of a look.
Cloned is_cloned(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  if (m.clone_is_partial()) return Cloned::No;
  if (m.done(Verb::Clone, t.record.epoch)) return Cloned::Yes;
  if (const auto why = unusable(m, now)) {
    plan.hold(why_unusable_now(m, "SourceUnusable", now), *why);
    return Cloned::NotKnown;
  }
  if (m.changed_since_probe()) {
    plan.probe.push_back(m.name);
    return Cloned::NotKnown;
  }
  if (m.position().empty()) return Cloned::No;
  const auto* found = inspect(t, m, {}, now, plan);
  if (!found) return Cloned::NotKnown;
  return out_of_reach(m, *found).empty() ? Cloned::Yes : Cloned::No;
}

// `m` has all there is. From what the others have nobody could go on: the server outside may have
// purged what comes next.
void others_recover(const Topology& t, const Member& m, Plan& plan) {
  for (const auto& name : t.record.quorum.members)
    if (name != m.name) plan.record->quorum.begin_to_recover(name);
}

void clone(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  plan.roles[m.name] = Role::None;
  if (!m.agent_connected())
    return plan.hold("SourceUnusable", unusable(m, now).value_or(m.name + " is away"));
  if (m.is_being_cloned()) return;
  const auto* tried = m.outcome(Verb::Clone, t.record.epoch);
  if (tried && !tried->ok)
    plan.hold("CloneFailed",
              fmt::format("{} cannot be cloned from {}: {}", m.name, where(*t.external),
                          tried->error.message),
              tried->at);
  const auto cloned = is_cloned(t, m, now, plan);
  if (cloned == Cloned::Yes) {
    go_to(t, Step::Follow, plan);
    // A copy of the order that comes late must not replace what follows by then.
    ++plan.record->epoch.value;
    others_recover(t, m, plan);
  }
  if (cloned == Cloned::No) plan.commands.push_back(about(t, m, Verb::Clone));
}

}  // namespace

bool external_is_unusable(const Topology& t, Plan& plan) {
  if (!t.external || t.external->problem.empty()) return false;
  plan.hold("ExternalSourceInvalid", t.external->problem);
  return true;
}

void form_fed(const Topology& t, const Member& source, PersistedRecord begun, Plan& plan) {
  plan.record = fed_by(t, std::move(begun));
  plan.record->operation =
      Operation{.type = OperationType::Attach,
                .step = Step::Close,
                .candidate = source.name,
                .reason = fmt::format("new topology, fed by {}", where(*t.external)),
                .started = t.wall};
}

FollowsOutside follow_outside(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  if (!t.external || external_is_unusable(t, plan)) return FollowsOutside::Cannot;
  if (const auto why = unusable(m, now)) {
    plan.hold(why_unusable_now(m, "SourceUnusable", now), *why);
    return FollowsOutside::Waits;
  }
  const auto* followed = followed_outside(t, m);
  if (m.changed_since_probe()) {
    plan.probe.push_back(m.name);
    return followed && followed->ok ? FollowsOutside::Yes : FollowsOutside::Waits;
  }
  // What was told it before may have been another password, which it would keep.
  const bool is_told = !followed || followed->ok;
  if (is_told && follows_by_itself(m, *t.external)) return FollowsOutside::Yes;
  const auto before = plan.guards.size();
  const auto* found = inspect(t, m, m.server()->answered(), now, plan);
  if (!found && plan.guards.size() > before) return FollowsOutside::Cannot;
  const auto* answer = said(found, t, m, now);
  const auto against = answer ? why_not_followed(t, m, *answer) : std::nullopt;
  if (against) hold(*against, plan);
  if (found && against) return FollowsOutside::Cannot;
  if (!against && followed && !followed->ok)
    plan.hold("ExternalSourceNotFollowed",
              fmt::format("{} does not follow {}: {}", m.name, where(*t.external),
                          followed->error.message),
              followed->at);
  if (!found) return FollowsOutside::Waits;
  auto c = about(t, m, Verb::Follow);
  c.gtids = found->purged;
  plan.commands.push_back(std::move(c));
  return FollowsOutside::Waits;
}

bool keep_fed(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto& s = *source.server();
  if (!s.super_read_only && !source.changed_since_probe()) {
    plan.hold("SourceWritable",
              fmt::format("{} can be written to, though all data come from Secret {}: it is being "
                          "closed",
                          source.name, t.record.external),
              s.seen);
    ask_to_close(t, source, plan);
    return false;
  }
  if (!t.external || follow_outside(t, source, now, plan) != FollowsOutside::Yes) return false;
  if (source.changed_since_probe() || !s.replica) return false;
  const auto& r = *s.replica;
  if (r.io == mysql::ThreadState::On && r.sql == mysql::ThreadState::On) return true;
  const auto& error = r.sql_error.number != 0 ? r.sql_error : r.io_error;
  plan.hold(r.sql_error.number != 0 ? "ApplierStopped" : "ExternalSourceUnreachable",
            fmt::format("{} does not receive from {}{}: {}", source.name, where(*t.external),
                        error.number != 0 ? fmt::format(": error {}", error.number) : "",
                        error.number != 0 ? error.text : "it is connecting"),
            s.seen);
  return false;
}

std::optional<mysql::GtidSet> not_from_outside(const Topology& t, const Member& m,
                                               mysql::GtidSet extra, TimePoint now, Plan& plan) {
  if (!t.is_fed() || extra.empty()) return extra;
  if (!t.external || external_is_unusable(t, plan)) return std::nullopt;
  const auto* found = inspect(t, m, m.server()->answered(), now, plan);
  if (!found) return std::nullopt;
  extra.subtract(found->executed);
  return extra;
}

void install_fed(const Topology& t, const Member& candidate, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.roles[candidate.name] = Role::Source;
  attach_others(t, candidate, now, plan);
  if (follow_outside(t, candidate, now, plan) == FollowsOutside::Waits) return;
  // Where the server outside is away, the rest of the work does not wait for it.
  plan.record =
      finished(t, fmt::format("{}: {} is the source, fed by Secret {}: {}", to_string(op.type),
                              candidate.name, t.record.external, op.reason));
}

namespace {

// The annotation was taken away. An order to clone may be under way still, and half a clone is
// nobody's data: its server does not start, and its Unit initialises it again.
void withdraw(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  constexpr const char* kWhy = "the annotation was taken away";
  const auto step = t.record.operation->step;
  if (step == Step::Close) return give_up(t, kWhy, plan);
  if (step != Step::Reopen) {
    plan.record = t.record;
    plan.record->operation->step = Step::Reopen;
    ++plan.record->epoch.value;
    return;
  }
  const bool is_closed = m.done(Verb::Close, t.record.epoch);
  if (!is_closed) ask_to_close(t, m, plan);
  if (is_closed && m.clone_is_partial())
    return plan.hold("ClonePartial",
                     fmt::format("the annotation was taken away before {} was cloned: what there "
                                 "is of the clone is thrown away",
                                 m.name));
  if (const auto why = unusable(m, now))
    return plan.hold(why_unusable_now(m, "SourceUnusable", now), *why);
  if (!is_closed) return;
  if (m.changed_since_probe()) return plan.probe.push_back(m.name);
  give_up(t, kWhy, plan);
  if (!m.position().empty()) others_recover(t, m, plan);
}

}  // namespace

void resume_attach(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.doing = fmt::format("Attach of {}: {}", op.candidate, to_string(op.step));
  const auto* m = t.find(op.candidate);
  if (!m || !m->is_listed())
    return plan.hold("SourceNotListed", op.candidate + " is no member any more; list it again");
  plan.roles[m->name] = Role::Source;
  if (!t.external) return withdraw(t, *m, now, plan);
  if (external_is_unusable(t, plan)) return;
  switch (op.step) {
    case Step::Close:
      return close(t, *m, now, plan);
    case Step::Clone:
      return clone(t, *m, now, plan);
    case Step::Reopen:
      return go_to(t, Step::Close, plan);
    default:
      // An order that came twice, or late, is obeyed again.
      if (m->clone_is_partial()) return go_to(t, Step::Clone, plan);
      return install_fed(t, *m, now, plan);
  }
}

namespace {

void begin_attach(const Topology& t, const Member& source, Plan& plan) {
  const auto text = fmt::format("{} is to follow {}", source.name, where(*t.external));
  plan.record = t.record;
  ++plan.record->epoch.value;
  plan.record->operation = Operation{.type = OperationType::Attach,
                                     .step = Step::Close,
                                     .candidate = source.name,
                                     .reason = text,
                                     .started = t.wall};
}

void begin_detach(const Topology& t, const Member& source, Plan& plan) {
  const auto text =
      fmt::format("{} is to leave Secret {} and take writes", source.name, t.record.external);
  plan.record = t.record;
  ++plan.record->epoch.value;
  plan.record->operation = Operation{.type = OperationType::Detach,
                                     .step = Step::CatchUp,
                                     .candidate = source.name,
                                     .reason = text,
                                     .started = t.wall};
}

// What was given up a moment ago.
bool waits_after_failure(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto& last = t.record.last;
  if (!last || last->type != OperationType::Attach || !last->undone ||
      last->epoch != t.record.epoch)
    return false;
  const auto* closed = source.outcome(Verb::Close, t.record.epoch);
  if (!closed || now - closed->at >= kRetryAfter) return false;
  plan.refusals.push_back({"ExternalSourceGivenUp", last->text, closed->at});
  plan.wake_at(closed->at + kRetryAfter);
  return true;
}

// A topology that works and takes writes is not touched before it is known that it can follow.
void consider_attach(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  if (!t.external->problem.empty()) {
    plan.refusals.push_back({"ExternalSourceInvalid", t.external->problem, {}});
  } else if (!waits_after_failure(t, source, now, plan)) {
    Plan asked;
    const auto* found = inspect(t, source, {}, now, asked);
    plan.wake_at(asked.wake);
    plan.commands.insert(plan.commands.end(), asked.commands.begin(), asked.commands.end());
    plan.refusals.insert(plan.refusals.end(), asked.guards.begin(), asked.guards.end());
    const auto* answer = said(found, t, source, now);
    const auto against = answer ? objection(t, source, *answer) : std::nullopt;
    if (found && !against) return begin_attach(t, source, plan);
    if (against) plan.refusals.push_back(*against);
  }
  if (plan.refusals.empty()) return;
  plan.order = "an external source is asked for and not followed";
  for (const auto& g : plan.refusals) plan.order += fmt::format("; {}: {}", g.rule, g.text);
}

// It was left before anything had come from there, and the annotation is there again.
bool was_never_cloned(const Topology& t, const Member& source, TimePoint now) {
  const auto asked = source.outcomes.find(Verb::InspectSource);
  if (asked == source.outcomes.end() || !asked->second.ok || !asked->second.outside) return false;
  return is_about(asked->second, *t.external) && !unusable(source, now) &&
         !source.changed_since_probe() && source.position().empty() &&
         !asked->second.outside->purged.empty();
}

}  // namespace

bool consider_external(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  if (!t.external) {
    if (t.is_fed()) begin_detach(t, source, plan);
  } else if (!t.is_fed()) {
    consider_attach(t, source, now, plan);
  } else if (t.external->problem.empty() && t.external->name != t.record.external) {
    plan.record = fed_by(t, t.record);
  } else if (t.external->problem.empty() && was_never_cloned(t, source, now)) {
    begin_attach(t, source, plan);
  }
  return plan.record.has_value();
}

namespace {

// Nothing more comes in, and all that came in is executed; null: not yet.
const Outcome* drained(const Topology& t, const Member& m, Plan& plan) {
  const auto epoch = t.record.epoch;
  const auto* stopped = m.outcome(Verb::StopReceiver, epoch);
  const auto* done = m.outcome(Verb::Drain, epoch);
  const bool is_stopped = stopped && stopped->ok;
  if (is_stopped && done && done->ok && done->at >= stopped->at) return done;
  if (is_stopped && done && !done->ok)
    plan.hold(
        "CandidateNotDrained",
        fmt::format("{} cannot execute all that it received: {}", m.name, done->error.message),
        done->at);
  plan.commands.push_back(
      {.member = m.name, .verb = is_stopped ? Verb::Drain : Verb::StopReceiver, .epoch = epoch});
  return nullptr;
}

// Nothing but a clone gives it what `source` has, and that is not made meanwhile.
bool needs_clone(const Member& m, const Member& source, TimePoint now) {
  if (m.clone_is_partial()) return true;
  return m.answers(now) && !m.changed_since_probe() &&
         !m.position().contains(source.server()->gtid_purged);
}

// Whatever its clients were told by the server outside, as many replicas have from now on as if
// they had acknowledged it here.
void catch_up(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  attach_others(t, m, now, plan);
  const auto* all = drained(t, m, plan);
  if (!all) return;
  const auto members = static_cast<int>(t.record.quorum.members.size());
  const auto needed =
      t.mode == Mode::SemiSync ? static_cast<std::uint32_t>(mysql::required_acks(members)) : 0u;
  const auto spread = spread_of(t, m, all->executed, now);
  if (spread.have < needed) {
    for (const auto* other : t.voters())
      if (other != &m && t.counts(*other) && needs_clone(*other, m, now))
        return give_up(t, other->name + " has to be cloned first", plan);
    return plan.hold("ReplicasBehind",
                     fmt::format("{} of {} needed replicas have all that {} received{}",
                                 spread.have, needed, m.name, spread.behind),
                     all->at);
  }
  plan.record = t.record;
  plan.record->operation->step = Step::Promote;
  plan.record->external.clear();
  plan.record->quorum.acks = plan.record->quorum.waits_for = needed;
}

}  // namespace

void resume_detach(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  if (op.step == Step::Promote) return install(t, now, plan);
  plan.doing = fmt::format("Detach of {}: {}", op.candidate, to_string(op.step));
  const auto* m = t.find(op.candidate);
  if (!m || !m->is_listed())
    return plan.hold("SourceNotListed", op.candidate + " is no member any more; list it again");
  plan.roles[m->name] = Role::Source;
  if (t.external) return give_up(t, "the annotation is there again", plan);
  if (const auto death = death_of(t, *m, now)) return consider_failover(t, *m, *death, now, plan);
  if (const auto why = unusable(*m, now))
    return plan.hold(why_unusable_now(*m, "SourceUnusable", now), *why);
  if (let_recover(t, *m, now, plan)) return;
  catch_up(t, *m, now, plan);
}

}  // namespace troupe::mysql_topology
