// All kinds that Troupe knows. A new one is a line in kinds.cpp.
#pragma once

#include <span>
#include <string_view>

#include "k8s/api/kind.hpp"

namespace troupe::k8s {

// Those that Troupe defines: their CRDs are generated.
std::span<const KindInfo* const> own_kinds();
// Those of Kubernetes itself that Troupe reads.
std::span<const KindInfo* const> core_kinds();

// Null if there is none.
const KindInfo* find_kind(KindId id);
const KindInfo* find_kind(std::string_view group, std::string_view kind);

}  // namespace troupe::k8s
