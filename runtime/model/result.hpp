// Errors as values. A Result<T> is a T or an Error; an Error's code is the reaction it asks for.
//
// Exceptions are for broken invariants only. Messages say what was expected, what was found, on
// which object, and what to do; they never hold a secret.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

enum class Code {
  Retry,     // transient: try again with backoff (5xx, 429, reset connection)
  Timeout,   // the deadline passed; the outcome is unknown
  Conflict,  // somebody else wrote first: read again, decide again
  NotFound,  // the thing named does not exist
  Exists,    // the thing to create exists already
  Denied,    // authentication or authorization refused
  Invalid,   // the request is wrong; the same request will fail again
  Stale,     // an epoch, resourceVersion or lease newer than ours was seen
  Fatal,     // cannot go on
};

std::string_view to_string(Code code);

struct Error {
  Code code = Code::Fatal;
  std::string message;
};

struct ErrorException : std::runtime_error {
  explicit ErrorException(const Error& e) : std::runtime_error(e.message), error(e) {}
  Error error;
};

[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
  throw ErrorException(e);
}

template <class T>
using Result = boost::system::result<T, Error>;

inline Error error(Code code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace troupe
