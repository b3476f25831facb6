// Who belongs into the group comes in, and who does not goes.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_group/steps.hpp"

namespace troupe::mysql_group {
namespace {

// The group's own limit.
constexpr std::size_t kMaxMembers = 9;

bool is_seated(GroupState state) {
  return state == GroupState::Online || state == GroupState::Recovering;
}

// By the group's word and by its own; of another's, by what its owner saw of it.
bool is_out(const View& view, const Member& m) {
  if (view.seat_of(m)) return false;
  if (!m.is_anothers()) return !is_seated(own_state(m));
  return m.elsewhere && m.elsewhere->ok() && m.elsewhere->observation &&
         !(m.elsewhere->observation->group && is_seated(m.elsewhere->observation->group->state));
}

bool holds_nothing(const View& view, const Member& m, TimePoint now) {
  return is_out(view, m) && m.answers(now) && m.position().empty();
}

// By the specification, or to make room.
bool is_to_leave(const Topology& t, const View& view, const Member& m, TimePoint now) {
  return !m.is_listed() || (topo::leaves(t, m) && holds_nothing(view, m, now));
}

// It is not in the group, and no order to join that comes late brings it back: it has obeyed one to
// leave in an epoch of its own. The majority that is seen has all that it ever acknowledged.
bool has_left_for_good(const Topology& t, const View& view, const Member& m) {
  if ((topo::stays(m) && !topo::leaves(t, m)) || !is_out(view, m)) return false;
  if (m.is_anothers() || (!m.unit_exists && !m.pod_exists)) return true;
  return topo::leaves(t, m) && m.done(Verb::StopGroup, t.record.epoch);
}

// After an outage it can say what was acknowledged. Who has lost its volume cannot, though the
// group does not miss it for 20 s.
bool has_arrived(const View& view, const Member& m, TimePoint now) {
  if (!m.position().empty()) return true;
  return view.has_online(m) && (!m.answers(now) || is_seated(own_state(m)));
}

// Has had its turn, and the group has not taken it in.
bool has_failed(const Topology& t, const Member& m) {
  const auto* started = m.outcome(Verb::StartGroup, t.record.epoch);
  return started && !started->ok;
}

// One at a time: those who hold nothing would outvote who does, once the group is lost
// (DataMissing). So who has failed to join makes room for the next.
void let_come(const Topology& t, const View& view, const Member& next, TimePoint now,
              topo::Quorum& quorum) {
  if (quorum.members.size() >= kMaxMembers) return;
  std::size_t arrived = 0;
  const Member* failed = nullptr;
  for (const auto& name : quorum.members) {
    const auto* m = t.find(name);
    if (m && has_arrived(view, *m, now)) ++arrived;
    if (m && holds_nothing(view, *m, now) && has_failed(t, *m)) failed = m;
  }
  if (arrived * 2 > quorum.members.size())
    quorum.members.push_back(next.name);
  else if (failed && failed->ours && !topo::leaves(t, *failed))
    quorum.leaving.push_back(failed->name);
}

// A member counts before it may hold what nobody else has, or be in a group: it is on record first,
// and as long.
bool keep_record(const Topology& t, const View& view, const Member* next, TimePoint now,
                 Plan& plan) {
  if (plan.record || t.record.operation) return false;
  auto record = t.record;
  auto& quorum = record.quorum;
  for (const auto& name : t.record.quorum.members) {
    const auto* m = t.find(name);
    if (!m || !has_left_for_good(t, view, *m)) continue;
    std::erase(quorum.members, name);
    std::erase(quorum.leaving, name);
  }
  std::erase_if(quorum.leaving, [&](const std::string& name) {
    const auto* m = t.find(name);
    return m && !is_to_leave(t, view, *m, now);
  });
  const auto leaving = quorum.leaving.size();
  for (const auto& m : t.members)
    if (t.counts(m) && m.ours && !topo::stays(m) && !topo::leaves(t, m))
      quorum.leaving.push_back(m.name);
  for (const auto* m : t.voters())
    if (topo::stays(*m) && !t.counts(*m) && view.seat_of(*m) && quorum.members.size() < kMaxMembers)
      quorum.members.push_back(m->name);
  if (next && !t.counts(*next) && !view.seat_of(*next)) let_come(t, view, *next, now, quorum);
  if (quorum == t.record.quorum) return false;
  if (quorum.leaving.size() > leaving) ++record.epoch.value;
  plan.record = std::move(record);
  return true;
}

// What it has and the group lacks. Nothing can be said before the group was asked after it.
std::optional<mysql::GtidSet> own_transactions(const View& view, const Member& m) {
  const auto* primary = view.primary();
  if (!primary || !primary->server() || primary->server()->seen < m.server()->answered())
    return std::nullopt;
  return subtract(m.position(), view.position());
}

// Whether a member that is in no group may join this one; else says what stands against it.
bool may_join(const Topology& t, const View& view, const Member& m, Plan& plan) {
  const auto extra = own_transactions(view, m);
  if (!extra) {
    if (const auto* primary = view.primary()) plan.probe.push_back(primary->name);
    return false;
  }
  if (!extra->empty()) {
    const auto why = fmt::format("{} has {} that nobody else has: {}", m.name,
                                 topo::transactions(extra->count()), extra->to_string());
    plan.hold("Errant", why, m.server()->seen);
    topo::begin_rebuild(t, m, *extra, why, plan);
    return false;
  }
  if (!who_can_tell(view, m)) {
    const auto why =
        fmt::format("{} lacks transactions whose binlogs the group has purged", m.name);
    plan.hold("PurgedAtSource", why, m.server()->seen);
    topo::begin_rebuild(t, m, {}, why, plan);
    return false;
  }
  return true;
}

enum class Place { Taken, ToBeOpened, Waits, Outside };

// Where a listed member stands, and what there is to say of it.
Place place_of(const Topology& t, const View& view, const Member& m, TimePoint now, Plan& plan) {
  if (m.clone_is_partial()) {
    const auto why = fmt::format("a clone of {} {}", m.name,
                                 m.is_being_cloned() ? "is under way" : "was cut short");
    plan.hold("ClonePartial", why, m.agent->since);
    topo::begin_rebuild(t, m, {}, why, plan);
    return Place::Waits;
  }
  if (const auto why = topo::unusable(m, now)) {
    plan.hold(topo::why_unusable_now(m, "ReplicaUnusable", now), *why,
              m.probe ? m.probe->since : TimePoint{});
    return Place::Waits;
  }
  if (m.changed_since_probe()) {
    plan.probe.push_back(m.name);
    return Place::Waits;
  }
  const auto& s = *m.server();
  const auto state = own_state(m);
  if (state == GroupState::Online && view.has_online(m)) {
    const bool closed = s.offline_mode || (&m == view.primary() && s.super_read_only);
    return closed ? Place::ToBeOpened : Place::Taken;
  }
  if (state == GroupState::Online || state == GroupState::Recovering) {
    const bool comes = state == GroupState::Recovering;
    plan.hold(comes ? std::string(topo::kAttaching) : "OutsideMajority",
              comes
                  ? fmt::format("{} recovers from the group: {} to apply", m.name,
                                topo::transactions(s.group->queued))
                  : describe_sight(m) + ", and is not in the group's view: it will leave by itself",
              s.seen);
    return Place::Waits;
  }
  // A person may have opened it: what is written there, nobody else will have.
  if (!s.super_read_only) {
    plan.hold("ReplicaWritable",
              fmt::format("{} can be written to outside the group; it is being closed", m.name),
              s.seen);
    plan.commands.push_back({.member = m.name, .verb = Verb::StopGroup, .epoch = t.record.epoch});
    return Place::Waits;
  }
  return Place::Outside;
}

void tell_failed_join(const Topology& t, const Member& m, Plan& plan) {
  const auto* started = m.outcome(Verb::StartGroup, t.record.epoch);
  if (started && !started->ok)
    plan.hold("JoinFailed", fmt::format("{}: {}", m.name, started->error.message), started->at);
  else
    plan.hold(std::string(topo::kAttaching), m.name + " joins the group");
}

TimePoint last_tried(const Member& m) {
  const auto tried = m.outcomes.find(Verb::StartGroup);
  return tried == m.outcomes.end() ? TimePoint{} : tried->second.at;
}

}  // namespace

const Member* who_can_tell(const View& view, const Member& m) {
  const auto has = m.position();
  const auto at = std::find_if(view.seats.begin(), view.seats.end(), [&](const Seat& seat) {
    return seat.state == GroupState::Online && seat.member->server() &&
           has.contains(seat.member->server()->gtid_purged);
  });
  return at == view.seats.end() ? nullptr : at->member;
}

// A group takes in one at a time; whoever failed waits until the others had their turn. Whoever
// counts need not wait for those that do not: only when it has arrived, or failed, may they come.
bool keep_members(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& op = t.record.operation;
  bool all = true;
  const Member* next = nullptr;
  const Member* next_of_record = nullptr;
  const auto take_turn = [](const Member*& first, const Member& m) {
    if (!first || last_tried(m) < last_tried(*first)) first = &m;
  };
  for (const auto* m : t.voters()) {
    if ((op && op->candidate == m->name) || topo::leaves(t, *m)) {
      all = false;
      continue;
    }
    const auto place = place_of(t, view, *m, now, plan);
    all &= place == Place::Taken;
    if (place == Place::ToBeOpened) plan.commands.push_back(start_command(t, *m));
    if (place != Place::Outside || !may_join(t, view, *m, plan)) continue;
    tell_failed_join(t, *m, plan);
    take_turn(next, *m);
    if (t.counts(*m)) take_turn(next_of_record, *m);
  }
  if (keep_record(t, view, next, now, plan)) return false;
  if (next_of_record && !plan.record) plan.commands.push_back(start_command(t, *next_of_record));
  return all;
}

void let_leave(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  for (const auto& m : t.members) {
    if (!is_to_leave(t, view, m, now)) continue;
    plan.roles[m.name] = Role::None;
    const bool to_be_told = t.counts(m) && !m.done(Verb::StopGroup, t.record.epoch);
    const bool is_in = m.answers(now) ? is_seated(own_state(m)) : view.has_online(m);
    if (m.process_running() && (to_be_told || is_in))
      plan.commands.push_back({.member = m.name, .verb = Verb::StopGroup, .epoch = t.record.epoch});
    else if (t.counts(m) && view.seat_of(m))
      plan.hold(std::string(topo::kLeaving), m.name + " is still seen in the group");
  }
}

}  // namespace troupe::mysql_group
