// All kinds that Troupe knows. A new one is a line in kinds.cpp.
#pragma once

#include <span>
#include <string_view>

#include "k8s/api/kind.hpp"

namespace troupe::k8s {

// In the order of kinds.cpp.
std::span<const KindInfo* const> all_kinds();
// Those whose CRD is generated: the ones of kUpmGroup.
std::span<const KindInfo* const> own_kinds();

// Null if there is none.
const KindInfo* find_kind(KindId id);
const KindInfo* find_kind(std::string_view group, std::string_view kind);

}  // namespace troupe::k8s
