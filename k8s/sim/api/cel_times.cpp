#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;
using std::chrono::nanoseconds;

std::chrono::year_month_day date_of(const Value& value) {
  return std::chrono::floor<std::chrono::days>(get<Instant>(value));
}

nanoseconds time_of_day(const Value& value) {
  const auto& instant = get<Instant>(value);
  return instant - std::chrono::floor<std::chrono::days>(instant);
}

template <class Unit>
std::int64_t whole(nanoseconds span) {
  return std::chrono::duration_cast<Unit>(span).count();
}

void add_dates(Table& t) {
  const auto ts = timestamp();
  const auto i = integer();
  add_member(t, "getFullYear", {ts}, i, [](Arguments a) -> Value {
    return static_cast<std::int64_t>(static_cast<int>(date_of(a[0]).year()));
  });
  add_member(t, "getMonth", {ts}, i, [](Arguments a) -> Value {
    return static_cast<std::int64_t>(static_cast<unsigned>(date_of(a[0]).month())) - 1;
  });
  add_member(t, "getDate", {ts}, i, [](Arguments a) -> Value {
    return static_cast<std::int64_t>(static_cast<unsigned>(date_of(a[0]).day()));
  });
  add_member(t, "getDayOfMonth", {ts}, i, [](Arguments a) -> Value {
    return static_cast<std::int64_t>(static_cast<unsigned>(date_of(a[0]).day())) - 1;
  });
  add_member(t, "getDayOfWeek", {ts}, i, [](Arguments a) -> Value {
    const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(get<Instant>(a[0])));
    return static_cast<std::int64_t>(day.c_encoding());
  });
  add_member(t, "getDayOfYear", {ts}, i, [](Arguments a) -> Value {
    const auto date = date_of(a[0]);
    const std::chrono::sys_days new_year{date.year() / std::chrono::January / 1};
    return static_cast<std::int64_t>((std::chrono::sys_days(date) - new_year).count());
  });
}

void add_clock_parts(Table& t) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  using std::chrono::seconds;
  const auto ts = timestamp();
  const auto dur = duration();
  const auto i = integer();
  add_member(t, "getHours", {ts}, i,
             [](Arguments a) -> Value { return whole<hours>(time_of_day(a[0])); });
  add_member(t, "getMinutes", {ts}, i,
             [](Arguments a) -> Value { return whole<minutes>(time_of_day(a[0])) % 60; });
  add_member(t, "getSeconds", {ts}, i,
             [](Arguments a) -> Value { return whole<seconds>(time_of_day(a[0])) % 60; });
  add_member(t, "getMilliseconds", {ts}, i,
             [](Arguments a) -> Value { return whole<milliseconds>(time_of_day(a[0])) % 1000; });
  add_member(t, "getHours", {dur}, i,
             [](Arguments a) -> Value { return whole<hours>(get<nanoseconds>(a[0])); });
  add_member(t, "getMinutes", {dur}, i,
             [](Arguments a) -> Value { return whole<minutes>(get<nanoseconds>(a[0])); });
  add_member(t, "getSeconds", {dur}, i,
             [](Arguments a) -> Value { return whole<seconds>(get<nanoseconds>(a[0])); });
  add_member(t, "getMilliseconds", {dur}, i, [](Arguments a) -> Value {
    return whole<milliseconds>(get<nanoseconds>(a[0])) % 1000;
  });
}

}  // namespace

void add_time_functions(Table& table) {
  add_dates(table);
  add_clock_parts(table);
}

}  // namespace troupe::sim::cel
