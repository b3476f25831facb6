// Who counts for the quorum, and for how much: see Quorum in topology.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

// A replica that counts, works, and was seen after the source.
bool follows_well(const Topology& t, const Member& m, const Member& source, TimePoint now) {
  return &m != &source && t.counts(m) && !unusable(m, now) && !m.changed_since_probe() &&
         m.server()->seen >= source.server()->answered() && healthy_replica(t, m, source);
}

struct Holders {
  std::uint32_t working = 0;  // replicas that count and work
  std::uint32_t all = 0;      // of them, those that have all that the source had when it was seen
};

Holders holders(const Topology& t, const Member& source, TimePoint now) {
  Holders h;
  for (const auto* m : t.voters()) {
    if (!follows_well(t, *m, source, now)) continue;
    ++h.working;
    if (m->position().contains(source.server()->gtid_executed)) ++h.all;
  }
  return h;
}

bool receives_from(const mysql::MemberObservation& s, const Member& source) {
  return s.replica && s.replica->io != mysql::ThreadState::Off &&
         source.is_at(s.replica->source_host, s.replica->source_port);
}

// Since when it is known not to receive from the source; max: it may. Of ours the agent lets nobody
// else begin it again in this epoch; another's is what it is seen to be.
TimePoint apart_since(const Topology& t, const Member& m, const Member& source) {
  const auto& looked = m.is_anothers() ? m.elsewhere : m.probe;
  if (!looked || !looked->ok() || !looked->observation ||
      receives_from(*looked->observation, source))
    return TimePoint::max();
  if (m.is_anothers()) return looked->observation->answered();
  const bool stopped = m.done(Verb::StopReceiver, t.record.epoch) && !m.changed_since_probe();
  return stopped ? m.outcome(Verb::StopReceiver, t.record.epoch)->at + kSettled : TimePoint::max();
}

// It has neither a Unit nor a Pod: nothing of it can be asked, nor will anything of it come back.
bool is_gone(const Topology& t, std::string_view name) {
  const auto* m = t.find(name);
  return !m || (!m->unit_exists && !m->pod_exists);
}

// Replicas that acknowledge to the source, by its word or by theirs: one that does not wait yet
// counts nobody.
std::uint32_t attached(const Topology& t, const Member& source) {
  const auto told = source.server()->semi_sync_source.clients.value_or(0);
  const auto seen = std::count_if(t.members.begin(), t.members.end(), [&](const Member& m) {
    const auto* s = m.server();
    return s && t.counts(m) && receives_from(*s, source) &&
           s->replica->io == mysql::ThreadState::On && s->semi_sync_replica.enabled.value_or(false);
  });
  return std::max(static_cast<std::uint32_t>(told), static_cast<std::uint32_t>(seen));
}

void change(const Topology& t, Quorum quorum, std::string text, bool new_epoch, Plan& plan) {
  plan.record = t.record;
  plan.record->quorum = std::move(quorum);
  if (new_epoch) ++plan.record->epoch.value;
  const auto& q = plan.record->quorum;
  plan.notes.push_back({false, "QuorumChanged",
                        fmt::format("{}: {} members count, commits wait for {}", text,
                                    q.members.size(), q.waits_for)});
}

bool wait_for_fewer(const Topology& t, Plan& plan) {
  auto q = t.record.quorum;
  const auto wanted = t.acks_wanted();
  if (wanted >= q.waits_for) return false;
  q.waits_for = wanted;
  q.acks = std::min(q.acks, wanted);
  change(t, std::move(q), "fewer acknowledgements are wanted", false, plan);
  if (t.mode == Mode::Async && !t.is_fed())
    plan.notes.push_back({true, "DurabilityLowered",
                          "spec.mode is rpl_async now: commits wait for no replica any more, and a "
                          "failover can lose what clients were told is committed"});
  return true;
}

bool wait_for_more(const Topology& t, const Member& source, Plan& plan) {
  auto q = t.record.quorum;
  const auto wanted = t.acks_wanted();
  if (wanted <= q.waits_for || attached(t, source) < wanted) return false;
  q.waits_for = wanted;
  // Nothing of this epoch tells the source to wait for fewer.
  change(t, std::move(q), "more replicas acknowledge", true, plan);
  return true;
}

// The source waits for so many and its agent refuses what said otherwise; so many replicas have
// what came before.
bool count_on_more(const Topology& t, const Member& source, const Holders& h, Plan& plan) {
  auto q = t.record.quorum;
  if (q.waits_for <= q.acks || h.all < q.waits_for || !semi_sync_is_right(t, *source.server()) ||
      !source.agent_connected() || source.agent->highest_epoch != t.record.epoch)
    return false;
  q.acks = q.waits_for;
  change(t, std::move(q), "what replicas have is enough", false, plan);
  return true;
}

