// Where the API server is and how to speak to it: from a kubeconfig file or from inside a pod.
//
// Reading files and the environment happens here, once, at start; what rotates later (token files,
// client certificates, exec plugins) is re-read by Credentials (credentials.hpp). Errors name the
// file, the field and the remedy, and hold no secret. Refused, each with a message: skipping the
// verification of the server's certificate, proxies, interactive exec plugins, and the auth
// providers that Kubernetes itself dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::k8s {

// A program that prints an ExecCredential (client.authentication.k8s.io/v1).
struct ExecPlugin {
  std::string command;
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string install_hint;
};

// A value as data, or the file that holds it; the file is read again when it may have changed.
struct AuthConfig {
  Secret token;
  std::string token_file;
  std::string client_certificate_pem;
  std::string client_certificate_file;
  Secret client_key_pem;
  std::string client_key_file;
  std::optional<ExecPlugin> exec;
};

struct ClientConfig {
  std::string origin;  // for messages: "/root/.kube/config, context dev"
  std::string host;
  std::uint16_t port = 443;
  bool tls = true;
  std::string path_prefix;  // of a server URL with a path; without a trailing slash
  std::string server_name;  // the name in the server's certificate
  std::string ca_pem;       // empty: the system's authorities
  AuthConfig auth;
  std::string default_namespace = "default";
};

// An empty `context` means the file's current-context. Relative paths in the file are relative to
// the file.
Result<ClientConfig> load_kubeconfig(const std::string& path, const std::string& context = {});
// The same from text; `path` is used for messages and as the base of relative paths.
Result<ClientConfig> parse_kubeconfig(const std::string& text, const std::string& path,
                                      const std::string& context = {});

struct InCluster {
  std::string host;  // of $KUBERNETES_SERVICE_HOST
  std::string port;  // of $KUBERNETES_SERVICE_PORT
  std::string directory = "/var/run/secrets/kubernetes.io/serviceaccount";

  static InCluster from_environment();
};
Result<ClientConfig> in_cluster_config(const InCluster& pod);

// --kubeconfig if given, else the pod's, else $KUBECONFIG, else ~/.kube/config.
Result<ClientConfig> find_config(const std::string& kubeconfig_flag, const std::string& context);

}  // namespace troupe::k8s
