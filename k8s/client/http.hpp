// The Transport over sockets: HTTP/1.1 with TLS on Boost.Beast, on one AsioLoop.
//
// Calls share a bounded pool of keep-alive connections and wait in a bounded queue when all are
// busy; each stream has a connection of its own. A call's timeout covers everything from the queue
// to the last byte. A GET that met a connection which the server had just closed, and any call
// answered 401 while the credential can be renewed, is sent once more; nothing else is.
//
// Made, used and destroyed on the loop, or before it runs and after it has stopped.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "k8s/client/config.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/request_counters.hpp"
#include "k8s/client/transport.hpp"

namespace troupe::k8s {

struct HttpOptions {
  std::string user_agent = "troupe-operator";
  // What an API server's fair queuing gives one client at a time is of this order.
  std::size_t max_connections = 32;
  // Calls that wait for a connection. Beyond, they fail at once with Code::Retry.
  std::size_t max_queued = 4096;
  // A stream a kind and namespace.
  std::size_t max_streams = 512;
  // A page of 500 objects of 256 KiB; larger answers fail with Code::Invalid.
  std::size_t max_response = std::size_t{128} << 20;
  // Of the server's own 90 s, so that we close first.
  Duration idle_timeout = std::chrono::seconds(60);
};

// Counters only grow; the last four are levels. From any thread.
struct HttpMetrics {
  using Count = std::atomic<std::uint64_t>;
  Count calls{0};
  Count streams{0};
  Count failures{0};  // calls and streams without a response
  Count timeouts{0};  // of these
  Count rejected_calls{0};
  Count rejected_streams{0};
  Count resent{0};
  Count connects{0};
  Count bytes_received{0};
  Count open_connections{0};  // of the pool
  Count idle_connections{0};
  Count open_streams{0};
  Count queued{0};
};

class HttpTransport final : public Transport {
 public:
  // Fails when the authorities or the client certificate are no valid PEM.
  static Result<std::unique_ptr<HttpTransport>> make(AsioLoop& loop, ClientConfig config,
                                                     HttpOptions options = {});
  ~HttpTransport() override;

  CallId call(Request request, Done done) override;
  CallId stream(Request request, std::shared_ptr<StreamHandler> handler) override;
  void cancel(CallId id) override;

  const ClientConfig& config() const;
  const HttpOptions& options() const;
  const HttpMetrics& metrics() const;
  const RequestCounters& requests() const;  // from any thread

 private:
  struct Impl;
  explicit HttpTransport(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
