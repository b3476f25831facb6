// Decisions as tables read them.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/model/decision.hpp"

namespace troupe::actors {

// "delete Unit db-2", "status": the keys of what a decision asks for.
std::vector<std::string> keys_of(const Decision& decision);
// The effect with that key; null: there is none.
const Effect* effect(const Decision& decision, std::string_view key);
// Its action, if it is a T.
template <class T>
const T* action(const Decision& decision, std::string_view key) {
  const auto* e = effect(decision, key);
  return e ? std::get_if<T>(&e->action) : nullptr;
}

std::vector<std::string> rules_of(const Decision& decision);
// The text of the guard of that rule; empty if there is none.
std::string guard_text(const Decision& decision, std::string_view rule);

}  // namespace troupe::actors
