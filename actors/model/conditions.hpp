// Conditions of a status: a list in which each type stands once, its time moving only when its
// status changes; and the events that tell of them.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/ensure.hpp"
#include "k8s/api/arena.hpp"
#include "k8s/api/metadata.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::actors {

// The condition that names what holds an object back.
inline constexpr std::string_view kReconciled = "Reconciled";

class Conditions {
 public:
  // `live`: those of the object as it is; `wall`: the time of changes.
  Conditions(k8s::Arena& arena, k8s::List<k8s::Condition> live, std::int64_t generation,
             WallTime wall)
      : arena_(arena), live_(live), generation_(generation), wall_(wall) {}

  void set(std::string_view type, bool status, std::string_view reason, std::string_view message);
  // False, with the first guard's rule and the texts of all; there is one at least.
  void held(std::string_view type, const std::vector<Guard>& guards);
  // "Reconciled": true without guards, else held.
  void reconciled(const std::vector<Guard>& guards);
  k8s::List<k8s::Condition> list() { return arena_.list(conditions_); }
  struct Change {
    k8s::Condition now;
    const k8s::Condition* before;  // of the object as it is; null: there was none
  };
  // Those that changed their status or reason; "Reconciled" also when it names something else.
  const std::vector<Change>& changed() const { return changed_; }

 private:
  k8s::Arena& arena_;
  k8s::List<k8s::Condition> live_;
  std::int64_t generation_;
  WallTime wall_;
  std::vector<k8s::Condition> conditions_;
  std::vector<Change> changed_;
};

// Of the conditions that a warning was told about and that are not true again: the reason of the
// last one, by type. In the memory of a kind whose conditions pass through quiet reasons before
// they are true; without it, and after a restart, it is what the object says at last that counts.
using Warned = std::map<std::string, std::string, std::less<>>;

// What there is to tell of the changes of some conditions: a warning of each that is false; and
// once it is true again, that this is over. With a `quiet` reason nothing is wrong.
struct ConditionNews {
  std::string condition;
  bool warning = false;
  std::string reason;
  std::string text;
  std::string before;  // the reason that a warning was told about; empty: nothing was wrong
};
std::vector<ConditionNews> news_of(const Conditions& conditions,
                                   std::initializer_list<std::string_view> types,
                                   std::initializer_list<std::string_view> quiet, Warned& warned);

// The same as events on the object; to be called when the status is written. A reason that is told
// is the rule of a guard of the decision, and the Herald lets a warning pass once that has stood
// for a while.
template <k8s::KindStruct T>
void tell_news(Decision& decision, const T& about, std::vector<ConditionNews> all) {
  for (auto& news : all) {
    auto key = "event " + news.reason + " " + news.text;
    decision.add(std::move(key), EmitEvent{ref_to(about), about.metadata.uid.str(), news.warning,
                                           std::move(news.reason), std::move(news.text),
                                           std::move(news.condition), std::move(news.before)});
  }
}
template <k8s::KindStruct T>
void tell_changes(Decision& decision, const T& about, const Conditions& conditions,
                  std::initializer_list<std::string_view> types,
                  std::initializer_list<std::string_view> quiet, Warned& warned) {
  tell_news(decision, about, news_of(conditions, types, quiet, warned));
}
template <k8s::KindStruct T>
void tell_changes(Decision& decision, const T& about, const Conditions& conditions,
                  std::initializer_list<std::string_view> types) {
  Warned none;
  tell_changes(decision, about, conditions, types, {}, none);
}

}  // namespace troupe::actors
