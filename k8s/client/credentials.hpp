// What authenticates a request right now: a bearer token, a client certificate, or both.
//
// Fixed values are served as they are. Token and certificate files are read again once a minute (a
// pod's token rotates long before it ends), exec plugins run when what they gave expires or the
// server refuses it. Files and plugins are read on a thread of their own, one at a time, and a
// plugin has a deadline; requests meanwhile go on with what is still valid, or wait.
//
// Everything is called, and calls back, on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "k8s/client/config.hpp"
#include "k8s/client/loop.hpp"

namespace troupe::k8s {

struct Credential {
  Secret token;
  std::string certificate_pem;
  Secret key_pem;
  // When the plugin says that it ends.
  std::optional<WallTime> expires;
};

class Credentials {
 public:
  static constexpr Duration kFileRecheck = std::chrono::seconds(60);
  static constexpr Duration kRetryAfterError = std::chrono::seconds(5);
  static constexpr Duration kPluginDeadline = std::chrono::seconds(30);

  using Got = std::function<void(Result<std::shared_ptr<const Credential>>)>;

  Credentials(Loop& loop, AuthConfig config);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Calls back at once when it can, otherwise when a credential is there.
  void get(Got got);
  // The server answered 401 to this one. True: a later get() may give another.
  bool refused(const std::shared_ptr<const Credential>& credential);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The parts below are separate for their tests.

// From an ExecCredential of client.authentication.k8s.io/v1.
Result<Credential> parse_exec_credential(const std::string& json, const std::string& command);
// Runs the plugin and waits for it, at most until the deadline or until `stopped`.
Result<std::string> run_exec_plugin(const ExecPlugin& plugin, Duration deadline,
                                    const std::function<bool()>& stopped);

}  // namespace troupe::k8s
