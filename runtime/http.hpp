// What the operator's HTTP endpoint and its handlers exchange: requests, responses, and the handle
// through which a handler answers, at once or later, from any thread.
//
// Plain values but for Responder and EventStream, which share ownership of the pending exchange and
// are thread-safe. A handler that drops its Responder without an answer is answered for: 504 when
// the server's deadline passes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

// HEAD is answered by the routes of GET.
enum class Method : std::uint8_t { Get, Post };
std::string_view to_string(Method method);

struct Request {
  Method method = Method::Get;
  std::string path;                                        // percent-decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order
  std::string if_none_match;
  std::string body;

  // The value of the first parameter of that name; empty when there is none.
  std::string_view param(std::string_view name) const;
  bool has_param(std::string_view name) const;  // with whatever value, or none
};

// Splits and decodes a request target such as "/api/actors?kind=unit". False: not one.
bool parse_target(std::string_view target, Request& into);

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view fixed_body;  // sent instead of `body` when not empty; must live for ever
  std::string etag;             // quoted, or empty
  std::string cache_control = "no-store";
  std::vector<std::pair<std::string, std::string>> headers;  // beside those of the above

  std::string_view content() const { return fixed_body.empty() ? body : fixed_body; }
};

Response text(unsigned status, std::string body);
Response json(unsigned status, std::string body);
// {"error": message}; the message says what was expected, what was found and what to do.
Response failure(unsigned status, std::string_view message);
// 405, with the methods that are right: "GET, HEAD".
Response method_not_allowed(std::string allow);
// Whether an If-None-Match header names the etag (RFC 9110, section 13.1.2: weak comparison).
bool etag_matches(std::string_view if_none_match, std::string_view etag);

// The receiving end of server-sent events.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual bool send(std::string_view event, std::string_view data) = 0;
  virtual bool open() const = 0;
};

// Server-sent events to one client. Ends when the client leaves, when it reads too slowly for the
// server's bound, or when the last copy of the stream is dropped.
class EventStream {
 public:
  EventStream() = default;
  explicit EventStream(std::shared_ptr<EventSink> sink) : sink_(std::move(sink)) {}

  // Neither text may hold a line break. False: the stream has ended.
  bool send(std::string_view event, std::string_view data) const {
    return sink_ && sink_->send(event, data);
  }
  bool open() const { return sink_ && sink_->open(); }

 private:
  std::shared_ptr<EventSink> sink_;
};

// A request that waits for its answer; the server's side of a Responder.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void reply(Response response) = 0;
  virtual std::shared_ptr<EventSink> stream() = 0;
};

class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  // The first answer counts; later ones are ignored, so an answer may race with a time-out.
  void reply(Response response) const { exchange_->reply(std::move(response)); }
  // Answers with a stream of events. A closed one when the server has no room for another: the
  // client has then got 503.
  EventStream stream() const { return EventStream(exchange_->stream()); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

// Runs on the server's thread, so it must not block.
using Handler = std::function<void(const Request&, Responder)>;

}  // namespace troupe::http
