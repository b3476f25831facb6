// Actors and records as the console's JSON; docs/console-api.md describes it for its users. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <span>

#include "runtime/actors.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::console {

// Kind and name of an actor; of one that has ended, empty ones.
struct ActorName {
  std::string kind;
  std::string name;
};
using Names = std::function<ActorName(ActorId)>;

boost::json::object to_json(const ActorInfo& actor);
boost::json::object to_json(const ActorTotals& totals);
boost::json::object to_json(const Record& record, const Names& names);
// One chain's records, which may come in any order: sorted by time, each with its offset from the
// chain's first cause. At most `limit` of them, the first ones.
boost::json::object chain_to_json(CausalId id, std::vector<Record> records, const Names& names,
                                  std::size_t limit);

}  // namespace troupe::console
