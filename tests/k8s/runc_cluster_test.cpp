// A whole cluster but for its API server: scheduling, volumes, Services and names with real
// containers.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "k8s/sim/kubelet/cluster.hpp"
#include "k8s/sim/kubelet/container_log.hpp"
#include "k8s/sim/kubelet/process.hpp"
#include "tests/k8s/runc_fixture.hpp"

namespace troupe::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Far below any polling interval, and above what a busy machine adds to an event.
constexpr milliseconds kNoPolling{500};

// What a TCP server says first, or empty when it refuses.
std::string greeting(const std::string& address, std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  timeval limit{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::string said;
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    char buffer[128];
    const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
    if (n > 0) said.assign(buffer, static_cast<std::size_t>(n));
  }
  close(fd);
  return said;
}

class RuncClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || !std::filesystem::exists(kRootFs)) {
      GTEST_SKIP() << "needs root and " << kRootFs;
    }
    state_dir_ = std::filesystem::temp_directory_path() /
                 ("troupe-cluster-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(state_dir_);
    auto network = reserve_network(state_dir_);
    ASSERT_TRUE(network) << network.error().message;
    plan_ = network->plan;
    // Other clusters may run on this machine: Services lie in the network that is ours alone.
    api_ = std::make_unique<TestApi>(plan_.service_network());
    ClusterOptions options;
    options.kubelet = KubeletKind::Runc;
    options.state_dir = state_dir_;
    options.network = std::move(*network);
    options.images = {{"base", kRootFs}};
    options.issue_token = [this](const std::string& ns, const std::string& account,
                                 const boost::json::value&, const TokenRequest& request) {
      return api_->server().issue_token(ns, account, {}, seconds(request.expiration_seconds),
                                        clock_.wall());
    };
    options.bind_pod = [this](const std::string& ns, const std::string& pod,
                              const std::string& node) {
      return api_->server().bind_pod(ns, pod, node, clock_.wall());
    };
    auto cluster = start_cluster(*api_, io_, clock_, std::move(options));
    ASSERT_TRUE(cluster) << cluster.error().message;
    cluster_ = std::move(*cluster);
  }

  void TearDown() override {
    if (HasFailure()) {
      show_objects();
      show_logs();
    }
    cluster_.reset();
    if (!state_dir_.empty()) std::filesystem::remove_all(state_dir_);
  }

  void show_objects() {
    for (const char* resource : {"events", "pods", "persistentvolumeclaims", "endpoints"}) {
      for (const auto& object : *api_->list(resource, "")) {
        std::cerr << boost::json::serialize(object) << '\n';
      }
    }
  }

  void show_logs() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state_dir_ / "logs")) {
      if (!entry.is_regular_file()) continue;
      std::cerr << entry.path() << ":\n" << tail_of_log(entry.path(), 4096) << '\n';
    }
  }

  template <class Condition>
  bool run_until(const Condition& condition, milliseconds deadline = seconds(20)) {
    return sim::run_until(io_, condition, deadline);
  }

  bool is_ready(std::string_view name) {
    const auto* pod = api_->peek("pods", "default", name);
    return pod != nullptr && condition_is_true(*pod, "Ready");
  }

  std::string exec(const std::string& pod, std::vector<std::string> argv) {
    auto output = std::make_shared<CollectedExec>();
    ExecOptions options;
    options.argv = std::move(argv);
    const auto* object = api_->peek("pods", "default", pod);
    auto session = cluster_->node_api().exec(
        {"default", pod, std::string(uid_of(*object)), "node-0", "main"}, options, output);
    if (!session) return session.error().message;
    run_until([&] { return output->status.has_value(); });
    return output->text;
  }

  void create_service(const std::string& name, const std::string& address, int port,
                      const std::string& more = "") {
    api_->apply(R"({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": ")" +
                name + R"(", "namespace": "default"},
        "spec": {"clusterIP": ")" +
                address + R"(", "selector": {"app": ")" + name + R"("},
          "ports": [{"port": )" +
                std::to_string(port) + more + "}]}}");
  }

  boost::asio::io_context io_;
  SystemClock clock_;
  std::unique_ptr<TestApi> api_;
  std::filesystem::path state_dir_;
  AddressPlan plan_;
  std::unique_ptr<Cluster> cluster_;
};

