// The seam between the Kubernetes client and what carries its requests.
//
// HttpTransport (http.hpp) implements it over sockets; the simulator implements it in process,
// under a virtual clock. All methods are called, and all callbacks arrive, on the transport's Loop
// (loop.hpp); no callback runs inside the call that asked for it. An HTTP status of any value is a
// Response; a Failure means that there is none.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

// Readable bytes behind every body and every line, so that simdjson parses them where they lie.
inline constexpr std::size_t kJsonPadding = 64;

enum class Method : std::uint8_t { Get, Post, Put, Patch, Delete };
std::string_view to_string(Method method);

struct Request {
  Method method = Method::Get;
  std::string target;  // path and query, percent-encoded (paths.hpp)
  std::string accept = "application/json";
  std::string content_type;  // of the body; empty: there is none
  std::string body;
  // For a call: until its response is complete. For a stream: until its headers are there.
  Duration timeout = std::chrono::seconds(30);
};

struct Response {
  int status = 0;
  std::string body;  // capacity() >= size() + kJsonPadding
  std::optional<Duration> retry_after;

  bool ok() const { return status >= 200 && status < 300; }
};

// There is no response. `sent`: the server may have received the whole request, so that the
// outcome of a write is unknown; otherwise nothing was done.
struct Failure {
  Error error;
  bool sent = false;
};

[[noreturn]] inline void throw_exception_from_error(const Failure& failure,
                                                    const boost::source_location&) {
  throw ErrorException(failure.error);
}

using Reply = boost::system::result<Response, Failure>;

// The receiver of one streaming response. A status other than 2xx arrives as on_refused with its
// body; then, as after on_end, nothing more is called.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void on_open() = 0;
  // What one read of the socket brought: its whole lines, without their newlines, each followed by
  // kJsonPadding readable bytes. May be empty: bytes came, but no line was completed. The views end
  // with the call.
  virtual void on_lines(std::span<const std::string_view> lines, std::size_t bytes) = 0;
  virtual void on_refused(const Response& response) = 0;
  // The server ended the response properly (nullopt), or the connection broke.
  virtual void on_end(std::optional<Error> error) = 0;
};

struct CallId {
  std::uint64_t value = 0;
  auto operator<=>(const CallId&) const = default;
  explicit operator bool() const { return value != 0; }
};

class Transport {
 public:
  using Done = std::function<void(Reply)>;

  virtual ~Transport() = default;
  virtual CallId call(Request request, Done done) = 0;
  virtual CallId stream(Request request, std::shared_ptr<StreamHandler> handler) = 0;
  // No callback for this id runs any more. A write that was sent may still take effect.
  virtual void cancel(CallId id) = 0;
};

}  // namespace troupe::k8s
