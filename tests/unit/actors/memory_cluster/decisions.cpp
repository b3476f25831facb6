#include "tests/unit/actors/memory_cluster/decisions.hpp"

namespace troupe::actors {

std::vector<std::string> keys_of(const Decision& decision) {
  std::vector<std::string> out;
  for (const auto& e : decision.effects) out.push_back(e.key);
  return out;
}

const Effect* effect(const Decision& decision, std::string_view key) {
  for (const auto& e : decision.effects)
    if (e.key == key) return &e;
  return nullptr;
}

std::vector<std::string> rules_of(const Decision& decision) {
  std::vector<std::string> out;
  for (const auto& g : decision.guards) out.push_back(g.rule);
  return out;
}

std::string guard_text(const Decision& decision, std::string_view rule) {
  for (const auto& g : decision.guards)
    if (g.rule == rule) return g.text;
  return {};
}

}  // namespace troupe::actors
