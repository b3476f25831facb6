// The controllers beside an API server in the process, with pods that are records.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "k8s/sim/api/discovery.hpp"
#include "k8s/sim/kubelet/cluster.hpp"
#include "tests/unit/sim/controllers_testing.hpp"

namespace troupe::sim {
namespace {

class FakeCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    ClusterOptions options;
    options.fake_ready_after = std::chrono::milliseconds(1);
    options.bind_pod = [this](const std::string& ns, const std::string& pod,
                              const std::string& node) {
      return api_.server().bind_pod(ns, pod, node, api_.clock().wall());
    };
    auto cluster = start_cluster(api_, io_, api_.clock(), std::move(options));
    ASSERT_TRUE(cluster) << cluster.error().message;
    cluster_ = std::move(*cluster);
  }

  template <class Condition>
  bool run_until(const Condition& condition) {
    return sim::run_until(io_, condition, std::chrono::seconds(10));
  }

  void apply(std::string_view text) {
    const auto applied = api_.apply(text);
    ASSERT_TRUE(applied) << applied.error().message;
  }

  void create_pod(const std::string& name, const std::string& spec = "",
                  const std::string& labels = R"({"app": "web"})") {
    apply(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ")" + name +
          R"(", "namespace": "default", "labels": )" + labels +
          R"(}, "spec": {"containers": [{"name": "main", "image": "x",
              "ports": [{"name": "http", "containerPort": 8080}]}])" +
          (spec.empty() ? "" : ", " + spec) + "}}");
  }

  std::string at(std::string_view resource, std::string_view name, JsonPath path) {
    const auto* object = api_.peek(resource, "default", name);
    return object == nullptr ? "" : std::string(text(*object, path));
  }
  bool is_ready(std::string_view pod) {
    const auto* object = api_.peek("pods", "default", pod);
    return object != nullptr && condition_is_true(*object, "Ready");
  }
  // What the pod's PodScheduled condition says.
  std::string refusal(std::string_view pod) {
    const auto* object = api_.peek("pods", "default", pod);
    const auto* condition = object == nullptr ? nullptr : find_condition(*object, "PodScheduled");
    return condition == nullptr ? "" : std::string(text(*condition, {"message"}));
  }

  boost::asio::io_context io_;
  TestApi api_;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(FakeCluster, APodIsScheduledAndBecomesReady) {
  create_pod("p");
  ASSERT_TRUE(run_until([&] { return is_ready("p"); }));
  EXPECT_EQ(at("pods", "p", {"status", "phase"}), "Running");
  EXPECT_NE(at("pods", "p", {"status", "podIP"}), "");
  ASSERT_TRUE(api_.remove("pods", "default", "p"));
  EXPECT_TRUE(run_until([&] { return api_.peek("pods", "default", "p") == nullptr; }));
}

TEST_F(FakeCluster, RequiredAntiAffinitySpreadsAndThenRefusesUntilAPodLeaves) {
  const std::string apart = R"("affinity": {"podAntiAffinity": {
      "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname",
          "labelSelector": {"matchLabels": {"app": "web"}}}]}})";
  for (const char* name : {"a", "b", "c"}) create_pod(name, apart);
  ASSERT_TRUE(run_until([&] { return is_ready("a") && is_ready("b") && is_ready("c"); }));
  EXPECT_NE(at("pods", "a", {"spec", "nodeName"}), at("pods", "b", {"spec", "nodeName"}));
  EXPECT_NE(at("pods", "b", {"spec", "nodeName"}), at("pods", "c", {"spec", "nodeName"}));
  create_pod("d", apart);
  ASSERT_TRUE(run_until([&] { return !refusal("d").empty(); }));
  EXPECT_EQ(refusal("d"),
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.");
  ASSERT_TRUE(api_.remove("pods", "default", "a"));
  EXPECT_TRUE(run_until([&] { return is_ready("d"); }));
}

TEST_F(FakeCluster, NodesAreOfTheServersVersion) {
  const auto* node = api_.peek("nodes", "", "node-0");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(text(*node, {"status", "nodeInfo", "kubeletVersion"}),
            server_version().at("gitVersion").as_string());
}

TEST_F(FakeCluster, TaintsAndNodeSelectorsAreHonoured) {
  ASSERT_TRUE(api_.merge_patch(
      "nodes", "", "node-0", "",
      boost::json::parse(
          R"({"spec": {"taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]}})")));
  create_pod("picky", R"("nodeSelector": {"kubernetes.io/hostname": "node-0"})");
  ASSERT_TRUE(run_until([&] { return !refusal("picky").empty(); }));
  EXPECT_NE(refusal("picky").find("1 node(s) had untolerated taint {dedicated: db}"),
            std::string::npos);
  create_pod("allowed", R"("nodeSelector": {"kubernetes.io/hostname": "node-0"},
      "tolerations": [{"key": "dedicated", "operator": "Exists"}])");
  ASSERT_TRUE(run_until([&] { return is_ready("allowed"); }));
  EXPECT_EQ(at("pods", "allowed", {"spec", "nodeName"}), "node-0");
}

