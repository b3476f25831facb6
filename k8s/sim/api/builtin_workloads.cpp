// apps and batch: stored with their defaults; controllers, where there are any, run beside.
#include <fmt/format.h>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/selector.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

std::vector<FieldDefault> with_pod_defaults(std::string_view prefix,
                                            std::vector<FieldDefault> own) {
  auto all = pod_spec_defaults(prefix);
  std::move(own.begin(), own.end(), std::back_inserter(all));
  return all;
}

Column number_column(std::string name, std::string path) {
  return path_column(std::move(name), std::move(path), 0, "0");
}

Column ratio_column(std::string name, std::string part, std::string whole) {
  return {.name = std::move(name),
          .cell = [part = std::move(part), whole = std::move(whole)](const auto& o, WallTime) {
            return json::value(
                fmt::format("{}/{}", int_at(o, part).value_or(0), int_at(o, whole).value_or(0)));
          }};
}

void validate_workload(const WriteScope& scope, const json::object& object, const json::object* old,
                       std::vector<FieldError>& errors) {
  if (scope.subresource == "status") return;
  const auto* spec = object_at(object, "spec");
  if (spec == nullptr) return;
  if (const auto replicas = int_at(*spec, "replicas"); replicas && *replicas < 0) {
    errors.push_back(
        invalid("spec.replicas", std::to_string(*replicas), "must be greater than or equal to 0"));
  }
  const auto* selector = object_at(*spec, "selector");
  if (selector == nullptr) {
    errors.push_back(required("spec.selector"));
  } else if (!LabelSelector::from_object(*selector).matches(
                 object_at(*spec, "template.metadata.labels"))) {
    const auto* labels = find(*spec, "template.metadata.labels");
    errors.push_back(invalid("spec.template.metadata.labels",
                             labels == nullptr ? "null" : json::serialize(*labels),
                             "`selector` does not match template `labels`"));
  }
  const auto* before = old == nullptr ? nullptr : find(*old, "spec.selector");
  if (before != nullptr && selector != nullptr && *before != json::value(*selector)) {
    errors.push_back(invalid("spec.selector", json::serialize(*selector), "field is immutable"));
  }
  if (const auto* pod = object_at(*spec, "template.spec")) {
    validate_pod_spec(*pod, "spec.template.spec", errors);
  }
}

ResourceType workload(std::string kind, std::string plural, std::vector<std::string> short_names,
                      std::vector<FieldDefault> defaults, std::vector<Column> columns) {
  std::string singular = kind;
  for (auto& c : singular) c = static_cast<char>(::tolower(c));
  ResourceType type{.group = "apps",
                    .version = "v1",
                    .kind = std::move(kind),
                    .plural = std::move(plural),
                    .singular = std::move(singular),
                    .short_names = std::move(short_names),
                    .categories = {"all"},
                    .has_status = true,
                    .counts_generations = true,
                    .defaults = with_pod_defaults("spec.template.spec.", std::move(defaults)),
                    .columns = std::move(columns)};
  type.strategy.validate = validate_workload;
  return type;
}

const ScalePaths kReplicas{"spec.replicas", "status.replicas", "spec.selector"};

ResourceType deployments() {
  auto type =
      workload("Deployment", "deployments", {"deploy"},
               {{"spec.replicas", 1},
                {"spec.strategy", json::object{{"type", "RollingUpdate"}}},
                {"spec.strategy.rollingUpdate", json::object()},
                {"spec.strategy.rollingUpdate.maxUnavailable", "25%"},
                {"spec.strategy.rollingUpdate.maxSurge", "25%"},
                {"spec.revisionHistoryLimit", 10},
                {"spec.progressDeadlineSeconds", 600}},
               {name_column(), ratio_column("Ready", "status.readyReplicas", "spec.replicas"),
                number_column("Up-to-date", "status.updatedReplicas"),
                number_column("Available", "status.availableReplicas"), age_column()});
  type.scale = kReplicas;
  type.strategy.prepare = [](WriteScope&, json::object& object, const json::object*) {
    if (string_at(object, "spec.strategy.type") == "Recreate") {
      erase_at(object, "spec.strategy.rollingUpdate");
    }
    return ApiResult<void>();
  };
  return type;
}

