// How a simulated API server is set up, and which faults it injects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

// Probabilities are per request, or per second for watches and compaction.
struct FaultOptions {
  double error = 0;        // 500, 503 or 429 instead of the answer; the request has no effect
  double conflict = 0;     // 409 for an update that names a resourceVersion
  double lost_answer = 0;  // the write happens and the client gets a 504
  double watch_cut = 0;
  double compaction = 0;
  double latency = 0;
  Duration max_latency = std::chrono::milliseconds(200);
};

struct ApiServerOptions {
  std::uint64_t seed = 1;
  std::size_t history = 16'384;  // changes kept for each kind
  FaultOptions faults = {};

  // Requests must bear a token; without it everybody is admin (plain HTTP: clients send none).
  bool require_token = false;
  Secret admin_token = {};
  Secret token_key = {};            // signs service account tokens; made from the seed when empty
  std::string ca_certificate = {};  // PEM, published as kube-root-ca.crt

  // Services get addresses of 10.N.0.0/16; simulated clusters on one machine need different ones.
  int service_network = 96;

  // Where clients of the cluster reach the server: endpoint of the Service "kubernetes".
  std::string advertise_address = "127.0.0.1";
  std::uint16_t advertise_port = 6443;
};

}  // namespace troupe::sim
