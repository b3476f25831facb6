#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;

bool contains(const List& list, const Value& item) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (equals(list.at(i), item)) return true;
  }
  return false;
}

bool contains_all(const List& list, const List& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!contains(list, items.at(i))) return false;
  }
  return true;
}

Value is_sorted(Arguments a) {
  const auto& list = get<List>(a[0]);
  for (std::size_t i = 1; i < list.size(); ++i) {
    const auto order = compare(list.at(i - 1), list.at(i));
    if (!order) return fail("no such overload");
    if (*order > 0) return false;
  }
  return true;
}

// The greatest item for sign 1, the least for -1.
template <int sign>
Value extreme(Arguments a) {
  const auto& list = get<List>(a[0]);
  if (list.size() == 0) {
    return fail(sign > 0 ? "max called on empty list" : "min called on empty list");
  }
  auto best = list.at(0);
  for (std::size_t i = 1; i < list.size(); ++i) {
    auto item = list.at(i);
    const auto order = compare(item, best);
    if (!order) return fail("no such overload");
    if (sign > 0 ? *order > 0 : *order < 0) best = std::move(item);
  }
  return best;
}

template <class T>
Value sum(Arguments a) {
  const auto& list = get<List>(a[0]);
  T out{};
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto item = list.at(i);
    const auto* number = item.template as<T>();
    if (!number) return fail("no such overload");
    if constexpr (std::is_integral_v<T>) {
      if (__builtin_add_overflow(out, *number, &out)) return fail("integer overflow");
    } else {
      out += *number;
    }
  }
  return out;
}

Value index_of(Arguments a) {
  const auto& list = get<List>(a[0]);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (equals(list.at(i), a[1])) return static_cast<std::int64_t>(i);
  }
  return std::int64_t{-1};
}

Value last_index_of(Arguments a) {
  const auto& list = get<List>(a[0]);
  for (std::size_t i = list.size(); i > 0; --i) {
    if (equals(list.at(i - 1), a[1])) return static_cast<std::int64_t>(i - 1);
  }
  return std::int64_t{-1};
}

void add_sizes(Table& t) {
  const auto list_size = [](Arguments a) -> Value {
    return static_cast<std::int64_t>(get<List>(a[0]).size());
  };
  const auto map_size = [](Arguments a) -> Value {
    return static_cast<std::int64_t>(get<Map>(a[0]).size());
  };
  const auto list = list_of(variable("A"));
  const auto map = map_of(variable("A"), variable("B"));
  add(t, "size", {list}, integer(), list_size);
  add_member(t, "size", {list}, integer(), list_size);
  add(t, "size", {map}, integer(), map_size);
  add_member(t, "size", {map}, integer(), map_size);
}

void add_sets(Table& t) {
  const auto list = list_of(variable("A"));
  add(t, "sets.contains", {list, list}, boolean(),
      [](Arguments a) -> Value { return contains_all(get<List>(a[0]), get<List>(a[1])); });
  add(t, "sets.equivalent", {list, list}, boolean(), [](Arguments a) -> Value {
    return contains_all(get<List>(a[0]), get<List>(a[1])) &&
           contains_all(get<List>(a[1]), get<List>(a[0]));
  });
  add(t, "sets.intersects", {list, list}, boolean(), [](Arguments a) -> Value {
    const auto& other = get<List>(a[1]);
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (contains(get<List>(a[0]), other.at(i))) return true;
    }
    return false;
  });
}

Value is_present(Arguments a) { return get<OptionalValue>(a[0]).value != nullptr; }

void add_optionals(Table& t) {
  const auto any = variable("A");
  const auto optional = optional_of(any);
  add(t, "optional.of", {any}, optional,
      [](Arguments a) -> Value { return OptionalValue{std::make_shared<const Value>(a[0])}; });
  add(t, "optional.none", {}, optional_of(dyn()),
      [](Arguments) -> Value { return OptionalValue{}; });
  add_member(t, "hasValue", {optional}, boolean(), is_present);
  add_member(t, "value", {optional}, any, [](Arguments a) -> Value {
    const auto& held = get<OptionalValue>(a[0]).value;
    return held ? *held : fail("optional.none() dereference");
  });
  add_member(t, "orValue", {optional, any}, any, [](Arguments a) -> Value {
    const auto& held = get<OptionalValue>(a[0]).value;
    return held ? *held : a[1];
  });
  add_member(t, "or", {optional, optional}, optional,
             [](Arguments a) -> Value { return get<OptionalValue>(a[0]).value ? a[0] : a[1]; });
}

}  // namespace

void add_list_functions(Table& table) {
  add_sizes(table);
  add_sets(table);
  add_optionals(table);
  const auto any = variable("A");
  const auto list = list_of(any);
  add_member(table, "isSorted", {list}, boolean(), is_sorted);
  add_member(table, "min", {list}, any, extreme<-1>);
  add_member(table, "max", {list}, any, extreme<1>);
  add_member(table, "sum", {list_of(integer())}, integer(), sum<std::int64_t>);
  add_member(table, "sum", {list_of(number())}, number(), sum<double>);
  add_member(table, "indexOf", {list, any}, integer(), index_of);
  add_member(table, "lastIndexOf", {list, any}, integer(), last_index_of);
}

}  // namespace troupe::sim::cel
