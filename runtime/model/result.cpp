#include "runtime/model/result.hpp"

namespace troupe {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::Retry:
      return "retry";
    case Code::Timeout:
      return "timeout";
    case Code::Conflict:
      return "conflict";
    case Code::NotFound:
      return "not-found";
    case Code::Exists:
      return "exists";
    case Code::Denied:
      return "denied";
    case Code::Invalid:
      return "invalid";
    case Code::Stale:
      return "stale";
    case Code::Fatal:
      return "fatal";
  }
  return "fatal";
}

}  // namespace troupe
