#include "k8s/sim/api/cel_functions.hpp"

#include <algorithm>
#include <map>

namespace troupe::sim::cel {

std::vector<const Overload*> find_overloads(std::string_view name) {
  static const auto kTable = [] {
    Table table;
    add_operators(table);
    add_conversions(table);
    add_string_functions(table);
    add_list_functions(table);
    add_time_functions(table);
    add_kubernetes_functions(table);
    std::ranges::stable_sort(table, {}, &Overload::name);
    return table;
  }();
  std::vector<const Overload*> out;
  for (const auto& overload : std::ranges::equal_range(
           kTable, name, {}, [](const Overload& o) { return std::string_view(o.name); })) {
    out.push_back(&overload);
  }
  return out;
}

bool accepts(const Overload& overload, Arguments arguments) {
  if (overload.params.size() != arguments.size()) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto wanted = overload.params[i]->kind;
    if (wanted != Kind::Dyn && wanted != kind_of(arguments[i])) return false;
  }
  return true;
}

}  // namespace troupe::sim::cel
