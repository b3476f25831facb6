// The operators and functions of CEL with their signatures. Private to the evaluator.
//
// One table serves the checker (which overloads fit the static types) and the evaluator (which of
// those fits the values).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/cel_value.hpp"

namespace troupe::sim::cel {

using Arguments = std::span<const Value>;

struct Overload {
  std::string name;
  bool member = false;  // a.f(b): `a` is the first parameter
  std::vector<TypePtr> params;
  TypePtr result;
  Value (*run)(Arguments) = nullptr;
};

// Every overload of the name; empty when there is no such function.
std::vector<const Overload*> find_overloads(std::string_view name);

// Whether the values may go to this overload; what a Dyn hid from the checker is seen here.
bool accepts(const Overload& overload, Arguments arguments);

// Parts of the table, by theme.
using Table = std::vector<Overload>;
void add_operators(Table& table);
void add_conversions(Table& table);
void add_string_functions(Table& table);
void add_list_functions(Table& table);
void add_time_functions(Table& table);
void add_kubernetes_functions(Table& table);

}  // namespace troupe::sim::cel
