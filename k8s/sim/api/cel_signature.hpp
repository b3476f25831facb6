// Short names for types in the function table. Private to the evaluator.
#pragma once

#include <initializer_list>
#include <utility>

#include "k8s/sim/api/cel_functions.hpp"

namespace troupe::sim::cel::signature {

inline TypePtr dyn() { return simple(Kind::Dyn); }
inline TypePtr boolean() { return simple(Kind::Bool); }
inline TypePtr integer() { return simple(Kind::Int); }
inline TypePtr uint() { return simple(Kind::Uint); }
inline TypePtr number() { return simple(Kind::Double); }
inline TypePtr string() { return simple(Kind::String); }
inline TypePtr bytes() { return simple(Kind::Bytes); }
inline TypePtr timestamp() { return simple(Kind::Timestamp); }
inline TypePtr duration() { return simple(Kind::Duration); }
inline TypePtr quantity() { return simple(Kind::Quantity); }
inline TypePtr url() { return simple(Kind::Url); }

inline TypePtr variable(const char* name) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::Dyn;
  type->variable = name;
  return type;
}

inline void add(Table& table, const char* name, std::initializer_list<TypePtr> params,
                TypePtr result, Value (*run)(Arguments)) {
  table.push_back({name, false, params, std::move(result), run});
}

inline void add_member(Table& table, const char* name, std::initializer_list<TypePtr> params,
                       TypePtr result, Value (*run)(Arguments)) {
  table.push_back({name, true, params, std::move(result), run});
}

// An argument whose type the signature guarantees.
template <class T>
const T& get(const Value& value) {
  return *value.as<T>();
}

inline const std::string& text(const Value& value) { return get<std::string>(value); }

}  // namespace troupe::sim::cel::signature
