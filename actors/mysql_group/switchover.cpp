// Another primary, on order or because the server of the one there is will end. The group does it:
// it drains the old primary, and nothing of ours has to be undone.
#include <fmt/format.h>

#include "actors/mysql_group/steps.hpp"

namespace troupe::mysql_group {
namespace {

// After the group has refused, the same order waits.
constexpr Duration kRetryAfter = std::chrono::minutes(1);
// Until every member says who the new primary is.
constexpr Duration kSettles = std::chrono::seconds(5);
// Beyond this the group would keep writers out for too long.
constexpr std::uint64_t kMaxQueued = 10'000;

std::optional<troupe::Guard> objection(const Topology& t, const View& view, const Member* candidate,
                                       const std::string& name, TimePoint now) {
  const auto& primary = *view.primary();
  const auto others = topo::candidates(t, primary, now);
  if (!candidate || !candidate->is_listed())
    return troupe::Guard{"CandidateNotListed",
                         fmt::format("\"{}\" is no member of this replication: {}", name, others),
                         {}};
  if (const auto why = topo::unusable(*candidate, now))
    return troupe::Guard{topo::why_unusable(*candidate, "CandidateUnusable"),
                         fmt::format("{}; {}", *why, others),
                         candidate->probe ? candidate->probe->since : TimePoint{}};
  if (!view.has_online(*candidate) || own_state(*candidate) != GroupState::Online)
    return troupe::Guard{"CandidateNotOnline", name + " is not ONLINE in the group; " + others, {}};
  if (candidate->departing)
    return troupe::Guard{"CandidateDeparts", candidate->departing->why + "; " + others, {}};
  if (const auto queued = candidate->server()->group->queued; queued > kMaxQueued)
    return troupe::Guard{"CandidateLags",
                         fmt::format("{} has {} to apply; at most {} are waited for", name,
                                     topo::transactions(queued), kMaxQueued),
                         candidate->server()->seen};
  const auto* refused = candidate->outcome(Verb::SetGroupPrimary, t.record.epoch);
  if (refused && !refused->ok && now - refused->at < kRetryAfter)
    return troupe::Guard{"SwitchoverGivenUp", refused->error.message, refused->at};
  return std::nullopt;
}

void begin(const Topology& t, const Member& primary, const std::string& candidate,
           std::string reason, Plan& plan) {
  plan.record = t.record;
  plan.record->epoch.value += 1;
  plan.record->operation = Operation{.type = OperationType::Switchover,
                                     .step = Step::Promote,
                                     .from = primary.name,
                                     .candidate = candidate,
                                     .reason = std::move(reason),
                                     .started = t.wall};
}

// The role goes to the one that is least behind. False where nobody is fit, with what is against
// each.
bool hand_over(const Topology& t, const View& view, const std::string& why, TimePoint now,
               std::string& unfit, Plan& plan) {
  const auto& primary = *view.primary();
  const Member* heir = nullptr;
  for (const auto* m : t.voters()) {
    if (m == &primary) continue;
    if (const auto against = objection(t, view, m, m->name, now)) {
      unfit += "; " + against->text;
      continue;
    }
    if (!heir || m->server()->group->queued < heir->server()->group->queued) heir = m;
  }
  if (heir) begin(t, primary, heir->name, why, plan);
  return heir != nullptr;
}

// Before its server ends.
void leave_departing(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& departing = view.primary()->departing;
  std::string unfit;
  if (departing && !hand_over(t, view, departing->why, now, unfit, plan))
    plan.doing = fmt::format("{}, and nobody can take its role over{}", departing->why, unfit);
}

}  // namespace

void consider_order(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& primary = *view.primary();
  if (topo::is_obeyed_already(t, plan)) return;
  const auto name = topo::ordered(t);
  if (!name) return leave_departing(t, view, now, plan);
  if (const auto against = objection(t, view, t.find(*name), *name, now)) {
    plan.order = fmt::format("a switchover to {} is ordered and held back; {}: {}", *name,
                             against->rule, against->text);
    plan.doing = plan.order;
    plan.refusals.push_back(*against);
    plan.wake_at(now + kRetryAfter);
    return leave_departing(t, view, now, plan);
  }
  begin(t, primary, *name, *name == t.wanted ? "spec.source" : "annotation", plan);
  if (*name == t.wanted) plan.record->honored = t.wanted;
}

void hand_over_to_a_member(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& primary = *view.primary();
  const auto why = fmt::format("{} is the primary and {}", primary.name,
                               primary.former ? "is not listed any more" : "was isolated");
  std::string unfit;
  if (hand_over(t, view, why, now, unfit, plan)) return;
  plan.hold("SourceNotListed",
            fmt::format("{}, and nobody can take its role over{}; list it again", why, unfit));
  plan.wake_at(now + kRetryAfter);
}

void resume_switchover(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.doing = fmt::format("Switchover from {} to {}", op.from, op.candidate);
  const auto give_up = [&](const std::string& why) { plan.record = topo::finished(t, why, true); };
  const auto* candidate = t.find(op.candidate);
  if (!candidate || !topo::stays(*candidate))
    return give_up(op.candidate + " is no member any more");
  if (const auto death = death_of(t, *candidate, now)) return give_up(death->evidence);
  if (!view.has_online(*candidate)) return give_up(op.candidate + " is not ONLINE in the group");
  const auto* made = candidate->outcome(Verb::SetGroupPrimary, t.record.epoch);
  if (made && !made->ok)
    return give_up(fmt::format("{} was not made primary: {}", op.candidate, made->error.message));
  if (made && view.witness->server()->seen > made->at + kSettles)
    return give_up(op.candidate + " did not stay the group's primary");
  if (made) {
    plan.probe.push_back(candidate->name);  // until the group's view says so, too
    return;
  }
  plan.commands.push_back(
      {.member = op.candidate, .verb = Verb::SetGroupPrimary, .epoch = t.record.epoch});
}

}  // namespace troupe::mysql_group