constexpr std::string_view kMysqlPod = R"({"apiVersion": "v1", "kind": "Pod",
  "metadata": {"name": "db", "namespace": "default", "labels": {"app": "db"}},
  "spec": {"hostname": "db", "subdomain": "db-members",
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "run", "emptyDir": {}}],
    "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
    "initContainers": [{"name": "init", "image": "base", "command": ["sh", "-c",
        "[ -d /data/d ] || mysqld --no-defaults --initialize-insecure --datadir=/data/d"],
      "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
    "containers": [{"name": "main", "image": "base", "command": ["mysqld", "--no-defaults",
        "--datadir=/data/d", "--socket=/run/mysqld/mysqld.sock", "--mysqlx=OFF",
        "--pid-file=/run/mysqld/mysqld.pid", "--secure-file-priv=NULL",
        "--innodb-buffer-pool-size=64M"],
      "ports": [{"name": "mysql", "containerPort": 3306}],
      "readinessProbe": {"tcpSocket": {"port": "mysql"}, "periodSeconds": 1},
      "volumeMounts": [{"name": "data", "mountPath": "/data"},
                       {"name": "run", "mountPath": "/run/mysqld"}]}]}})";

TEST_F(RuncClusterTest, ADatabaseOnAClaimIsReachedThroughItsServiceAndItsNames) {
  const std::string service_ip = to_string(plan_.services().at(100));
  api_->apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
      "metadata": {"name": "data", "namespace": "default",
                   "finalizers": ["kubernetes.io/pvc-protection"]},
      "spec": {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"],
               "resources": {"requests": {"storage": "1Gi"}}},
      "status": {"phase": "Pending"}})");
  create_service("db", service_ip, 3306);
  api_->apply(R"({"apiVersion": "v1", "kind": "Service",
      "metadata": {"name": "db-members", "namespace": "default"},
      "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 3306}]}})");
  EXPECT_EQ(greeting(service_ip, 3306), "") << "nothing is ready yet";
  api_->apply(kMysqlPod);
  ASSERT_TRUE(run_until([&] { return is_ready("db"); }, seconds(180)));

  const auto* claim = api_->peek("persistentvolumeclaims", "default", "data");
  EXPECT_EQ(text(*claim, {"status", "phase"}), "Bound");
  const auto* pod = api_->peek("pods", "default", "db");
  const std::string address(text(*pod, {"status", "podIP"}));
  EXPECT_FALSE(greeting(address, 3306).empty()) << "from the machine";
  ASSERT_TRUE(run_until([&] { return !greeting(service_ip, 3306).empty(); }, seconds(5)));

  EXPECT_EQ(exec("db", {"getent", "ahostsv4", "db"}).substr(0, address.size()), address);
  EXPECT_EQ(exec("db", {"getent", "ahostsv4", "db.db-members.default.svc.cluster.local"})
                .substr(0, address.size()),
            address);
  EXPECT_EQ(exec("db", {"getent", "ahostsv4", "db.default"}).substr(0, service_ip.size()),
            service_ip);
  EXPECT_EQ(exec("db", {"getent", "ahostsv4", "nowhere.example.org"}), "");
  EXPECT_EQ(exec("db", {"mysql", "-uroot", "--protocol=tcp", "-h127.0.0.1", "-Nse", "select 41+1"}),
            "42\n");
}

// Loop devices of files below a directory.
std::string devices_of(const std::filesystem::path& directory) {
  const auto found = run_program({{"sh", "-c",
                                   "losetup --list --noheadings --output BACK-FILE | grep -F '" +
                                       directory.string() + "'; true"},
                                  ""});
  return found ? *found : found.error().message;
}

