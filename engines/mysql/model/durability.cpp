#include "engines/mysql/model/durability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <optional>
#include <utility>

namespace troupe::mysql {
namespace {

constexpr Pin kPins[] = {
    {"sync_binlog", "", "1", "a crash of the node loses acknowledged writes from the binary log"},
    {"innodb_flush_log_at_trx_commit", "", "1", "a crash of the node loses acknowledged writes"},
    {"innodb_doublewrite", "", "on", "a crash can leave torn pages that cannot be repaired"},
    {"gtid_mode", "", "on", "positions cannot be compared"},
    {"enforce_gtid_consistency", "", "on", "some transactions would have no GTID of their own"},
    {"binlog_format", "", "row", "statements can have another effect on a replica"},
    {"skip_log_bin", "disable_log_bin", "off", "there is nothing to replicate from"},
    {"log_replica_updates", "log_slave_updates", "on",
     "a promoted replica could not serve what it received"},
    {"replica_preserve_commit_order", "slave_preserve_commit_order", "on",
     "the executed set has gaps while transactions are applied"},
    {"relay_log_recovery", "", "off",
     "a restart throws away received transactions that may be the only copies", PinScope::SemiSync},
    {"skip_replica_start", "skip_slave_start", "on",
     "a replica that restarts could acknowledge for a primary that was given up",
     PinScope::SemiSync},
    {"replication_sender_observe_commit_only", "", "off",
     "a crashed replica may be unable to restart replication", PinScope::SemiSync},
    {"rpl_semi_sync_source_wait_point", "rpl_semi_sync_master_wait_point", "after_sync",
     "others see rows that are not yet on any replica", PinScope::SemiSync},
    {"rpl_semi_sync_source_wait_no_replica", "rpl_semi_sync_master_wait_no_slave", "on",
     "commits stop waiting when replicas leave", PinScope::SemiSync},
};

std::string normalized_name(std::string_view name) {
  std::string out = boost::algorithm::to_lower_copy(std::string(name));
  std::replace(out.begin(), out.end(), '-', '_');
  constexpr std::string_view kLoose = "loose_";
  if (boost::algorithm::starts_with(out, kLoose)) out.erase(0, kLoose.size());
  return out;
}

// In the words of the pin's accepted value: an option without a value is on.
std::string normalized_value(const Pin& pin, std::string_view value) {
  std::string out = boost::algorithm::to_lower_copy(std::string(value));
  boost::algorithm::trim_if(out, boost::algorithm::is_any_of(" \t\"'"));
  if (pin.accepted != "on" && pin.accepted != "off") return out;
  if (out.empty() || out == "1" || out == "true" || out == "yes") return "on";
  if (out == "0" || out == "false" || out == "no") return "off";
  return out;
}

const Pin* find_pin(std::string_view name) {
  const auto pin = std::find_if(std::begin(kPins), std::end(kPins), [&](const Pin& candidate) {
    return candidate.variable == name || (!candidate.alias.empty() && candidate.alias == name);
  });
  return pin == std::end(kPins) ? nullptr : pin;
}

class KnownSettings {
 public:
  void add(std::string_view name, std::optional<std::uint64_t> value) {
    if (value) settings_.push_back({std::string(name), fmt::to_string(*value)});
  }
  void add(std::string_view name, std::optional<bool> value) {
    if (value) settings_.push_back({std::string(name), *value ? "ON" : "OFF"});
  }
  void add(std::string_view name, std::optional<WaitPoint> value) {
    if (value) settings_.push_back({std::string(name), std::string(to_string(*value))});
  }
  std::span<const Setting> get() const { return settings_; }

 private:
  std::vector<Setting> settings_;
};

}  // namespace

std::span<const Pin> durability_pins() { return kPins; }

std::string to_string(const Weakness& weakness) {
  return fmt::format("{} is {}, expected {}: {}", weakness.variable, weakness.found,
                     weakness.expected, weakness.why);
}

std::vector<Weakness> weaknesses(std::span<const Setting> settings, bool semi_sync) {
  std::vector<Weakness> out;
  for (const auto& setting : settings) {
    const auto* pin = find_pin(normalized_name(setting.name));
    if (!pin || (pin->scope == PinScope::SemiSync && !semi_sync)) continue;
    if (normalized_value(*pin, setting.value) == pin->accepted) continue;
    out.push_back({setting.name, setting.value, pin->accepted, pin->why});
  }
  return out;
}

std::vector<Weakness> weaknesses(const MemberObservation& member, bool semi_sync) {
  const auto& set = member.durability;
  const auto& source = member.semi_sync_source;
  KnownSettings known;
  known.add("sync_binlog", set.sync_binlog);
  known.add("innodb_flush_log_at_trx_commit", set.innodb_flush_log_at_trx_commit);
  known.add("gtid_mode", set.gtid_mode);
  known.add("log_replica_updates", set.log_replica_updates);
  known.add("replica_preserve_commit_order", set.replica_preserve_commit_order);
  known.add("relay_log_recovery", set.relay_log_recovery);
  known.add("skip_replica_start", set.skip_replica_start);
  known.add("replication_sender_observe_commit_only", set.replication_sender_observe_commit_only);
  known.add(semi_sync_source_names(source.names).wait_point, source.wait_point);
  known.add(semi_sync_source_names(source.names).wait_no_replica, source.wait_no_replica);
  return weaknesses(known.get(), semi_sync);
}

}  // namespace troupe::mysql
