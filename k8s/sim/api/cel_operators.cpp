#include <cmath>
#include <cstring>
#include <limits>

#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;
using std::chrono::nanoseconds;

template <class T>
Value checked(bool overflowed, T out) {
  constexpr auto* kWhat = std::is_unsigned_v<T> ? "unsigned integer overflow" : "integer overflow";
  return overflowed ? fail(kWhat) : Value(out);
}

template <class T>
Value add_numbers(Arguments a) {
  T out{};
  const bool overflowed = __builtin_add_overflow(get<T>(a[0]), get<T>(a[1]), &out);
  return checked(overflowed, out);
}
template <class T>
Value subtract_numbers(Arguments a) {
  T out{};
  const bool overflowed = __builtin_sub_overflow(get<T>(a[0]), get<T>(a[1]), &out);
  return checked(overflowed, out);
}
template <class T>
Value multiply_numbers(Arguments a) {
  T out{};
  const bool overflowed = __builtin_mul_overflow(get<T>(a[0]), get<T>(a[1]), &out);
  return checked(overflowed, out);
}

template <class T>
bool division_overflows(T a, T b) {
  return std::is_signed_v<T> && a == std::numeric_limits<T>::min() && b == static_cast<T>(-1);
}
template <class T>
Value divide_numbers(Arguments a) {
  const T divisor = get<T>(a[1]);
  if (divisor == 0) return fail("division by zero");
  if (division_overflows(get<T>(a[0]), divisor)) return fail("integer overflow");
  return get<T>(a[0]) / divisor;
}
template <class T>
Value modulo_numbers(Arguments a) {
  const T divisor = get<T>(a[1]);
  if (divisor == 0) return fail("modulus by zero");
  if (division_overflows(get<T>(a[0]), divisor)) return fail("integer overflow");
  return get<T>(a[0]) % divisor;
}

template <class T>
void add_integer_arithmetic(Table& t, const TypePtr& type) {
  add(t, "_+_", {type, type}, type, add_numbers<T>);
  add(t, "_-_", {type, type}, type, subtract_numbers<T>);
  add(t, "_*_", {type, type}, type, multiply_numbers<T>);
  add(t, "_/_", {type, type}, type, divide_numbers<T>);
  add(t, "_%_", {type, type}, type, modulo_numbers<T>);
}

void add_arithmetic(Table& t) {
  add_integer_arithmetic<std::int64_t>(t, integer());
  add_integer_arithmetic<std::uint64_t>(t, uint());
  const auto d = number();
  add(t, "_+_", {d, d}, d,
      [](Arguments a) -> Value { return get<double>(a[0]) + get<double>(a[1]); });
  add(t, "_-_", {d, d}, d,
      [](Arguments a) -> Value { return get<double>(a[0]) - get<double>(a[1]); });
  add(t, "_*_", {d, d}, d,
      [](Arguments a) -> Value { return get<double>(a[0]) * get<double>(a[1]); });
  add(t, "_/_", {d, d}, d,
      [](Arguments a) -> Value { return get<double>(a[0]) / get<double>(a[1]); });
  add(t, "-_", {d}, d, [](Arguments a) -> Value { return -get<double>(a[0]); });
  add(t, "-_", {integer()}, integer(), [](Arguments a) -> Value {
    const auto n = get<std::int64_t>(a[0]);
    if (n == std::numeric_limits<std::int64_t>::min()) return fail("integer overflow");
    return -n;
  });
  add(t, "!_", {boolean()}, boolean(), [](Arguments a) -> Value { return !get<bool>(a[0]); });
}

void add_concatenation(Table& t) {
  add(t, "_+_", {string(), string()}, string(),
      [](Arguments a) -> Value { return text(a[0]) + text(a[1]); });
  add(t, "_+_", {bytes(), bytes()}, bytes(),
      [](Arguments a) -> Value { return Bytes{get<Bytes>(a[0]).data + get<Bytes>(a[1]).data}; });
  const auto list = list_of(variable("A"));
  add(t, "_+_", {list, list}, list, [](Arguments a) -> Value {
    std::vector<Value> items;
    for (const auto& part : a) {
      for (std::size_t i = 0; i < get<List>(part).size(); ++i) {
        items.push_back(get<List>(part).at(i));
      }
    }
    return List(std::move(items));
  });
}

void add_time_arithmetic(Table& t) {
  const auto ts = timestamp();
  const auto dur = duration();
  add(t, "_+_", {ts, dur}, ts,
      [](Arguments a) -> Value { return get<Instant>(a[0]) + get<nanoseconds>(a[1]); });
  add(t, "_+_", {dur, ts}, ts,
      [](Arguments a) -> Value { return get<Instant>(a[1]) + get<nanoseconds>(a[0]); });
  add(t, "_+_", {dur, dur}, dur,
      [](Arguments a) -> Value { return get<nanoseconds>(a[0]) + get<nanoseconds>(a[1]); });
  add(t, "_-_", {ts, ts}, dur,
      [](Arguments a) -> Value { return get<Instant>(a[0]) - get<Instant>(a[1]); });
  add(t, "_-_", {ts, dur}, ts,
      [](Arguments a) -> Value { return get<Instant>(a[0]) - get<nanoseconds>(a[1]); });
  add(t, "_-_", {dur, dur}, dur,
      [](Arguments a) -> Value { return get<nanoseconds>(a[0]) - get<nanoseconds>(a[1]); });
}

// Each comparison with NaN, which has no order, is false.
template <bool (*test)(std::partial_ordering) noexcept>
Value ordered(Arguments a) {
  const auto order = compare(a[0], a[1]);
  return order && test(*order);
}

void add_order(Table& t, const char* name, Value (*run)(Arguments)) {
  for (const auto& type :
       {boolean(), integer(), uint(), number(), string(), bytes(), timestamp(), duration()}) {
    add(t, name, {type, type}, boolean(), run);
  }
  for (const auto& left : {integer(), uint(), number()}) {
    for (const auto& right : {integer(), uint(), number()}) {
      if (left != right) add(t, name, {left, right}, boolean(), run);
    }
  }
}

void add_comparisons(Table& t) {
  const auto any = variable("A");
  add(t, "_==_", {any, any}, boolean(), [](Arguments a) -> Value { return equals(a[0], a[1]); });
  add(t, "_!=_", {any, any}, boolean(), [](Arguments a) -> Value { return !equals(a[0], a[1]); });
  add_order(t, "_<_", ordered<std::is_lt>);
  add_order(t, "_<=_", ordered<std::is_lteq>);
  add_order(t, "_>_", ordered<std::is_gt>);
  add_order(t, "_>=_", ordered<std::is_gteq>);
}

void add_membership(Table& t) {
  const auto key = variable("A");
  add(t, "@in", {key, list_of(key)}, boolean(), [](Arguments a) -> Value {
    const auto& list = get<List>(a[1]);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (equals(a[0], list.at(i))) return true;
    }
    return false;
  });
  add(t, "@in", {key, map_of(key, variable("B"))}, boolean(),
      [](Arguments a) -> Value { return get<Map>(a[1]).find(a[0]).has_value(); });
}

}  // namespace

void add_operators(Table& table) {
  add_arithmetic(table);
  add_concatenation(table);
  add_time_arithmetic(table);
  add_comparisons(table);
  add_membership(table);
}

}  // namespace troupe::sim::cel