// It has all that the source had when that was seen.
bool has_caught_up(const Topology& t, const Member& m, const Member& source, TimePoint now) {
  if (!stays(m) || unusable(m, now) || m.changed_since_probe()) return false;
  return &m == &source ||
         (m.server()->seen >= source.server()->answered() && healthy_replica(t, m, source) &&
          m.position().contains(source.server()->gtid_executed));
}

// Whoever counts could hold a failover back: it has to have caught up first.
bool let_join(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  auto q = t.record.quorum;
  for (const auto* m : t.voters()) {
    if (t.counts(*m) || !has_caught_up(t, *m, source, now)) continue;
    q.members.push_back(m->name);
    change(t, std::move(q), m->name + " has caught up", false, plan);
    return true;
  }
  return false;
}

// It acknowledges no more, and what it acknowledged last the source has committed since.
bool is_apart(const Topology& t, const std::string& name, const Member& source) {
  if (is_gone(t, name)) return true;
  return apart_since(t, *t.find(name), source) <= source.server()->seen;
}

// All at once: of two that leave three, none can be spared as long as the other one counts.
bool let_leave(const Topology& t, const Member& source, const Holders& h, Plan& plan) {
  auto q = t.record.quorum;
  std::string names;
  for (const auto& name : t.record.quorum.members) {
    const auto* m = t.find(name);
    if (name == source.name || (m && stays(*m))) continue;
    if (m && m->ours && !leaves(t, *m)) {
      q = t.record.quorum;
      q.leaving.push_back(name);
      // No order to follow that comes late is obeyed any more.
      change(t, std::move(q), name + " is to leave", true, plan);
      return true;
    }
    if (!is_apart(t, name, source)) continue;
    std::erase(q.members, name);
    std::erase(q.leaving, name);
    std::erase(q.recovering, name);
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return false;
  q.waits_for = std::min(q.waits_for, acks_of(t, q.members.size()));
  q.acks = std::min(q.acks, q.waits_for);
  // Nothing that was acknowledged is missed; and the source has nobody else on its list who might.
  if (h.all < q.acks || source.server()->semi_sync_source.clients.value_or(0) > h.working)
    return false;
  change(t, std::move(q), names + " left", false, plan);
  return true;
}

std::string left_to_receive(const Member& m, const Member& source) {
  if (!m.server() || !source.server() || !replicates_from(m, source)) return {};
  const auto lacks = subtract(source.server()->gtid_executed, m.position()).count();
  return fmt::format(": it has {} to receive", transactions(lacks));
}

// Those of others are told of elsewhere.
void tell_who_changes(const Topology& t, const Member& source, Plan& plan) {
  for (const auto* m : t.voters())
    if ((!t.counts(*m) || t.recovers(*m)) && m->ours && m != &source)
      plan.hold(std::string(kJoining),
                fmt::format("{} does not count for the quorum before it has caught up with {}{}",
                            m->name, source.name, left_to_receive(*m, source)));
  const auto& q = t.record.quorum;
  for (const auto& name : q.members) {
    const auto* m = t.find(name);
    if (!m || !m->is_listed())
      plan.hold(std::string(kLeaving),
                fmt::format("{} counts for the quorum until it is seen to follow {} no more, or is "
                            "gone, and enough others have what {} has",
                            name, source.name, source.name));
  }
  if (q.acks < t.acks_wanted())
    plan.hold(std::string(kGrowing),
              fmt::format("{} acknowledgements can be counted on, {} are wanted: a failover needs "
                          "{} replicas until then",
                          q.acks, t.acks_wanted(), t.quorum()));
}

}  // namespace

// What it acknowledged once it has again, as the source has all that was acknowledged.
bool let_recover(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  auto q = t.record.quorum;
  for (const auto* m : t.voters()) {
    if (!t.recovers(*m) || !has_caught_up(t, *m, source, now)) continue;
    std::erase(q.recovering, m->name);
    change(t, std::move(q), m->name + " has all data again", false, plan);
    return true;
  }
  return false;
}

void keep_quorum(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  if (wait_for_fewer(t, plan)) return;
  if (source.answers(now) && source.process_running() && !source.changed_since_probe()) {
    const auto h = holders(t, source, now);
    if (let_recover(t, source, now, plan) || let_join(t, source, now, plan) ||
        wait_for_more(t, source, plan) || count_on_more(t, source, h, plan) ||
        let_leave(t, source, h, plan))
      return;
  }
  tell_who_changes(t, source, plan);
}

}  // namespace troupe::mysql_topology
