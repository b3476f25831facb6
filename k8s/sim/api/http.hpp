// Requests and responses as the API server sees them: HTTP without sockets.
//
// A Request owns its strings. A Response's body is shared, since watch events and cached objects go
// to many clients. Threads: plain values.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/model/time.hpp"

namespace troupe::sim {

// Bodies above this are refused with 413, as etcd's request limit makes the real server do.
inline constexpr std::size_t kMaxBodyBytes = 3'145'728;

struct Request {
  std::string method = "GET";
  std::string target;  // path and query, percent-encoded as it came
  std::string accept = {};
  std::string content_type = {};
  std::string authorization = {};
  std::string user_agent = {};
  std::string body = {};
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  Duration delay{};  // injected latency: the shell answers this much later
};

}  // namespace troupe::sim
