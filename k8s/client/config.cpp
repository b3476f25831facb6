#include "k8s/client/config.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::k8s {
namespace {

constexpr std::string_view kExecApiVersion = "client.authentication.k8s.io/v1";
// Far above any certificate bundle or kubeconfig.
constexpr std::uintmax_t kMaxFile = std::uintmax_t{4} << 20;

Error invalid(std::string message) { return error(Code::Invalid, std::move(message)); }

Result<std::string> read_file(const std::string& path, std::string_view what) {
  std::error_code ec;
  const auto size = std::filesystem::file_size(path, ec);
  if (ec) return invalid(fmt::format("{}: cannot read {}: {}", path, what, ec.message()));
  if (size > kMaxFile) return invalid(fmt::format("{}: {} is larger than 4 MiB", path, what));
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return invalid(fmt::format("{}: cannot read {}", path, what));
  return std::move(text).str();
}

Result<std::string> decode_base64(std::string text, const std::string& field) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), int(text.size()));
  if (length < 0) return invalid(field + ": expected base64");
  const auto padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length - padding));
  return bytes;
}

// A mapping of the kubeconfig and its place in it, for messages.
struct Section {
  YAML::Node node;
  std::string path;  // "/root/.kube/config: users[dev].user"

  std::string field(std::string_view name) const { return fmt::format("{}.{}", path, name); }
  bool has(const char* name) const { return node[name] && !node[name].IsNull(); }
  std::string text(const char* name) const {
    return has(name) && node[name].IsScalar() ? node[name].Scalar() : std::string();
  }
};

class KubeconfigReader {
 public:
  KubeconfigReader(YAML::Node root, std::string path)
      : root_(std::move(root)), path_(std::move(path)) {}

  Result<ClientConfig> read(std::string context_name) {
    if (!root_.IsMap()) return invalid(path_ + ": expected a kubeconfig (kind: Config)");
    if (context_name.empty()) context_name = Section{root_, path_}.text("current-context");
    if (context_name.empty()) {
      return invalid(path_ + ": has no current-context; set one, or name one with --context");
    }
    auto context = find("contexts", "context", context_name);
    if (!context) return context.error();
    ClientConfig config;
    config.origin = fmt::format("{}, context {}", path_, context_name);
    if (auto ns = context->text("namespace"); !ns.empty()) config.default_namespace = ns;

    auto cluster = find("clusters", "cluster", context->text("cluster"));
    if (!cluster) return cluster.error();
    if (auto done = read_cluster(*cluster, config); !done) return done.error();
    if (!context->has("user")) return config;
    auto user = find("users", "user", context->text("user"));
    if (!user) return user.error();
    if (auto done = read_user(*user, config.auth); !done) return done.error();
    return config;
  }

 private:
  Result<Section> find(const char* list, const char* member, const std::string& name) const {
    const auto entries = root_[list];
    if (entries && entries.IsSequence()) {
      for (const auto& entry : entries) {
        if (Section{entry, {}}.text("name") != name) continue;
        const auto path = fmt::format("{}: {}[{}].{}", path_, list, name, member);
        if (!entry[member] || !entry[member].IsMap()) return invalid(path + ": is missing");
        return Section{entry[member], path};
      }
    }
    return invalid(fmt::format(
        "{}: {} has no entry named \"{}\"; add it, or choose another context", path_, list, name));
  }

  Result<void> read_cluster(const Section& cluster, ClientConfig& config) const {
    if (cluster.text("insecure-skip-tls-verify") == "true") {
      return invalid(cluster.field("insecure-skip-tls-verify") +
                     ": the server's certificate is always verified; remove it and give "
                     "certificate-authority or certificate-authority-data");
    }
    if (!cluster.text("proxy-url").empty()) {
      return invalid(cluster.field("proxy-url") +
                     ": proxies are not supported; give a server address that is reachable "
                     "directly");
    }
    if (auto done = read_server(cluster, config); !done) return done;
    if (auto name = cluster.text("tls-server-name"); !name.empty()) config.server_name = name;
    auto ca = data_or_file(cluster, "certificate-authority");
    if (!ca) return ca.error();
    config.ca_pem = std::move(*ca);
    return {};
  }

  static Result<void> read_server(const Section& cluster, ClientConfig& config) {
    const auto server = cluster.text("server");
    const auto url = boost::urls::parse_uri(server);
    if (!url || (url->scheme() != "https" && url->scheme() != "http") || url->host().empty()) {
      return invalid(fmt::format("{}: expected https://HOST[:PORT], found \"{}\"",
                                 cluster.field("server"), server));
    }
    config.tls = url->scheme() == "https";
    config.host = url->host_type() == boost::urls::host_type::ipv6 ? url->host_address()
                                                                   : std::string(url->host());
    config.port = url->has_port() ? url->port_number() : config.tls ? 443 : 80;
    config.server_name = config.host;
    config.path_prefix = url->encoded_path();
    while (config.path_prefix.ends_with('/')) config.path_prefix.pop_back();
    return {};
  }

