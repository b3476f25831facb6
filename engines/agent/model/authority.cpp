#include "engines/agent/model/authority.hpp"

namespace troupe::agent {

std::string_view to_string(AuthorityStage stage) {
  switch (stage) {
    case AuthorityStage::Steady:
      return "steady";
    case AuthorityStage::Introducing:
      return "introducing";
    case AuthorityStage::Replacing:
      return "replacing";
  }
  return "";
}

std::optional<AuthorityStage> parse_authority_stage(std::string_view text) {
  using enum AuthorityStage;
  for (const auto stage : {Steady, Introducing, Replacing})
    if (to_string(stage) == text) return stage;
  return std::nullopt;
}

std::string_view to_string(AuthorityStep step) {
  switch (step) {
    case AuthorityStep::Describe:
      return "describe";
    case AuthorityStep::Introduce:
      return "introduce";
    case AuthorityStep::Sign:
      return "sign";
    case AuthorityStep::Retire:
      return "retire";
  }
  return "";
}

}  // namespace troupe::agent
