// How an authority succeeds another without anybody losing trust; docs/certificates.md.
//
//   Steady ──Introduce──▶ Introducing ──Sign──▶ Replacing ──Retire──▶ Steady
//
// In each stage everybody trusts all that may be shown to them: first the next authority is trusted
// everywhere, then it signs, and the last one is dropped when nothing of it is left in use.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "runtime/model/time.hpp"

namespace troupe::agent {

inline constexpr Duration kLeafLifetime = std::chrono::hours(24 * 90);
inline constexpr Duration kAuthorityLifetime = std::chrono::hours(24 * 365 * 3);

enum class AuthorityStage {
  Steady,       // one authority is trusted, and signs
  Introducing,  // Units learn to trust one more; what they show stays as it is
  Replacing,    // Units get certificates of the new one; the old one is still trusted
};
std::string_view to_string(AuthorityStage stage);
std::optional<AuthorityStage> parse_authority_stage(std::string_view text);

// What takes it from one stage to the next; Describe only writes anew what its Secret should say.
enum class AuthorityStep { Describe, Introduce, Sign, Retire };
std::string_view to_string(AuthorityStep step);

}  // namespace troupe::agent