TEST_F(FakeCluster, SpreadConstraintsKeepTheSkew) {
  const std::string spread = R"("topologySpreadConstraints": [{"maxSkew": 1,
      "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
      "labelSelector": {"matchLabels": {"app": "web"}}}])";
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) create_pod(name, spread);
  std::map<std::string, int> count;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    ASSERT_TRUE(run_until([&] { return is_ready(name); }));
    ++count[at("pods", name, {"spec", "nodeName"})];
  }
  EXPECT_EQ(count, (std::map<std::string, int>{{"node-0", 2}, {"node-1", 2}, {"node-2", 2}}));
}

TEST_F(FakeCluster, AClaimWaitsForItsFirstConsumerAndThenBinds) {
  apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
      "metadata": {"name": "data", "namespace": "default"},
      "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})");
  create_pod("p", R"("volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])");
  ASSERT_TRUE(run_until([&] { return is_ready("p"); }));
  EXPECT_EQ(at("persistentvolumeclaims", "data", {"status", "phase"}), "Bound");
  EXPECT_EQ(at("persistentvolumeclaims", "data", {"spec", "storageClassName"}), "standard");
  const std::string volume = at("persistentvolumeclaims", "data", {"spec", "volumeName"});

  ASSERT_TRUE(api_.merge_patch(
      "persistentvolumeclaims", "default", "data", "",
      boost::json::parse(R"({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})")));
  EXPECT_TRUE(run_until([&] {
    return at("persistentvolumeclaims", "data", {"status", "capacity", "storage"}) == "2Gi";
  }));

  ASSERT_TRUE(api_.remove("persistentvolumeclaims", "default", "data"));
  EXPECT_NE(api_.peek("persistentvolumeclaims", "default", "data"), nullptr) << "a pod uses it";
  ASSERT_TRUE(api_.remove("pods", "default", "p"));
  EXPECT_TRUE(run_until([&] {
    return api_.peek("persistentvolumeclaims", "default", "data") == nullptr &&
           api_.peek("persistentvolumes", "", volume) == nullptr;
  }));
}

TEST_F(FakeCluster, AMissingStorageClassIsNamedAndItsAppearanceProvisions) {
  apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
      "metadata": {"name": "data", "namespace": "default"},
      "spec": {"storageClassName": "fast", "accessModes": ["ReadWriteOnce"],
               "resources": {"requests": {"storage": "1Gi"}}}})");
  ASSERT_TRUE(run_until([&] {
    const auto events = api_.list("events", "default");
    return std::any_of(events->begin(), events->end(), [](const auto& event) {
      return text(event, {"message"}) == "storageclass.storage.k8s.io \"fast\" not found";
    });
  }));
  apply(R"({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
      "metadata": {"name": "fast"}, "provisioner": "sim.troupe.dev/directory"})");
  EXPECT_TRUE(run_until([&] {
    return at("persistentvolumeclaims", "data", {"status", "phase"}) == "Bound";
  }));
}

TEST_F(FakeCluster, AClassThatNamesAFileSystemGivesEachVolumeOneOfItsOwn) {
  const auto claim_of = [&](const std::string& name, const std::string& fstype) {
    apply(R"({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": ")" +
          name + R"("}, "provisioner": "sim.troupe.dev/directory", "allowVolumeExpansion": true,
        "parameters": {"csi.storage.k8s.io/fstype": ")" +
          fstype + R"("}})");
    apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": ")" +
          name + R"(", "namespace": "default"},
        "spec": {"storageClassName": ")" +
          name + R"(", "accessModes": ["ReadWriteOnce"],
                 "resources": {"requests": {"storage": "1Gi"}}}})");
  };
  claim_of("small", "ext4");
  ASSERT_TRUE(run_until([&] {
    return at("persistentvolumeclaims", "small", {"status", "phase"}) == "Bound";
  }));
  const auto* volume = api_.peek("persistentvolumes", "",
                                 at("persistentvolumeclaims", "small", {"spec", "volumeName"}));
  EXPECT_EQ(text(*volume, {"spec", "local", "fsType"}), "ext4");
  EXPECT_TRUE(text(*volume, {"spec", "local", "path"}).ends_with(".img"));
  EXPECT_EQ(find(*volume, {"spec", "hostPath"}), nullptr);

  claim_of("strange", "ntfs");
  EXPECT_TRUE(run_until([&] {
    const auto events = api_.list("events", "default");
    return std::any_of(events->begin(), events->end(), [](const auto& event) {
      return text(event, {"message"}) ==
             "parameter csi.storage.k8s.io/fstype of storageclass \"strange\": expected ext4, "
             "found ntfs";
    });
  }));
}

