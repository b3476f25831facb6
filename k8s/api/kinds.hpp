// The kinds that a process works with.
#pragma once

#include <span>
#include <string_view>

#include "k8s/api/kind.hpp"

namespace troupe::k8s {

// Those of Kubernetes itself that Troupe reads.
std::span<const KindInfo* const> core_kinds();

// Of Kubernetes' own, and of those whose kind_info<T>() has been asked for: what runs a kind does
// so when it starts (actors/host/registry.hpp). Null if there is none. Thread-safe.
const KindInfo* find_kind(KindId id);
const KindInfo* find_kind(std::string_view group, std::string_view kind);

}  // namespace troupe::k8s
