// A Unit "db-0" of a UnitSet, with a MySQL container, one volume and its configuration; each table
// changes what it is about.
#pragma once

#include <fmt/format.h>

#include <string>

#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/kind.hpp"
#include "tests/unit/actors/memory_cluster/kind_test.hpp"

namespace troupe::actors {

class UnitTest : public KindTest<UnitKind> {
 protected:
  UnitTest() : KindTest("db-0") {
    cluster.carry_out({"store authority", StoreAuthority{authority(), {}}});
    cluster.put<k8s::StorageClass>("fast",
                                   R"({"provisioner": "disks", "allowVolumeExpansion": true})", {});
    cluster.put<k8s::ConfigMap>("template", R"({"data": {"mysql": "[mysqld]\n"}})");
    cluster.put<k8s::ConfigMap>("values", R"({"data": {"mysql": "a: 1"}})");
    cluster.put<k8s::Unit>("db-0", R"({
      "metadata": {"labels": {"app": "shop", "unitset.name": "db", "unit.name": "db-0"},
                   "ownerReferences": [{"apiVersion": "upm.syntropycloud.io/v1alpha2",
                                        "kind": "UnitSet", "name": "db", "uid": "uid-of-db",
                                        "controller": true}]},
      "spec": {
        "unbindNode": true,
        "configTemplateName": "template", "configValueName": "values",
        "template": {"spec": {
          "subdomain": "db-headless-svc",
          "containers": [
            {"name": "mysql", "image": "mysql:8.0.41", "args": ["--x"],
             "securityContext": {"runAsUser": 1001},
             "env": [{"name": "ARCH_MODE", "value": "rpl_semi_sync"}],
             "volumeMounts": [{"name": "data", "mountPath": "/DATA"}]},
            {"name": "exporter", "image": "exporter:1"}],
          "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "db-0-data"}}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": {"tier": "gold"}},
          "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
                   "resources": {"requests": {"storage": "1Gi"}}}}]}})");
  }

  static ObjectRef authority() { return ref<k8s::SecretObject>(kOperatorNs, kAuthoritySecret); }

  void set_image(std::string_view image) {
    auto pod_template = boost::json::parse(cluster.at<k8s::Unit>("db-0", "/spec/template"));
    pod_template.at("spec").at("containers").at(0).as_object()["image"] = image;
    spec(fmt::format(R"({{"template": {}}})", boost::json::serialize(pod_template)));
  }

  // Up and serving.
  void run() {
    unit.settle();
    cluster.run_pod("db-0");
    unit.settle();
  }

  std::string pod(std::string_view pointer) { return cluster.at<k8s::Pod>("db-0", pointer); }
  Subject<UnitKind> unit{cluster, "db-0"};
};

}  // namespace troupe::actors
