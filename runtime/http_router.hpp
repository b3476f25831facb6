// Which handler answers which path. Pure bookkeeping: filled before the server starts, then only
// read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/http.hpp"

namespace troupe::http {

enum class Access : std::uint8_t {
  Open,     // anybody who reaches the port
  Guarded,  // trusted loopback peers, else whom the Authorizer lets in (http_access.hpp)
};

class Router {
 public:
  struct Route {
    Method method;
    std::string prefix;
    Access access;
    Handler handler;
  };
  struct Match {
    const Route* route = nullptr;
    std::string allow;  // where only the method is wrong: what the path does accept
  };

  // A prefix that ends in '/' matches all paths under it, any other, and "/", only itself; the
  // longest match wins. Adding the same method and prefix twice is a programming error and throws.
  void add(Method method, std::string prefix, Access access, Handler handler);
  Match find(Method method, std::string_view path) const;
  // What `path` accepts, as an Allow header; empty for an unknown path.
  std::string allowed(std::string_view path) const;
  // All prefixes, in order: "/healthz, /metrics, /readyz".
  std::string prefixes() const;

 private:
  std::vector<Route> routes_;  // longest prefix first
};

}  // namespace troupe::http
