// What an API server says about a field that it refuses.
//
// The texts are those of the real server (k8s.io/apimachinery's field errors and kube-openapi's
// validators), because clients, operators and their tests match on them.
#pragma once

#include <boost/json/fwd.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sim {

enum class FieldReason {
  Required,
  Invalid,
  NotSupported,
  TypeInvalid,
  Duplicate,
  Forbidden,
  TooLong,
  TooMany,
  Internal,
};

struct FieldError {
  FieldReason reason = FieldReason::Invalid;
  std::string field;    // "spec.ports[0].name"; "<nil>" for an error of no field
  std::string message;  // without the field: "Invalid value: 0: should be greater than ..."

  friend bool operator==(const FieldError&, const FieldError&) = default;
};

// The reason of a StatusCause: "FieldValueInvalid".
std::string_view cause_reason(FieldReason reason);

// One line as in a Status message: "spec.units: Invalid value: 0: ...".
std::string to_string(const FieldError& error);

// All of them as a Status message has them: one line alone, several as "[a, b]".
std::string to_string(const std::vector<FieldError>& errors);

// A value or everything that is wrong with it.
template <class T>
using FieldResult = boost::system::result<T, std::vector<FieldError>>;

[[noreturn]] void throw_exception_from_error(const std::vector<FieldError>& errors,
                                             const boost::source_location& where);

// A value as messages show it: Go's %q for strings, %v for numbers, sorted JSON for the rest.
std::string show(const boost::json::value& value);
std::string quoted(std::string_view text);

// Constructors for the errors whose text has a fixed form. `value` comes from show() or quoted();
// an empty one is left out of the message.
FieldError required(std::string field, std::string_view detail = {});
FieldError invalid(std::string field, std::string_view value, std::string_view detail);
FieldError type_invalid(std::string field, std::string_view value, std::string_view detail);
FieldError duplicate(std::string field, std::string_view value);
FieldError forbidden(std::string field, std::string_view detail);
FieldError not_supported(std::string field, std::string_view value,
                         const std::vector<std::string>& supported);
FieldError too_long(std::string field, std::int64_t max_bytes);
FieldError too_many(std::string field, std::int64_t actual, std::int64_t max_items);

}  // namespace troupe::sim