TEST_F(RuncClusterTest, AVolumeOfItsOwnIsAsLargeAsItsClaimAndGrowsWithIt) {
  api_->apply(R"({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
      "metadata": {"name": "own"}, "provisioner": "sim.troupe.dev/directory",
      "allowVolumeExpansion": true, "parameters": {"csi.storage.k8s.io/fstype": "ext4"}})");
  api_->apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
      "metadata": {"name": "data", "namespace": "default",
                   "finalizers": ["kubernetes.io/pvc-protection"]},
      "spec": {"storageClassName": "own", "accessModes": ["ReadWriteOnce"],
               "resources": {"requests": {"storage": "64Mi"}}},
      "status": {"phase": "Pending"}})");
  const auto create_pod = [this] {
    api_->apply(R"({"apiVersion": "v1", "kind": "Pod",
      "metadata": {"name": "full", "namespace": "default"},
      "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "terminationGracePeriodSeconds": 1, "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
        "containers": [{"name": "main", "image": "base", "command": ["sleep", "1000"],
          "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}})");
    return run_until([&] { return is_ready("full"); });
  };
  const auto fill = [this](const std::string& file, const std::string& mib) {
    return exec("full", {"sh", "-c", "fallocate -l " + mib + "M /data/" + file + " && echo done"});
  };
  const auto remove = [this](const char* resource, const char* name) {
    return api_->remove(resource, "default", name) &&
           run_until([&] { return api_->peek(resource, "default", name) == nullptr; });
  };
  ASSERT_TRUE(create_pod());
  EXPECT_EQ(fill("one", "40"), "done\n");
  EXPECT_NE(fill("two", "40").find("No space left"), std::string::npos);

  ASSERT_TRUE(api_->merge_patch(
      "persistentvolumeclaims", "default", "data", "",
      boost::json::parse(R"({"spec": {"resources": {"requests": {"storage": "128Mi"}}}})")));
  const auto has_grown = [&] {
    const auto* claim = api_->peek("persistentvolumeclaims", "default", "data");
    return text(*claim, {"status", "capacity", "storage"}) == "128Mi";
  };
  const auto is_refused = [&] {
    const auto events = api_->list("events", "default");
    return std::any_of(events->begin(), events->end(), [](const auto& event) {
      return text(event, {"reason"}) == "FileSystemResizeFailed";
    });
  };
  ASSERT_TRUE(run_until([&] { return has_grown() || is_refused(); }));
  if (has_grown()) {
    EXPECT_EQ(fill("two", "40"), "done\n") << "in the container that was there before";
  }
  ASSERT_TRUE(remove("pods", "full"));
  ASSERT_TRUE(create_pod());
  ASSERT_TRUE(run_until(has_grown)) << "where it could not while it was mounted, it does now";
  EXPECT_EQ(fill("two", "40"), "done\n");
  EXPECT_EQ(exec("full", {"sh", "-c", "ls -1 /data | grep -v lost"}), "one\ntwo\n");

  ASSERT_TRUE(remove("pods", "full"));
  ASSERT_TRUE(remove("persistentvolumeclaims", "data"));
  const auto volumes = state_dir_ / "volumes";
  EXPECT_TRUE(run_until([&] {
    return std::filesystem::is_empty(volumes) && devices_of(volumes).empty();
  })) << devices_of(volumes);
}

TEST_F(RuncClusterTest, AServiceFollowsReadinessWithinMilliseconds) {
  const std::string service_ip = to_string(plan_.services().at(101));
  create_service("web", service_ip, 80, R"(, "targetPort": 8080)");
  api_->apply(R"({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "base",
      "command": ["perl", "-MIO::Socket::INET", "-e",
        "$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1); while ($c = $s->accept) { print $c \"hello\"; close $c }"],
      "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}]}})");
  ASSERT_TRUE(run_until([&] { return is_ready("web"); }));
  ASSERT_TRUE(run_until([&] { return greeting(service_ip, 80) == "hello"; }, seconds(5)));

  const auto pids = boost::json::parse(text(*api_->peek("pods", "default", "web"),
                                            {"metadata", "annotations", "sim.troupe.dev/pids"}));
  kill(static_cast<pid_t>(number(pids, {"main"})), SIGKILL);
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(run_until([&] {
    const auto* endpoints = api_->peek("endpoints", "default", "web");
    for (const auto& subset : items(*endpoints, {"subsets"})) {
      if (!items(subset, {"addresses"}).empty()) return false;
    }
    return true;
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - killed, kNoPolling);
}

}  // namespace
}  // namespace troupe::sim
