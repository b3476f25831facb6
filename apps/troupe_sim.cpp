// troupe-sim: a simulated Kubernetes cluster in one process: an API server, controllers and a
// kubelet.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <iostream>
#include <map>
#include <random>

#include "apps/arguments.hpp"
#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/certificate.hpp"
#include "k8s/sim/crd_folder.hpp"
#include "k8s/sim/kubeconfig.hpp"
#include "k8s/sim/kubelet/cluster.hpp"
#include "k8s/sim/server.hpp"
#include "runtime/clock.hpp"
#include "runtime/logging.hpp"

namespace troupe::sim {
namespace {

using apps::kFailed;
using apps::kWrongUsage;

struct ServeOptions {
  std::string listen = "127.0.0.1:6443";
  std::string kubeconfig;
  std::vector<std::string> crd_folders;
  KubeletKind kubelet = KubeletKind::Fake;
  std::vector<std::string> images;
  std::string state_dir;
  std::uint64_t seed = std::random_device{}();
  int nodes = 3;
  std::string default_fstype;
  bool service_cut = false;
  bool plain_http = false;
};

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto wrong = [&] {
    return error(Code::Invalid, fmt::format("--listen: expected ADDRESS:PORT, found {}", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong();
  std::uint16_t port = 0;
  const auto* last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data() + colon + 1, last, port);
  if (failure != std::errc{} || end != last) return wrong();
  return Endpoint{text.substr(0, colon), port};
}

Result<std::vector<std::pair<std::string, std::filesystem::path>>> parse_images(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::filesystem::path>> images;
  for (const auto& text : texts) {
    const auto sign = text.find('=');
    if (sign == std::string::npos) {
      return error(Code::Invalid, fmt::format("--image: expected NAME=DIR, found {}", text));
    }
    images.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return images;
}

// What a client may call the server: any address of this machine, and its names in the cluster.
std::vector<std::string> certificate_names(const Endpoint& endpoint, const AddressPlan& plan) {
  std::vector<std::string> names = {"localhost",
                                    "kubernetes",
                                    "kubernetes.default",
                                    "kubernetes.default.svc",
                                    "kubernetes.default.svc.cluster.local",
                                    to_string(plan.api_server()),
                                    to_string(plan.gateway()),
                                    endpoint.address};
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return names;
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    names.emplace_back(text);
  }
  freeifaddrs(list);
  return names;
}

ClusterOptions cluster_options(const ServeOptions& options, ApiServer& api, const Clock& clock,
                               NetworkReservation network) {
  ClusterOptions cluster;
  cluster.kubelet = options.kubelet;
  cluster.state_dir = options.state_dir;
  cluster.network = std::move(network);
  cluster.nodes = options.nodes;
  cluster.default_fstype = options.default_fstype;
  cluster.service_cut = options.service_cut;
  cluster.issue_token = [&](const std::string& ns, const std::string& account,
                            const boost::json::value&, const TokenRequest& request) {
    std::vector<std::string> audiences;
    if (!request.audience.empty()) audiences.push_back(request.audience);
    return api.issue_token(ns, account, audiences, std::chrono::seconds(request.expiration_seconds),
                           clock.wall());
  };
  cluster.bind_pod = [&](const std::string& ns, const std::string& pod, const std::string& node) {
    return api.bind_pod(ns, pod, node, clock.wall());
  };
  return cluster;
}

Result<void> serve(const ServeOptions& options) {
  const auto endpoint = parse_endpoint(options.listen);
  if (!endpoint) return endpoint.error();
  auto images = parse_images(options.images);
  if (!images) return images.error();
  const log::Logging logging({});
  const SystemClock clock;
  boost::asio::io_context io(1);

  NetworkReservation network;
  if (options.kubelet == KubeletKind::Runc) {
    auto reserved = reserve_network(options.state_dir);
    if (!reserved) return reserved.error();
    network = std::move(*reserved);
  }
  ApiServerOptions api_options{.seed = options.seed, .require_token = !options.plain_http};
  api_options.service_network = network.plan.service_network();
  std::optional<ServingCertificate> certificate;
  if (!options.plain_http) {
    auto made = make_serving_certificate(certificate_names(*endpoint, network.plan), clock.wall());
    if (!made) return made.error();
    certificate = std::move(*made);
    api_options.ca_certificate = certificate->ca_pem;
    api_options.admin_token = random_token();
    api_options.token_key = random_token();
  }
  ApiServer api(api_options);
  Server server(io, api, clock);
  auto listening =
      server.listen({endpoint->address, endpoint->port, certificate ? &*certificate : nullptr});
  if (!listening) return listening;
  const auto reachable = endpoint->address == "0.0.0.0" ? "127.0.0.1" : endpoint->address;
  api.advertise(reachable, server.port(), clock.wall());

  const auto admin = api.local_client("troupe-sim", [&] { return clock.wall(); });
  for (const auto& folder : options.crd_folders) {
    if (auto installed = install_crd_folder(*admin, folder); !installed) return installed;
  }
  const auto controllers =
      api.local_client("kube-controller-manager", [&] { return clock.wall(); });
  std::unique_ptr<Cluster> cluster;
  if (options.kubelet != KubeletKind::Off) {
    auto beside = cluster_options(options, api, clock, std::move(network));
    beside.images = std::move(*images);
    auto started = start_cluster(*controllers, io, clock, std::move(beside));
    if (!started) return started.error();
    cluster = std::move(*started);
    server.set_node_api(&cluster->node_api());
  }

  const auto url =
      fmt::format("{}://{}:{}", options.plain_http ? "http" : "https", reachable, server.port());
  if (!options.kubeconfig.empty()) {
    auto written = write_kubeconfig(options.kubeconfig,
                                    {url, api_options.ca_certificate, api_options.admin_token});
    if (!written) return written;
  }
  log::info("serving", {{"url", url}, {"seed", options.seed}});
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) {
    server.stop();
    io.stop();
  });
  io.run();
  if (cluster != nullptr) cluster->stop();
  return {};
}

int status_of(const Result<void>& result) {
  if (result) return 0;
  std::cerr << "troupe-sim: " << result.error().message << '\n';
  return result.error().code == Code::Invalid ? kWrongUsage : kFailed;
}

int run(int argc, char** argv) {
  CLI::App app("A simulated Kubernetes cluster: API server and kubelet in one process.",
               "troupe-sim");
  app.require_subcommand(1);
  ServeOptions options;
  const std::map<std::string, KubeletKind> kubelets = {
      {"off", KubeletKind::Off}, {"fake", KubeletKind::Fake}, {"runc", KubeletKind::Runc}};
  auto* command = app.add_subcommand("serve", "Serve the API until stopped.");
  command->add_option("--listen", options.listen, "ADDRESS:PORT; port 0 takes any free one");
  command->add_option("--write-kubeconfig", options.kubeconfig, "where to write a kubeconfig");
  command->add_option("--crds", options.crd_folders, "a folder of CRDs to install (repeatable)");
  command
      ->add_option("--kubelet", options.kubelet,
                   "how pods run: fake, runc, or off (the API server alone)")
      ->transform(CLI::CheckedTransformer(kubelets));
  command->add_option("--image", options.images, "NAME=DIR: an image's root file system");
  command->add_option("--seed", options.seed, "of uids and generated names");
  command->add_option("--state-dir", options.state_dir, "where volumes and containers live");
  command->add_option("--nodes", options.nodes, "how many nodes")->check(CLI::Range(1, 60));
  command
      ->add_option("--default-fstype", options.default_fstype,
                   "ext4: volumes are file systems of their own, as large as their claims, where "
                   "their class does not say what they are; else directories")
      ->check(CLI::IsMember({"ext4"}));
  command
      ->add_option("--service-cut", options.service_cut,
                   "on: cut connections through a Service whose endpoint left")
      ->transform(CLI::Transformer(std::map<std::string, bool>{{"on", true}, {"off", false}}));
  auto* clearing = app.add_subcommand(
      "clear", "Clear away what a killed cluster of --kubelet runc left on the machine.");
  clearing->add_option("--state-dir", options.state_dir, "that of the cluster")->required();
  command->add_flag("--plain-http", options.plain_http, "no TLS and no token: for benchmarks");
  if (const auto status = apps::parse_arguments(app, argc, argv)) return *status;
  if (clearing->parsed()) return status_of(clear_cluster(options.state_dir));
  if (options.kubelet == KubeletKind::Runc && options.state_dir.empty()) {
    std::cerr << "troupe-sim: --kubelet runc needs --state-dir\n";
    return kWrongUsage;
  }
  return status_of(serve(options));
}

}  // namespace
}  // namespace troupe::sim

int main(int argc, char** argv) { return troupe::sim::run(argc, argv); }
