// Writes that the API server refuses, as plain data, so that whoever looks at the object learns of
// them: the Ledger keeps them, a Sight shows them, and a decision that still asks for one names it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::actors {

struct Decision;

struct Refusal {
  std::string key;  // of the effect
  Error error;      // the same over tries that differ in nothing but numbers and ids
  TimePoint since;  // the first of the tries in a row that failed
};

// The rule of its guard, hence the reason of a condition.
inline constexpr std::string_view kWriteRefused = "WriteRefused";

// Whether the same request is refused again until somebody does something about it.
bool is_final(Code code);
// Whether the errors differ in nothing but words with digits in them: amounts, ports, ids.
bool say_the_same(const Error& a, const Error& b);

// A guard for each write that the decision asks for and that was refused; to be called when it has
// asked for everything but its status. What an answer says about a Secret is left out. Calling it
// again adds nothing.
void hold_refused(std::span<const Refusal> refused, Decision& decision);

}  // namespace troupe::actors
