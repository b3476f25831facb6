// What the engine decides: what to write down first, what to ask of whom, and what holds it back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/mysql_topology/topology.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::mysql_topology {

enum class Role { None, Source, Replica };

// Something worth an event on the object, told with the record that is planned. That an operation
// began or ended needs none: the record says it.
struct Note {
  bool warning = false;
  std::string reason;
  std::string text;
};

// Rules of what takes its time and then goes by itself: nothing is wrong.
inline constexpr std::string_view kUnclaimed = "MemberUnclaimed";
inline constexpr std::string_view kAccountsPending = "AccountsPending";
inline constexpr std::string_view kAttaching = "ReplicaAttaching";
inline constexpr std::string_view kJoining = "MemberJoining";
inline constexpr std::string_view kLeaving = "MemberLeaving";
inline constexpr std::string_view kGrowing = "QuorumGrowing";
inline constexpr std::string_view kCandidateApplies = "CandidateApplies";
// An order that is taken back.
inline constexpr std::string_view kWithdrawn = "OrderWithdrawn";
// Who counts for the quorum may lag behind who has which role, for long where a member is away.
inline bool is_about_who_counts(std::string_view rule) {
  return rule == kJoining || rule == kLeaving || rule == kGrowing;
}
inline bool is_course_of_things(std::string_view rule) {
  return rule == kUnclaimed || rule == kAccountsPending || rule == kAttaching ||
         rule == kCandidateApplies || is_about_who_counts(rule);
}

// Rules that keep a role where it is although its source is gone.
inline bool forbids_change(std::string_view rule) {
  return rule == "QuorumMissing" || rule == "FailoverDisabled" || rule == "LossNotAllowed" ||
         rule == "Diverged" || rule == "HeldByFormerMember" || rule == "EpochsExhausted";
}
// In which order people read them: why nobody takes over first, last what goes by itself.
inline int place_of(std::string_view rule) {
  return forbids_change(rule) ? 0 : is_course_of_things(rule) ? 2 : 1;
}

struct Plan {
  // To be persisted before anything else is done; when set, `commands` is empty.
  std::optional<PersistedRecord> record;
  std::vector<Command> commands;
  std::map<std::string, Role> roles;  // who belongs behind which Service; see role_after
  std::vector<std::string> probe;     // members to be probed at once
  std::vector<Guard> guards;
  // Why an order for another source is not obeyed; the topology may be all right.
  std::vector<Guard> refusals;
  std::vector<Note> notes;
  std::string doing;
  TimePoint wake = TimePoint::max();
  bool ready = false;     // every member has its role and works, and nothing is held back
  bool writable = false;  // the source takes writes, with its acknowledgements
  bool forming = false;   // what holds it back is that members are still being made
  // Who is reached by which name stays as it is: whose roles these are cannot be decided.
  bool roles_stand = false;
  bool note_done = false;    // the annotation switchover-to has been obeyed: remove it
  bool note_void = false;    // it names nobody who could obey, as `refusals` says: remove it
  std::string order;         // that one waits or is withdrawn, and why; empty: neither
  bool choice_over = false;  // there is nothing to choose (any more): remove annotation recover-on

  void hold(std::string rule, std::string text, TimePoint since = {}) {
    guards.push_back({std::move(rule), std::move(text), since});
  }
  void wake_at(TimePoint t) { wake = std::min(wake, t); }
};

// What `member` is to be reached as, who is reached as `before`. Of whom the plan says nothing, as
// nothing is known yet, stays behind its Service: readers lose no server because the operator was
// restarted. Only who is named as such is the source.
Role role_after(const Plan& plan, const std::string& member, Role before);

}  // namespace troupe::mysql_topology
