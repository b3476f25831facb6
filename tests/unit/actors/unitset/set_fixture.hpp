// A UnitSet "db" of MySQL 8.0.41 and all that it refers to; each table changes what it is about.
#pragma once

#include <fmt/format.h>

#include <string>

#include "actors/unitset/kind.hpp"
#include "tests/unit/actors/memory_cluster/kind_test.hpp"

namespace troupe::actors {

class UnitSetTest : public KindTest<UnitSetKind> {
 protected:
  UnitSetTest() : KindTest("db") {
    install_templates("8.0.41");
    cluster.put<k8s::UnitSet>("db", R"({
      "metadata": {"labels": {"app.kubernetes.io/part-of": "shop"}},
      "spec": {"type": "mysql", "version": "8.0.41", "edition": "community", "units": 3}})");
  }

  // What the operator's namespace holds for one version.
  void install_templates(const std::string& version) {
    const auto name = "mysql-community-" + version;
    cluster.put<k8s::PodTemplate>(name,
                                  fmt::format(R"({{"template": {{
        "metadata": {{"annotations": {{"kubectl.kubernetes.io/default-container": "mysql"}}}},
        "spec": {{
          "initContainers": [{{"name": "init-container", "image": "mysql:{0}"}}],
          "containers": [
            {{"name": "mysql", "image": "mysql:{0}",
              "env": [{{"name": "LANG", "value": "C"}}],
              "ports": [{{"name": "mysql", "containerPort": 3306}}]}},
            {{"name": "exporter", "image": "exporter:1"}}]}}}}}})",
                                              version),
                                  kOperatorNs);
    cluster.put<k8s::ConfigMap>(
        name + "-config-template",
        fmt::format(R"({{"data": {{"mysql": "# template of {}\n"}}}})", version), kOperatorNs);
    cluster.put<k8s::ConfigMap>(
        name + "-config-value",
        fmt::format(R"({{"data": {{"mysql": "mysqld:\n  made_for: \"{}\"\n"}}}})", version),
        kOperatorNs);
  }

  // As the Unit's actor and its Pod would have it.
  void make_ready(const std::string& unit, std::string_view node = "node-1") {
    const auto generation = cluster.find<k8s::Unit>(unit)->metadata.generation;
    cluster.edit<k8s::Unit>(unit, fmt::format(R"({{"status": {{"observedGeneration": {},
        "phase": "Ready", "task": null, "nodeName": "{}"}}}})",
                                              generation, node));
    cluster.put<k8s::Pod>(unit);
  }
  void make_all_ready() {
    set.settle();
    for (const auto& unit : cluster.names<k8s::Unit>()) make_ready(unit);
    set.settle();
  }
  // The Unit has begun to replace its Pod.
  void make_busy(const std::string& unit) {
    const auto generation = cluster.find<k8s::Unit>(unit)->metadata.generation;
    cluster.edit<k8s::Unit>(unit, fmt::format(R"({{"status": {{"observedGeneration": {},
        "phase": null, "task": "TemplateChanged"}}}})",
                                              generation));
  }

  std::string image_of(const std::string& unit) {
    return cluster.at<k8s::Unit>(unit, "/spec/template/spec/containers/0/image");
  }
  Subject<UnitSetKind> set{cluster, "db"};
};

}  // namespace troupe::actors
