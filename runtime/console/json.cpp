#include "runtime/console/json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>
#include <utility>

namespace troupe::console {
namespace {

namespace json = boost::json;

// Text, because a chain's id may exceed what JavaScript's numbers hold.
std::string chain_text(CausalId id) { return std::to_string(id.value); }

std::int64_t micros(Duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

json::value time_or_null(WallTime t) {
  if (t == WallTime{}) return nullptr;
  return json::value(to_rfc3339_micro(t));
}

// The wall time of an instant that the record knows on its monotonic clock; null when it was never
// seen.
json::value wall_of(TimePoint instant, const Record& record) {
  if (instant == TimePoint{}) return nullptr;
  return time_or_null(record.wall -
                      std::chrono::duration_cast<std::chrono::microseconds>(record.at - instant));
}

json::object actor_json(ActorId id, const Names& names) {
  auto [kind, name] = names(id);
  return {{"id", id.value}, {"kind", std::move(kind)}, {"name", std::move(name)}};
}

json::array causes_json(const Record& record) {
  json::array out;
  for (const auto& cause : record.causes)
    out.push_back({{"type", to_string(cause.type)},
                   {"chain", chain_text(cause.id)},
                   {"text", cause.text},
                   {"at", wall_of(cause.at, record)}});
  return out;
}

// In seconds, as an object's status tells it, which was reckoned by a look at the clock a moment
// before or after this record's.
json::value second_of(TimePoint since, const Record& record) {
  if (since == TimePoint{}) return nullptr;
  const auto age = std::chrono::duration_cast<std::chrono::microseconds>(record.at - since);
  return time_or_null(std::chrono::round<std::chrono::seconds>(record.wall - age));
}

json::array guards_json(const Record& record) {
  json::array out;
  for (const auto& guard : record.guards)
    out.push_back(
        {{"rule", guard.rule}, {"text", guard.text}, {"since", second_of(guard.since, record)}});
  return out;
}

json::array effects_json(const Record& record) {
  json::array out;
  for (const auto& effect : record.effects)
    out.push_back({{"key", effect.key}, {"text", effect.text}});
  return out;
}

// When the chain's first cause entered the process, as far as the records know.
TimePoint beginning(CausalId id, const std::vector<Record>& records) {
  auto first = TimePoint::max();
  for (const auto& record : records) {
    first = std::min(first, record.at);
    for (const auto& cause : record.causes)
      if (cause.id == id && cause.at != TimePoint{}) first = std::min(first, cause.at);
  }
  return first;
}

}  // namespace

json::object to_json(const ActorInfo& actor) {
  return {{"id", actor.id.value},
          {"kind", actor.kind},
          {"name", actor.name},
          {"runs", actor.runs},
          {"faults", actor.faults},
          {"waiting", actor.waiting},
          {"failing", actor.failing},
          {"quarantined", actor.quarantined},
          {"doing", actor.doing},
          {"guards", actor.guards},
          {"lastRun", time_or_null(actor.last_run)}};
}

json::object to_json(const ActorTotals& totals) {
  return {{"actors", totals.actors},
          {"runs", totals.runs},
          {"faults", totals.faults},
          {"quarantined", totals.quarantined},
          {"queued", totals.queued},
          {"mergedCauses", totals.merged_causes},
          {"runMicros", totals.run_nanoseconds / 1000}};
}

json::object to_json(const Record& record, const Names& names) {
  return {{"actor", actor_json(record.actor, names)},
          {"sequence", record.sequence},
          {"chain", chain_text(record.id)},
          {"at", time_or_null(record.wall)},
          {"tookMicros", micros(record.took)},
          {"causes", causes_json(record)},
          {"mergedCauses", record.merged_causes},
          {"doing", record.doing},
          {"guards", guards_json(record)},
          {"effects", effects_json(record)},
          {"fault", record.fault.empty() ? json::value(nullptr) : json::value(record.fault)},
          {"quietRuns", record.quiet_runs},
          {"lastQuiet", time_or_null(record.last_quiet)}};
}

json::object chain_to_json(CausalId id, std::vector<Record> records, const Names& names,
                           std::size_t limit) {
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.at < b.at; });
  const auto begin = beginning(id, records);
  const bool truncated = records.size() > limit;
  if (truncated) records.resize(limit);
  json::array out;
  for (const auto& record : records) {
    auto one = to_json(record, names);
    one["offsetMicros"] = micros(record.at - begin);
    out.push_back(std::move(one));
  }
  return {{"chain", chain_text(id)},
          {"begin", records.empty() ? json::value(nullptr) : wall_of(begin, records.front())},
          {"truncated", truncated},
          {"records", std::move(out)}};
}

}  // namespace troupe::console
