// Where the authority's keys are kept: a Secret of the operator's namespace.
#pragma once

#include <string_view>

#include "actors/host/authority.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"

namespace troupe::actors {

inline constexpr std::string_view kAuthoritySecret = "troupe-agent-authority";

// Reads the Secret, or makes it; waits for an API server that is away. Two operators that start at
// once end with the same authority: the one that comes second reads the first one's. Blocks its
// caller, which is not the loop.
Result<void> load_authority(Authority& authority, k8s::Loop& loop, k8s::Transport& transport,
                            std::string_view ns);

}  // namespace troupe::actors
