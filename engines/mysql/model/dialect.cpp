#include "engines/mysql/model/dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/find.hpp>

namespace troupe::mysql {
namespace {

constexpr std::array kDialects = {
    Dialect{DialectId::From5_7,
            {5, 7, 0},
            "SLAVE",
            "SHOW SLAVE HOSTS",
            "CHANGE MASTER TO",
            "MASTER_",
            "RESET MASTER",
            "SHOW MASTER STATUS",
            "slave_",
            "log_slave_updates",
            "skip_slave_start",
            false,
            false},
    Dialect{DialectId::From8_0_22,
            {8, 0, 22},
            "REPLICA",
            "SHOW REPLICAS",
            "CHANGE MASTER TO",
            "MASTER_",
            "RESET MASTER",
            "SHOW MASTER STATUS",
            "slave_",
            "log_slave_updates",
            "skip_slave_start",
            true,
            false},
    Dialect{DialectId::From8_0_23,
            {8, 0, 23},
            "REPLICA",
            "SHOW REPLICAS",
            "CHANGE REPLICATION SOURCE TO",
            "SOURCE_",
            "RESET MASTER",
            "SHOW MASTER STATUS",
            "slave_",
            "log_slave_updates",
            "skip_slave_start",
            true,
            false},
    Dialect{DialectId::From8_0_26,
            {8, 0, 26},
            "REPLICA",
            "SHOW REPLICAS",
            "CHANGE REPLICATION SOURCE TO",
            "SOURCE_",
            "RESET MASTER",
            "SHOW MASTER STATUS",
            "replica_",
            "log_replica_updates",
            "skip_replica_start",
            true,
            false},
    Dialect{DialectId::From8_2,
            {8, 2, 0},
            "REPLICA",
            "SHOW REPLICAS",
            "CHANGE REPLICATION SOURCE TO",
            "SOURCE_",
            "RESET BINARY LOGS AND GTIDS",
            "SHOW BINARY LOG STATUS",
            "replica_",
            "log_replica_updates",
            "skip_replica_start",
            true,
            true},
};

constexpr SemiSyncSourceNames kOldSource{
    "rpl_semi_sync_master",
    "semisync_master.so",
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_master_timeout",
    "rpl_semi_sync_master_wait_for_slave_count",
    "rpl_semi_sync_master_wait_no_slave",
    "rpl_semi_sync_master_wait_point",
    "Rpl_semi_sync_master_clients",
    "Rpl_semi_sync_master_status",
    "Rpl_semi_sync_master_wait_sessions",
    "Rpl_semi_sync_master_yes_tx",
    "Rpl_semi_sync_master_no_tx",
};
constexpr SemiSyncSourceNames kNewSource{
    "rpl_semi_sync_source",
    "semisync_source.so",
    "rpl_semi_sync_source_enabled",
    "rpl_semi_sync_source_timeout",
    "rpl_semi_sync_source_wait_for_replica_count",
    "rpl_semi_sync_source_wait_no_replica",
    "rpl_semi_sync_source_wait_point",
    "Rpl_semi_sync_source_clients",
    "Rpl_semi_sync_source_status",
    "Rpl_semi_sync_source_wait_sessions",
    "Rpl_semi_sync_source_yes_tx",
    "Rpl_semi_sync_source_no_tx",
};
constexpr SemiSyncReplicaNames kOldReplica{"rpl_semi_sync_slave", "semisync_slave.so",
                                           "rpl_semi_sync_slave_enabled",
                                           "Rpl_semi_sync_slave_status"};
constexpr SemiSyncReplicaNames kNewReplica{"rpl_semi_sync_replica", "semisync_replica.so",
                                           "rpl_semi_sync_replica_enabled",
                                           "Rpl_semi_sync_replica_status"};

// Servers that speak the protocol and call themselves MySQL, but replicate in other ways.
struct Fork {
  std::string_view mark;  // in VERSION() or @@version_comment, any case
  std::string_view name;
};
constexpr Fork kForks[] = {
    {"mariadb", "MariaDB"},     {"tidb", "TiDB"},           {"aurora", "Aurora"},
    {"vitess", "Vitess"},       {"oceanbase", "OceanBase"}, {"drizzle", "Drizzle"},
    {"planetscale", "Vitess"},  {"proxysql", "ProxySQL"},   {"singlestore", "SingleStore"},
    {"starrocks", "StarRocks"}, {"doris", "Apache Doris"},  {"clickhouse", "ClickHouse"},
};

Detection unsupported(Version version, std::string reason) {
  return {DialectId::Unsupported, version, std::move(reason)};
}

}  // namespace

const Dialect& dialect(DialectId id) {
  const auto row = std::find_if(kDialects.begin(), kDialects.end(),
                                [&](const Dialect& candidate) { return candidate.id == id; });
  return row == kDialects.end() ? kDialects.back() : *row;
}

Detection detect(std::string_view version_text, std::string_view comment) {
  for (const auto& fork : kForks) {
    if (boost::algorithm::ifind_first(version_text, fork.mark) ||
        boost::algorithm::ifind_first(comment, fork.mark)) {
      return unsupported(parse_version(version_text).value_or(Version{}),
                         fmt::format("{} is not MySQL: it replicates in another way", fork.name));
    }
  }
  const auto version = parse_version(version_text);
  if (!version) {
    return unsupported({}, fmt::format("cannot read the version {:?}", version_text));
  }
  if (*version < kDialects.front().since) {
    return unsupported(*version,
                       fmt::format("MySQL {} is too old: expected {} or later", to_string(*version),
                                   to_string(kDialects.front().since)));
  }
  const auto newer =
      std::find_if(kDialects.begin(), kDialects.end(),
                   [&](const Dialect& candidate) { return *version < candidate.since; });
  return {std::prev(newer)->id, *version, {}};
}

const SemiSyncSourceNames& semi_sync_source_names(SemiSyncNames names) {
  return names == SemiSyncNames::Old ? kOldSource : kNewSource;
}

const SemiSyncReplicaNames& semi_sync_replica_names(SemiSyncNames names) {
  return names == SemiSyncNames::Old ? kOldReplica : kNewReplica;
}

SemiSyncNames preferred_semi_sync(DialectId id) {
  if (id == DialectId::Unsupported) return SemiSyncNames::None;
  return id < DialectId::From8_0_26 ? SemiSyncNames::Old : SemiSyncNames::New;
}

}  // namespace troupe::mysql
