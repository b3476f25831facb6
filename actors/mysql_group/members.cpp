// Who belongs into the group comes in, and who does not goes.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_group/steps.hpp"

namespace troupe::mysql_group {
namespace {

// The group's own limit.
constexpr std::size_t kMaxMembers = 9;

bool is_out(const View& view, const Member& m) {
  return !view.seat_of(m) && own_state(m) != GroupState::Online &&
         own_state(m) != GroupState::Recovering;
}

// The majority that is seen has all that one ever acknowledged who is no part of it.
bool has_left_for_good(const Topology& t, const View& view, const Member& m) {
  return !topo::stays(m) && is_out(view, m) &&
         (!m.pod_exists || m.is_anothers() || m.done(Verb::StopGroup, t.record.epoch));
}

bool holds_nothing(const View& view, const Member& m, TimePoint now) {
  return is_out(view, m) && m.answers(now) && m.position().empty();
}

// After an outage it can say what was acknowledged.
bool has_arrived(const View& view, const Member& m) {
  return view.has_online(m) || !m.position().empty();
}

// One at a time, and in place of those who have not come to hold anything: those who hold nothing
// would outvote who does, once the group is lost (DataMissing).
void let_come(const Topology& t, const View& view, const Member& next, TimePoint now,
              std::vector<std::string>& names) {
  auto others = names;
  std::erase_if(others, [&](const std::string& name) {
    const auto* m = t.find(name);
    return m && holds_nothing(view, *m, now);
  });
  const auto arrived = std::count_if(others.begin(), others.end(), [&](const std::string& name) {
    const auto* m = t.find(name);
    return m && has_arrived(view, *m);
  });
  if (static_cast<std::size_t>(arrived) * 2 <= others.size() || others.size() >= kMaxMembers)
    return;
  names = std::move(others);
  names.push_back(next.name);
}

// A member counts before it may hold what nobody else has: it is on record first.
bool keep_record(const Topology& t, const View& view, const Member* next, TimePoint now,
                 Plan& plan) {
  if (plan.record || t.record.operation) return false;
  auto record = t.record;
  auto& names = record.quorum.members;
  std::erase_if(names, [&](const std::string& name) {
    const auto* m = t.find(name);
    return m && has_left_for_good(t, view, *m);
  });
  for (const auto* m : t.voters())
    if (topo::stays(*m) && !t.counts(*m) && view.seat_of(*m) && names.size() < kMaxMembers)
      names.push_back(m->name);
  if (next && !t.counts(*next) && !view.seat_of(*next)) let_come(t, view, *next, now, names);
  if (record.quorum == t.record.quorum) return false;
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
  if (m.clone_is_partial()) {
    const auto why = fmt::format("a clone of {} {}", m.name,
                                 m.is_being_cloned() ? "is under way" : "was cut short");
    plan.hold("ClonePartial", why, m.agent->since);
    topo::begin_rebuild(t, m, {}, why, plan);
    return false;
  }
  const auto extra = own_transactions(view, m);
  if (!extra) {
    if (const auto* primary = view.primary()) plan.probe.push_back(primary->name);
    return false;
  }
  if (!extra->empty()) {
    const auto why = fmt::format("{} has {} transactions that nobody else has: {}", m.name,
                                 extra->count(), extra->to_string());
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
                  ? fmt::format("{} recovers from the group: {} transactions to apply", m.name,
                                s.group->queued)
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

// A group takes in one at a time; whoever failed waits until the others had their turn.
bool keep_members(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& op = t.record.operation;
  bool all = true;
  const Member* next = nullptr;
  for (const auto* m : t.voters()) {
    if (op && op->candidate == m->name) {
      all = false;
      continue;
    }
    const auto place = place_of(t, view, *m, now, plan);
    all &= place == Place::Taken;
    if (place == Place::ToBeOpened) plan.commands.push_back(start_command(t, *m));
    if (place != Place::Outside || !may_join(t, view, *m, plan)) continue;
    tell_failed_join(t, *m, plan);
    if (!next || last_tried(*m) < last_tried(*next)) next = m;
  }
  if (keep_record(t, view, next, now, plan)) return false;
  if (next && t.counts(*next) && !plan.record) plan.commands.push_back(start_command(t, *next));
  return all;
}

void let_leave(const Topology& t, const View& view, Plan& plan) {
  for (const auto& m : t.members) {
    if (m.is_listed()) continue;
    plan.roles[m.name] = Role::None;
    const bool to_be_told = t.counts(m) && !m.done(Verb::StopGroup, t.record.epoch);
    if (m.process_running() && (to_be_told || view.has_online(m)))
      plan.commands.push_back({.member = m.name, .verb = Verb::StopGroup, .epoch = t.record.epoch});
    else if (t.counts(m) && view.seat_of(m))
      plan.hold(std::string(topo::kLeaving), m.name + " is still seen in the group");
  }
}

}  // namespace troupe::mysql_group
