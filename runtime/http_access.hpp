// Who may use the console and its API (docs/console-api.md).
//
// A loopback peer (port forwarding) needs no token, so requests that only look like one must be
// told apart: those that a proxy passed on, and those that a web page of another origin makes the
// user's browser send, by resolving its own name to 127.0.0.1 (DNS rebinding) or by a plain form.
// Pure; the server asks the Authorizer for everybody else.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "runtime/http.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::http {

// What a request shows of where it comes from. Views into the request's headers.
struct Origin {
  std::string_view peer;           // the socket's address, without port
  std::string_view host;           // Host
  std::string_view origin;         // Origin
  std::string_view fetch_site;     // Sec-Fetch-Site, which pages cannot forge
  std::string_view forwarded;      // Forwarded or X-Forwarded-For
  std::string_view authorization;  // Authorization
};

// Only 127.0.0.1 and ::1, with their IPv4-mapped form: service meshes hand over the outside's
// connections from other loopback addresses (Istio: 127.0.0.6).
bool is_trusted_loopback(std::string_view address);

struct Admission {
  enum class Kind : std::uint8_t { Trusted, AskAuthorizer, Refused };
  Kind kind = Kind::Refused;
  Secret token;         // for AskAuthorizer
  unsigned status = 0;  // for Refused
  std::string message;  // for Refused: what to do
};
Admission admit(const Origin& origin, Method method);

struct Credentials {
  Secret token;
  Method method;
  std::string path;
};

struct Decision {
  enum class Verdict : std::uint8_t { Allowed, Unauthenticated, Forbidden, Unavailable };
  Verdict verdict = Verdict::Unauthenticated;
  std::string message;  // for people; may be empty
};

// Decides about a bearer token, at once or later; `done` may be called from any thread, the first
// call counts. Asked for every guarded request of a peer that is not trusted, so it should remember
// its answers for a while.
using Authorizer = std::function<void(Credentials, std::function<void(Decision)> done)>;

// 401, 403 or 503 with a body that says what to do.
Response refusal(const Decision& decision);
Response refusal(const Admission& admission);

}  // namespace troupe::http
