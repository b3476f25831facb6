// Values of CEL at run time. Private to the evaluator.
//
// Lists, maps and objects of the API object stay JSON and are converted an element at a time;
// a Value that refers to JSON is valid as long as the evaluation's bindings are.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "k8s/sim/api/cel_type.hpp"
#include "k8s/sim/api/schema_formats.hpp"
#include "k8s/sim/api/schema_quantity.hpp"

namespace troupe::sim::cel {

class Value;

struct Bytes {
  std::string data;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

// A failed evaluation. It is a value, because && and || may absorb it.
struct Failure {
  std::string message;
};

struct TypeName {
  std::string name;
  friend bool operator==(const TypeName&, const TypeName&) = default;
};

struct Url {
  std::string text;
  friend bool operator==(const Url&, const Url&) = default;
};

class List {
 public:
  List(const boost::json::array& array, TypePtr element, bool unordered)
      : json_(&array), element_(std::move(element)), unordered_(unordered) {}
  explicit List(std::vector<Value> items)
      : items_(std::make_shared<const std::vector<Value>>(std::move(items))) {}

  std::size_t size() const;
  Value at(std::size_t i) const;
  bool unordered() const { return unordered_; }

 private:
  const boost::json::array* json_ = nullptr;
  TypePtr element_;
  bool unordered_ = false;
  std::shared_ptr<const std::vector<Value>> items_;
};

// A map with string keys that is JSON, or a literal with any keys.
class Map {
 public:
  using Entries = std::vector<std::pair<Value, Value>>;

  Map(const boost::json::object& object, TypePtr type) : json_(&object), type_(std::move(type)) {}
  explicit Map(Entries entries) : entries_(std::make_shared<const Entries>(std::move(entries))) {}

  std::size_t size() const;
  std::optional<Value> find(const Value& key) const;
  // By the JSON name, as field selection does.
  std::optional<Value> find_field(std::string_view name) const;
  std::vector<Value> keys() const;

 private:
  const boost::json::object* json_ = nullptr;
  TypePtr type_;  // a Map, an Object or Dyn
  std::shared_ptr<const Entries> entries_;
};

struct OptionalValue {
  std::shared_ptr<const Value> value;  // null: none
};

class Value : public std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                                  std::string, Bytes, Instant, std::chrono::nanoseconds, List, Map,
                                  OptionalValue, Quantity, Url, TypeName, Failure> {
 public:
  using variant::variant;

  template <class T>
  const T* as() const {
    return std::get_if<T>(this);
  }
  bool failed() const { return as<Failure>() != nullptr; }
};

inline Value fail(std::string message) { return Failure{std::move(message)}; }

Kind kind_of(const Value& value);

// JSON as a value of this static type: strings of format date-time become instants, and so on.
Value from_json(const boost::json::value& json, const TypePtr& type);
boost::json::value to_json(const Value& value);

// Equality across types is false, across numeric types by value.
bool equals(const Value& a, const Value& b);
// Nothing when the two have no order.
std::optional<std::partial_ordering> compare(const Value& a, const Value& b);

std::string to_text(const Instant& instant);
std::string to_text(std::chrono::nanoseconds duration);
std::string to_text(double number);

}  // namespace troupe::sim::cel
