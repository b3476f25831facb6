// The values that a configuration template computes with (template.hpp).
//
// Immutable and cheap to copy: lists and maps are shared. Printing, truth and comparison follow
// Go's text/template, because existing templates rely on them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/model/result.hpp"

namespace troupe::agent::tmpl {

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;

  Value() = default;  // nil
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(List value) : data_(std::make_shared<const List>(std::move(value))) {}
  Value(Map value) : data_(std::make_shared<const Map>(std::move(value))) {}

  bool is_nil() const { return std::holds_alternative<std::monostate>(data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const List* list() const { return pointee<List>(); }
  const Map* map() const { return pointee<Map>(); }

  // Integers and reals; nothing for anything else.
  std::optional<double> number() const;
  // False, zero, empty and nil are not true.
  bool truth() const;
  // As fmt.Print writes it: 1, true, [a b], map[k:v], <no value>.
  std::string print() const;
  std::string_view kind() const;  // for error messages

 private:
  template <class T>
  const T* pointee() const {
    const auto* shared = std::get_if<std::shared_ptr<const T>>(&data_);
    return shared ? shared->get() : nullptr;
  }

  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Map>>
      data_;
};

// Orders two numbers, two texts or two booleans; an error for anything else.
Result<std::partial_ordering> compare(const Value& a, const Value& b);

}  // namespace troupe::agent::tmpl
