// Conditions of a status: a list in which each type stands once, its time moving only when its
// status changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/arena.hpp"
#include "k8s/api/metadata.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::actors {

class Conditions {
 public:
  // `live`: those of the object as it is; `wall`: the time of changes.
  Conditions(k8s::Arena& arena, k8s::List<k8s::Condition> live, std::int64_t generation,
             WallTime wall)
      : arena_(arena), live_(live), generation_(generation), wall_(wall) {}

  void set(std::string_view type, bool status, std::string_view reason, std::string_view message);
  // "Reconciled": true without guards; else false, with the first one's rule and the texts of all.
  void reconciled(const std::vector<Guard>& guards);
  k8s::List<k8s::Condition> list() { return arena_.list(conditions_); }
  // Those that changed their status or reason; "Reconciled" also when it names something else.
  const std::vector<k8s::Condition>& changed() const { return changed_; }

 private:
  k8s::Arena& arena_;
  k8s::List<k8s::Condition> live_;
  std::int64_t generation_;
  WallTime wall_;
  std::vector<k8s::Condition> conditions_;
  std::vector<k8s::Condition> changed_;
};

}  // namespace troupe::actors