  Result<void> read_user(const Section& user, AuthConfig& auth) const {
    for (const char* dropped : {"auth-provider", "username", "as"}) {
      if (user.has(dropped)) {
        return invalid(user.field(dropped) +
                       ": is not supported; use a token, a client certificate or an exec plugin");
      }
    }
    auth.token = Secret(user.text("token"));
    if (auth.token.empty()) auth.token_file = resolve(user.text("tokenFile"));
    auto certificate = embedded(user, "client-certificate-data");
    if (!certificate) return certificate.error();
    auth.client_certificate_pem = std::move(*certificate);
    if (auth.client_certificate_pem.empty()) {
      auth.client_certificate_file = resolve(user.text("client-certificate"));
    }
    auto key = embedded(user, "client-key-data");
    if (!key) return key.error();
    auth.client_key_pem = Secret(std::move(*key));
    if (auth.client_key_pem.empty()) auth.client_key_file = resolve(user.text("client-key"));
    return user.has("exec") ? read_exec({user.node["exec"], user.field("exec")}, auth)
                            : Result<void>();
  }

  Result<void> read_exec(const Section& section, AuthConfig& auth) const {
    ExecPlugin plugin;
    if (const auto version = section.text("apiVersion"); version != kExecApiVersion) {
      return invalid(fmt::format("{}: expected {}, found \"{}\"; upgrade the plugin",
                                 section.field("apiVersion"), kExecApiVersion, version));
    }
    if (section.text("interactiveMode") == "Always") {
      return invalid(section.field("interactiveMode") +
                     ": Always needs a terminal; use a plugin that runs without one");
    }
    plugin.command = section.text("command");
    if (plugin.command.empty()) return invalid(section.field("command") + ": is missing");
    if (plugin.command.find('/') != std::string::npos) plugin.command = resolve(plugin.command);
    plugin.install_hint = section.text("installHint");
    if (section.has("args")) {
      for (const auto& arg : section.node["args"]) plugin.args.push_back(arg.as<std::string>(""));
    }
    if (section.has("env")) {
      for (const auto& entry : section.node["env"]) {
        const Section variable{entry, {}};
        plugin.env.emplace_back(variable.text("name"), variable.text("value"));
      }
    }
    auth.exec = std::move(plugin);
    return {};
  }

  Result<std::string> data_or_file(const Section& section, const std::string& name) const {
    auto data = embedded(section, name + "-data");
    if (!data || !data->empty()) return data;
    const auto file = section.text(name.c_str());
    if (file.empty()) return std::string();
    return read_file(resolve(file), fmt::format("{} of {}", name, path_));
  }

  static Result<std::string> embedded(const Section& section, const std::string& name) {
    const auto text = section.text(name.c_str());
    if (text.empty()) return std::string();
    return decode_base64(text, section.field(name));
  }

  std::string resolve(const std::string& file) const {
    if (file.empty() || file.front() == '/') return file;
    return (std::filesystem::path(path_).parent_path() / file).lexically_normal().string();
  }

  YAML::Node root_;
  std::string path_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Result<ClientConfig> parse_kubeconfig(const std::string& text, const std::string& path,
                                      const std::string& context) {
  try {
    return KubeconfigReader(YAML::Load(text), path).read(context);
  } catch (const YAML::Exception& e) {
    // Its message may quote the text around the mistake, and that may be a token.
    return invalid(fmt::format("{}: line {}: not valid YAML", path, e.mark.line + 1));
  }
}

Result<ClientConfig> load_kubeconfig(const std::string& path, const std::string& context) {
  auto text = read_file(path, "the kubeconfig");
  if (!text) return text.error();
  return parse_kubeconfig(*text, path, context);
}

InCluster InCluster::from_environment() {
  InCluster pod;
  pod.host = environment("KUBERNETES_SERVICE_HOST");
  pod.port = environment("KUBERNETES_SERVICE_PORT");
  return pod;
}

Result<ClientConfig> in_cluster_config(const InCluster& pod) {
  if (pod.host.empty()) {
    return invalid(
        "not in a pod: KUBERNETES_SERVICE_HOST is not set; give --kubeconfig to run outside");
  }
  ClientConfig config;
  config.origin = "the pod's service account";
  config.host = pod.host;
  config.server_name = pod.host;
  if (!pod.port.empty()) {
    const int port = std::atoi(pod.port.c_str());
    if (port < 1 || port > 65535) {
      return invalid(
          fmt::format("KUBERNETES_SERVICE_PORT: expected 1 to 65535, found \"{}\"", pod.port));
    }
    config.port = static_cast<std::uint16_t>(port);
  }
  auto ca = read_file(pod.directory + "/ca.crt", "the cluster's authority");
  if (!ca) return ca.error();
  config.ca_pem = std::move(*ca);
  config.auth.token_file = pod.directory + "/token";
  if (auto token = read_file(config.auth.token_file, "the service account's token"); !token) {
    return invalid(token.error().message +
                   "; does the pod set automountServiceAccountToken: false?");
  }
  if (auto ns = read_file(pod.directory + "/namespace", "the pod's namespace"); ns) {
    config.default_namespace = std::move(*ns);
  }
  return config;
}

Result<ClientConfig> find_config(const std::string& kubeconfig_flag, const std::string& context) {
  if (!kubeconfig_flag.empty()) return load_kubeconfig(kubeconfig_flag, context);
  if (const auto pod = InCluster::from_environment(); !pod.host.empty()) {
    return in_cluster_config(pod);
  }
  if (const auto path = environment("KUBECONFIG"); !path.empty()) {
    if (path.find(':') != std::string::npos) {
      return invalid("KUBECONFIG names several files (\"" + path +
                     "\"); give the one to use with --kubeconfig");
    }
    return load_kubeconfig(path, context);
  }
  return load_kubeconfig(environment("HOME") + "/.kube/config", context);
}

}  // namespace troupe::k8s
