// Goes through a journal again: the same results, the same looks, and what is decided now.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/journal/rules.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

// A run in which something else was decided than then.
struct Difference {
  std::size_t run = 0;   // the first run of the journal is 1
  std::string recorded;  // JSON of the decision, or what was thrown
  std::string replayed;
};

struct ReplayReport {
  std::string kind;
  std::string object;  // namespace/name
  std::size_t runs = 0;
  // The first of them: after one the actor remembers something else, and the rest says little.
  static constexpr std::size_t kMaxDifferences = 10;
  std::vector<Difference> differences;
};

// Gives the rules of a kind, by the name that its actors have; null for an unknown one.
using RulesOf = std::function<std::unique_ptr<Rules>(std::string_view kind)>;

// Code::Invalid, with the line, for a text that is no journal, or one of another format.
Result<ReplayReport> replay(std::string_view journal, const RulesOf& rules_of);

}  // namespace troupe::actors
