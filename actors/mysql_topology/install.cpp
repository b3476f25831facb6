// The last steps of Form, Failover and Switchover: promote, attach, open.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

std::string story(const Operation& op) {
  const auto type = to_string(op.type);
  return op.from.empty()
             ? fmt::format("{}: {} is the source", type, op.candidate)
             : fmt::format("{}: {} took over from {}: {}", type, op.candidate, op.from, op.reason);
}

// Receives from the candidate, or will as soon as it reaches it, and acknowledges if it shall.
bool is_attached(const Topology& t, const Member& m, const Member& candidate) {
  return (replicates_from(m, candidate) || is_connecting(m, candidate)) &&
         m.server()->semi_sync_replica.enabled.value_or(false) == acknowledges(t, m);
}

// Replicas whose acknowledgements the candidate gets, or will get.
std::uint32_t attached_to(const Topology& t, const Member& candidate, TimePoint now) {
  std::uint32_t n = 0;
  for (const auto* m : t.voters()) {
    if (m == &candidate || !t.counts(*m) || !m->answers(now)) continue;
    const bool attached = m->changed_since_probe() ? m->has_followed(t.record.epoch, candidate)
                                                   : is_attached(t, *m, candidate);
    if (attached) ++n;
  }
  return n;
}

// Acknowledgements without which it does not get on: what it was told to wait for holds its commits
// up until it has been told otherwise, and that it cannot be while they wait.
std::uint32_t acks_needed(const Topology& t, const Member& candidate) {
  const auto* s = candidate.server();
  if (!s || !s->semi_sync_source.enabled.value_or(false)) return t.acks();
  return std::max(
      t.acks(), static_cast<std::uint32_t>(s->semi_sync_source.wait_for_replica_count.value_or(0)));
}

// How long replicas take to attach to one that was promoted, if nothing is wrong.
constexpr Duration kAttachingTakes = std::chrono::seconds(3);

// Why `m` does not acknowledge to the candidate; nothing if it follows.
std::optional<std::string> why_not_attached(const Topology& t, const Member& m,
                                            const Member& candidate, TimePoint now) {
  if (const auto why = unusable(m, now)) return why;
  if (replicates_from(m, candidate)) return std::nullopt;
  if (auto why = replicates_from_another(t, m, candidate)) return why;
  const auto& replica = m.server()->replica;
  const bool says_why =
      replica && (replica->io_error.number != 0 || replica->sql_error.number != 0);
  const auto* followed = m.outcome(Verb::Follow, t.record.epoch);
  if (!says_why && followed && !followed->ok)
    return fmt::format("{}: {}", m.name, followed->error.message);
  return why_not_replicating(m, candidate);
}

// The candidate is not opened before its replicas are there, and there is no way back.
void tell_who_is_missing(const Topology& t, const Member& candidate, TimePoint now, Plan& plan) {
  const auto* promoted = candidate.outcome(Verb::Promote, t.record.epoch);
  if (!t.semi_sync() || !promoted) return;
  const auto* opened = candidate.outcome(Verb::Open, t.record.epoch);
  const bool was_not_opened = opened && !opened->ok;
  if (!was_not_opened && now - promoted->at < kAttachingTakes) {
    plan.wake_at(promoted->at + kAttachingTakes);
    return;
  }
  const auto* s = candidate.server();
  const auto attached = s ? s->semi_sync_source.clients.value_or(0) : 0;
  if (attached >= t.acks()) return;
  auto text = fmt::format("{} of {} replicas that {} needs are attached", attached, t.acks(),
                          candidate.name);
  for (const auto* m : t.voters())
    if (m != &candidate && acknowledges(t, *m))
      if (const auto why = why_not_attached(t, *m, candidate, now)) text += "; " + *why;
  plan.hold("ReplicasNotAttached", text, promoted->at);
  // A new topology may still be on its way, but not after that.
  plan.forming &= !was_not_opened;
}

// A candidate is not promoted before it has applied all that it has received, which may take hours,
// nor at all while its applier has stopped with an error.
void tell_how_far(const Topology& t, const Member& candidate, Plan& plan) {
  const auto* promoted = candidate.outcome(Verb::Promote, t.record.epoch);
  if (promoted && promoted->ok) return;
  const auto& busy = candidate.agent ? candidate.agent->operation : std::nullopt;
  if (candidate.agent_connected() && busy && busy->kind == "Promote" && !busy->stage.empty())
    plan.hold(std::string(kCandidateApplies),
              fmt::format("{} is not opened before it has applied what it received: {}",
                          candidate.name, busy->stage));
  if (promoted)
    plan.hold("CandidateNotPromoted",
              fmt::format("{} cannot be promoted: {}", candidate.name, promoted->error.message),
              promoted->at);
}

// What clients may have seen committed and the new source lacks, as far as it is known already.
void report_left_behind(const Topology& t, const Member& candidate, Plan& plan) {
  const auto& from = t.record.operation->from;
  const auto* fallen = t.find(from);
  const auto* opened = candidate.outcome(Verb::Open, t.record.epoch);
  mysql::GtidSet left;
  if (fallen && fallen->server() && opened)
    left = subtract(fallen->server()->gtid_executed, opened->executed);
  report_lost(
      *plan.record,
      Lost{.member = from, .gtids = left.to_string(), .epoch = t.record.epoch, .at = t.wall});
}

