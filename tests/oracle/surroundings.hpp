// What can be done to the surroundings of a simulated cluster's members, behind the operator's
// back: to their network and their volumes. Needs root on the machine that runs them. Blocks.
//
// Each gives what takes it back, or nothing if it could not be done: the Pod is not there, say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/oracle/mysql_cluster.hpp"

namespace troupe::oracle {

// To be called once. False if it could not be taken back. Where the Pod has gone, its network has
// gone with it, and there is nothing to take back.
using TakeBack = std::function<bool()>;

// What `one` sends does not reach `other`. As all that is lost here, it goes without a word.
std::optional<TakeBack> silence(const MemberPod& one, const MemberPod& other);
// Nor the other way around.
std::optional<TakeBack> part(const MemberPod& one, const MemberPod& other);
// The members reach it, but neither the operator nor the kubelet nor any client on this machine.
std::optional<TakeBack> lose_sight_of(const MemberPod& pod);

// Takes the room on its data volume, but for so many bytes. For clusters whose volumes are file
// systems of their own (troupe-sim's --default-fstype).
std::optional<TakeBack> fill_volume(const MysqlCluster& cluster, const std::string& member,
                                    std::uint64_t bytes_left);

}  // namespace troupe::oracle