ResourceType replica_sets() {
  auto type = workload("ReplicaSet", "replicasets", {"rs"}, {{"spec.replicas", 1}},
                       {name_column(), number_column("Desired", "spec.replicas"),
                        number_column("Current", "status.replicas"),
                        number_column("Ready", "status.readyReplicas"), age_column()});
  type.scale = kReplicas;
  return type;
}

ResourceType stateful_sets() {
  auto type =
      workload("StatefulSet", "statefulsets", {"sts"},
               {{"spec.replicas", 1},
                {"spec.podManagementPolicy", "OrderedReady"},
                {"spec.revisionHistoryLimit", 10},
                {"spec.updateStrategy", json::object{{"type", "RollingUpdate"}}},
                {"spec.persistentVolumeClaimRetentionPolicy",
                 json::object{{"whenDeleted", "Retain"}, {"whenScaled", "Retain"}}},
                {"spec.volumeClaimTemplates[].spec.volumeMode", "Filesystem"}},
               {name_column(), ratio_column("Ready", "status.readyReplicas", "spec.replicas"),
                age_column()});
  type.scale = kReplicas;
  return type;
}

ResourceType daemon_sets() {
  return workload("DaemonSet", "daemonsets", {"ds"},
                  {{"spec.revisionHistoryLimit", 10},
                   {"spec.updateStrategy", json::object{{"type", "RollingUpdate"}}}},
                  {name_column(), number_column("Desired", "status.desiredNumberScheduled"),
                   number_column("Current", "status.currentNumberScheduled"),
                   number_column("Ready", "status.numberReady"), age_column()});
}

ResourceType jobs() {
  ResourceType type{
      .group = "batch",
      .version = "v1",
      .kind = "Job",
      .plural = "jobs",
      .singular = "job",
      .categories = {"all"},
      .has_status = true,
      .counts_generations = true,
      .defaults = with_pod_defaults("spec.template.spec.", {{"spec.completions", 1},
                                                            {"spec.parallelism", 1},
                                                            {"spec.backoffLimit", 6},
                                                            {"spec.completionMode", "NonIndexed"},
                                                            {"spec.suspend", false}}),
      .columns = {name_column(),
                  ratio_column("Completions", "status.succeeded", "spec.completions"),
                  age_column()}};
  type.strategy.validate = [](const WriteScope&, const json::object& object, const json::object*,
                              std::vector<FieldError>& errors) {
    if (const auto* pod = object_at(object, "spec.template.spec")) {
      validate_pod_spec(*pod, "spec.template.spec", errors);
    }
  };
  return type;
}

ResourceType cron_jobs() {
  return {.group = "batch",
          .version = "v1",
          .kind = "CronJob",
          .plural = "cronjobs",
          .singular = "cronjob",
          .short_names = {"cj"},
          .categories = {"all"},
          .has_status = true,
          .counts_generations = true,
          .defaults = with_pod_defaults("spec.jobTemplate.spec.template.spec.",
                                        {{"spec.concurrencyPolicy", "Allow"},
                                         {"spec.suspend", false},
                                         {"spec.successfulJobsHistoryLimit", 3},
                                         {"spec.failedJobsHistoryLimit", 1}}),
          .columns = {name_column(), path_column("Schedule", "spec.schedule"),
                      path_column("Suspend", "spec.suspend"), age_column()}};
}

}  // namespace

std::vector<ResourceType> workload_types() {
  return {deployments(), replica_sets(), stateful_sets(), daemon_sets(), jobs(), cron_jobs()};
}

}  // namespace troupe::sim
