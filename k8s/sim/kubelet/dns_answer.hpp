// Answers DNS queries from a NameTable. The wire format is glibc's (ns_initparse, dn_comp); only
// the choice of records is ours. Pure.
#pragma once

#include <string>
#include <string_view>

#include "k8s/sim/kubelet/service_table.hpp"

namespace troupe::sim {

// The response to `query`, or empty when it is not even a query. Names that are not in the table do
// not exist (NXDOMAIN): nothing is asked elsewhere. An answer longer than `max_size` is truncated
// and marked so, for the client to ask again over TCP.
std::string answer_query(std::string_view query, const NameTable& names, std::size_t max_size);

constexpr std::size_t kMaxUdpAnswer = 512;
constexpr std::size_t kMaxTcpAnswer = 65'535;

}  // namespace troupe::sim