TEST_F(FakeCluster, EndpointsFollowLabelsAndReadiness) {
  apply(
      R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
      "spec": {"selector": {"role": "primary"}, "ports": [{"port": 80, "targetPort": "http"}]}})");
  create_pod("a", "", R"({"role": "primary"})");
  create_pod("b", "", R"({"role": "replica"})");
  const auto addresses = [&] {
    std::vector<std::string> found;
    const auto slices =
        api_.list("endpointslices.discovery.k8s.io", "default", "kubernetes.io/service-name=web");
    for (const auto& slice : *slices) {
      for (const auto& endpoint : items(slice, {"endpoints"})) {
        if (!flag(endpoint, {"conditions", "ready"})) continue;
        found.push_back(std::string(text(endpoint, {"targetRef", "name"})) + ":" +
                        std::to_string(number(items(slice, {"ports"}).at(0), {"port"})));
      }
    }
    return found;
  };
  using Found = std::vector<std::string>;
  ASSERT_TRUE(run_until([&] { return addresses() == Found{"a:8080"}; }));
  for (const auto& [pod, role] : {std::pair("a", "replica"), {"b", "primary"}}) {
    boost::json::value patch{{"metadata", {{"labels", {{"role", role}}}}}};
    ASSERT_TRUE(api_.merge_patch("pods", "default", pod, "", std::move(patch)));
  }
  EXPECT_TRUE(run_until([&] { return addresses() == Found{"b:8080"}; }));
}

TEST_F(FakeCluster, ADisruptionBudgetCountsHealthyPods) {
  apply(R"({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
      "metadata": {"name": "web", "namespace": "default"},
      "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}})");
  for (const char* name : {"a", "b", "c"}) create_pod(name);
  EXPECT_TRUE(run_until([&] {
    const auto* budget = api_.peek("poddisruptionbudgets.policy", "default", "web");
    return number(*budget, {"status", "disruptionsAllowed"}) == 1 &&
           number(*budget, {"status", "currentHealthy"}) == 3;
  }));
}

TEST_F(FakeCluster, ADeploymentRunsAndRollsOutANewTemplate) {
  const auto deployment = [&](const std::string& image) {
    apply(R"({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "op", "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "op"}},
          "template": {"metadata": {"labels": {"app": "op"}},
            "spec": {"containers": [{"name": "main", "image": ")" +
          image + R"("}]}}}})");
  };
  const auto images = [&] {
    std::vector<std::string> found;
    for (const auto& pod : *api_.list("pods", "default", "app=op")) {
      if (!condition_is_true(pod, "Ready") || is_deleting(pod)) return std::vector<std::string>{};
      found.emplace_back(text(items(pod, {"spec", "containers"}).at(0), {"image"}));
    }
    return found;
  };
  using Images = std::vector<std::string>;
  deployment("one");
  ASSERT_TRUE(run_until([&] { return images() == Images{"one", "one"}; }));
  const auto available = [&] {
    const auto* object = api_.peek("deployments.apps", "default", "op");
    return condition_is_true(*object, "Available") &&
           number(*object, {"status", "availableReplicas"}) == 2;
  };
  ASSERT_TRUE(run_until(available));
  deployment("two");
  EXPECT_TRUE(run_until([&] { return images() == Images{"two", "two"}; }));
}

TEST_F(FakeCluster, ALoadBalancerGetsAnAddress) {
  apply(
      R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb", "namespace": "default"},
      "spec": {"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]}})");
  EXPECT_TRUE(run_until([&] {
    const auto* service = api_.peek("services", "default", "lb");
    return !items(*service, {"status", "loadBalancer", "ingress"}).empty();
  }));
}

TEST_F(FakeCluster, WhenEverythingIsReadyNothingIsWrittenAnyMore) {
  create_pod("p");
  apply(
      R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
      "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})");
  ASSERT_TRUE(run_until([&] { return is_ready("p"); }));
  while (io_.poll() > 0) io_.restart();
  const auto settled = api_.revision();
  EXPECT_FALSE(sim::run_until(
      io_, [&] { return api_.revision() != settled; }, std::chrono::milliseconds(300)));
}

}  // namespace
}  // namespace troupe::sim
