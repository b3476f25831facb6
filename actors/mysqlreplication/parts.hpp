// Private to MysqlReplication: what its decision is made of.
#pragma once

#include "actors/mysqlreplication/kind.hpp"

namespace troupe::actors::mysqlreplication {

using World = MysqlReplicationKind::World;
using Memory = MysqlReplicationKind::Memory;
using Node = MysqlReplicationKind::Node;

using Credentials = MysqlReplicationKind::Credentials;

// Which replication the Unit belongs to; empty: none.
std::string_view owner_of(const k8s::Unit& unit);
bool is_ours(const World& world, const Node& node);
// The other replication, which exists, that the Unit belongs to; empty: none.
std::string_view other_owner(const World& world, const Node& node);
// Claims members that belong to nobody, on condition that they still do, and gives back those that
// are no members any more.
void keep_members(const World& world, Decision& decision);
// Gives all back.
void release_members(const World& world, Decision& decision);
bool has_members(const World& world);

// Why the others cannot reach the member by its host, where that can be told from names alone;
// empty: nothing speaks against it. An address or name that this knows nothing of, as of a load
// balancer, may be right.
std::string host_problem(const World& world, const Node& node);

mysql_topology::Topology topology_of(const World& world, const Memory& memory);
mysql_topology::PersistedRecord record_of(const k8s::MysqlReplicationStatus& status);

// What members are asked to do, as effects. Keys: "step MEMBER VERB EPOCH PEER", behind it the
// revision of the accounts where they are handed over, and the address of whom to follow.
void ask_members(const World& world, const mysql_topology::Plan& plan,
                 const Credentials& credentials, Decision& decision);
// Keeps in mind whom they are asked to follow.
void remember_orders(const World& world, const mysql_topology::Plan& plan, TimePoint now,
                     Memory& memory);
// Tells which operation began, and which ended, by the record as it is stored: what was decided and
// not written has not happened.
void tell_operations(const World& world, const Memory& memory, Decision& decision);
// Keeps in mind what was told.
void remember_told(const EffectResult& result, Memory& memory);
// Which agents and servers are to be watched.
void want_observations(const World& world, const Credentials* credentials, Decision& decision);

// Labels of Pods, Services, the disruption budget. Nobody reaches a replication that has never had
// a member.
void keep_resources(const World& world, Memory& memory, const mysql_topology::Plan& plan,
                    Decision& decision);
void remove_labels(const World& world, Decision& decision);
bool labels_are_gone(const World& world);

// The condition of an order that waits or was withdrawn.
inline constexpr std::string_view kOrderObeyed = "OrderObeyed";

// A rule has stood since the status says so, whatever its evidence has become; one that is new,
// since its evidence is there. Whole seconds of the wall's time.
void date_guards(const World& world, std::vector<Guard>& guards, TimePoint now);

inline constexpr std::string_view kRecordKey = "record";
// The operation's record, before the step that it announces.
void write_record(const World& world, const mysql_topology::PersistedRecord& record,
                  Decision& decision);
// Everything else of the status.
void write_status(const World& world, Memory& memory, const mysql_topology::Plan& plan,
                  TimePoint now, Decision& decision);

}  // namespace troupe::actors::mysqlreplication