// One that had no data when it was chosen, as nobody had, is not taken for that: what others have
// meanwhile nobody acknowledged.
bool is_the_server_chosen(const Topology& t, const Member& candidate) {
  const auto& chosen = t.record.operation->candidate_uuid;
  return !chosen.empty() && candidate.server() &&
         mysql::to_string(candidate.server()->server_uuid) == chosen;
}

// Its volume may have been replaced after it was chosen. One that is fed gets all from outside.
std::optional<Death> lost_its_data(const Topology& t, const Member& candidate) {
  if (!candidate.data_is_known() || !candidate.position().empty() ||
      is_the_server_chosen(t, candidate))
    return std::nullopt;
  const auto other = std::find_if(t.members.begin(), t.members.end(),
                                  [](const Member& m) { return !m.position().empty(); });
  if (other == t.members.end()) return std::nullopt;
  return Death{fmt::format("{} has no data any more, and {} has", candidate.name, other->name),
               candidate.server() ? candidate.server()->seen : TimePoint{}};
}

// It has nothing that the candidate has not, and cannot receive the rest: it gets the candidate's
// data. Elsewhere that waits until the candidate is open, which here waits for its
// acknowledgements.
void clone_to_attach(const Topology& t, const Member& m, const Member& candidate, Plan& plan) {
  const auto epoch = t.record.epoch;
  if (m.is_being_cloned()) return;
  if (t.counts(m) && !t.recovers(m)) {
    plan.record = t.record;
    plan.record->quorum.begin_to_recover(m.name);
    return;
  }
  if (!m.clone_is_partial() && !m.done(Verb::StopReceiver, epoch)) {
    plan.commands.push_back({.member = m.name, .verb = Verb::StopReceiver, .epoch = epoch});
    return;
  }
  if (const auto why = no_room_for_clone(m, candidate)) return plan.hold("CloneNeedsSpace", *why);
  plan.commands.push_back({.member = m.name,
                           .verb = Verb::Clone,
                           .epoch = epoch,
                           .peer = candidate.name,
                           .needed_bytes = clone_needs(m, candidate)});
}

}  // namespace

// What has more than the candidate is left for later, when the candidate works: it will be rebuilt.
// But where the candidate cannot work without its acknowledgements, it follows first.
void attach_others(const Topology& t, const Member& candidate, TimePoint now, Plan& plan) {
  const Member* with_more = nullptr;
  const Member* with_too_little = nullptr;
  std::uint32_t attached = attached_to(t, candidate, now);
  for (const auto* m : t.voters()) {
    if (m == &candidate) continue;
    if (m->clone_is_partial()) {
      with_too_little = m;
      continue;
    }
    if (!m->process_running()) continue;
    if (close_stray(t, *m, plan)) continue;
    if (m->answers(now) && !m->changed_since_probe()) {
      if (is_attached(t, *m, candidate)) continue;
      if (const auto why = replicates_from_another(t, *m, candidate)) {
        plan.hold(std::string(kFromAnother), *why, m->server()->seen);
        continue;
      }
    }
    if (!m->data_is_known()) {
      plan.probe.push_back(m->name);
      continue;
    }
    if (!candidate.position().contains(m->position())) {
      plan.hold("HasMoreThanSource",
                fmt::format("{} has transactions that {} lacks, and is looked at when {} is open",
                            m->name, candidate.name, candidate.name));
      if (m->answers(now)) with_more = m;
      continue;
    }
    if (candidate.server() && !m->position().contains(candidate.server()->gtid_purged)) {
      plan.hold(
          "PurgedAtSource",
          fmt::format("{} lacks transactions whose binlogs {} has purged, and is rebuilt when "
                      "{} is open, or before if that needs its acknowledgements",
                      m->name, candidate.name, candidate.name));
      with_too_little = m;
      continue;
    }
    follow(t, *m, candidate, plan);
    if (t.counts(*m)) ++attached;
  }
  if (attached >= acks_needed(t, candidate)) return;
  if (with_more) return follow(t, *with_more, candidate, plan);
  if (with_too_little) clone_to_attach(t, *with_too_little, candidate, plan);
}

void install(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.doing = fmt::format("{}: making {} the source", to_string(op.type), op.candidate);
  plan.forming = op.type == OperationType::Form;
  plan.roles[op.from] = op.type == OperationType::Failover ? Role::None : Role::Replica;
  plan.roles[op.candidate] = Role::None;

  const auto* candidate = t.find(op.candidate);
  if (!candidate || candidate->former) {
    plan.hold("CandidateGone",
              fmt::format("{} is no member any more; list it again", op.candidate));
    return;
  }
  if (const auto death = death_of(t, *candidate, now)) {
    consider_failover(t, *candidate, *death, now, plan);
    return;
  }
  if (t.is_fed()) return install_fed(t, *candidate, now, plan);
  if (const auto lost = lost_its_data(t, *candidate))
    return consider_failover(t, *candidate, *lost, now, plan);
  attach_others(t, *candidate, now, plan);
  const bool open = make_source(t, *candidate, plan);
  if (candidate->done(Verb::Promote, t.record.epoch)) plan.roles[op.candidate] = Role::Source;
  if (!open) {
    tell_how_far(t, *candidate, plan);
    return tell_who_is_missing(t, *candidate, now, plan);
  }
  plan.record = finished(t, story(op));
  if (op.type == OperationType::Failover && t.mode == Mode::Async)
    report_left_behind(t, *candidate, plan);
}

}  // namespace troupe::mysql_topology
