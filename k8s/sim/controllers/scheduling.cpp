#include "k8s/sim/controllers/scheduling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "k8s/sim/controllers/amounts.hpp"
#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/labels.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

// Points of a soft spread constraint for each pod too many; a preferred affinity has 1 to 100.
constexpr std::int64_t kSpreadWeight = 10;

bool tolerates(const json::value& pod, const json::value& taint) {
  for (const json::value& toleration : items(pod, {"spec", "tolerations"})) {
    const std::string_view effect = text(toleration, {"effect"});
    if (!effect.empty() && effect != text(taint, {"effect"})) continue;
    const std::string_view key = text(toleration, {"key"});
    const bool exists = text(toleration, {"operator"}) == "Exists";
    if (key.empty() && exists) return true;
    if (key != text(taint, {"key"})) continue;
    if (exists || text(toleration, {"value"}) == text(taint, {"value"})) return true;
  }
  return false;
}

std::string_view domain_of(const json::value& node, std::string_view topology_key) {
  return text(node, {"metadata", "labels", topology_key});
}

bool is_running(const json::value& pod) {
  const std::string_view phase = text(pod, {"status", "phase"});
  return phase != "Succeeded" && phase != "Failed" && !text(pod, {"spec", "nodeName"}).empty();
}

class Chooser {
 public:
  Chooser(const json::value& pod, const SchedulingView& view)
      : pod_(pod), view_(view), requests_(requests_of(pod)) {
    for (const CachedObject& node : view.nodes) node_by_name_[std::string(name_of(*node))] = node;
  }

  Result<std::string> choose() {
    std::optional<std::string> best;
    std::int64_t best_score = std::numeric_limits<std::int64_t>::min();
    std::map<std::string, int> reasons;
    for (const CachedObject& node : view_.nodes) {
      const std::string reason = refusal(*node);
      if (!reason.empty()) {
        ++reasons[reason];
        continue;
      }
      const std::int64_t points = score(*node);
      if (points <= best_score) continue;
      best_score = points;
      best = name_of(*node);
    }
    if (best) return *best;
    return error(Code::Retry, refusal_message(reasons));
  }

 private:
  using Domains = std::map<std::string, std::int64_t, std::less<>>;

  std::string refusal_message(const std::map<std::string, int>& reasons) const {
    std::string message = fmt::format("0/{} nodes are available:", view_.nodes.size());
    std::string separator = " ";
    for (const auto& [reason, count] : reasons) {
      message += fmt::format("{}{} {}", separator, count, reason);
      separator = ", ";
    }
    return message + ".";
  }

  // Why the node is out, or empty.
  std::string refusal(const json::value& node) {
    if (flag(node, {"spec", "unschedulable"}) &&
        !tolerates(pod_, json::value{{"key", "node.kubernetes.io/unschedulable"},
                                     {"effect", "NoSchedule"}})) {
      return "node(s) were unschedulable";
    }
    if (!matches_node_affinity(node)) {
      return "node(s) didn't match Pod's node affinity/selector";
    }
    for (const json::value& taint : items(node, {"spec", "taints"})) {
      if (text(taint, {"effect"}) == "PreferNoSchedule" || tolerates(pod_, taint)) continue;
      return fmt::format("node(s) had untolerated taint {{{}: {}}}", text(taint, {"key"}),
                         text(taint, {"value"}));
    }
    const std::string shortage = lacking(node);
    if (!shortage.empty()) return shortage;
    if (!matches_pod_affinity(node)) return "node(s) didn't match pod affinity rules";
    if (!matches_pod_anti_affinity(node)) return "node(s) didn't match pod anti-affinity rules";
    if (!matches_spread(node)) return "node(s) didn't match pod topology spread constraints";
    return {};
  }

  bool matches_node_affinity(const json::value& node) const {
    const json::object& selector = fields(pod_, {"spec", "nodeSelector"});
    if (!selector.empty() && !label_map_matches(selector, node)) return false;
    const json::value* required = find(pod_, {"spec", "affinity", "nodeAffinity",
                                              "requiredDuringSchedulingIgnoredDuringExecution"});
    return required == nullptr || node_selector_matches(*required, node);
  }

  std::string lacking(const json::value& node) const {
    const auto used = view_.usage->find(std::string(name_of(node)));
    Usage total = used == view_.usage->end() ? Usage{} : used->second;
    total += requests_;
    const auto capacity = [&node](std::string_view name) {
      return find(node, {"status", "allocatable", name});
    };
    if (total.pods > whole_amount(capacity("pods"))) return "Too many pods";
    if (requests_.milli_cpu > 0 && total.milli_cpu > milli_amount(capacity("cpu"))) {
      return "Insufficient cpu";
    }
    if (requests_.memory > 0 && total.memory > whole_amount(capacity("memory"))) {
      return "Insufficient memory";
    }
    return {};
  }

  // How many running pods that a term selects are in each domain of its topology key.
  const Domains& domains_of(const json::value& term) {
    const auto known = domains_.find(&term);
    if (known != domains_.end()) return known->second;
    Domains& domains = domains_[&term];
    const std::string_view key = text(term, {"topologyKey"});
    std::set<std::string> namespaces;
    for (const json::value& ns : items(term, {"namespaces"})) namespaces.insert(scalar_text(ns));
    if (namespaces.empty()) namespaces.insert(std::string(namespace_of(pod_)));
    for (const std::string& ns : namespaces) {
      for (const CachedObject& other : view_.pods(ns, find(term, {"labelSelector"}))) {
        if (!is_running(*other) || is_deleting(*other)) continue;
        const auto node = node_by_name_.find(std::string(text(*other, {"spec", "nodeName"})));
        if (node == node_by_name_.end()) continue;
        ++domains[std::string(domain_of(*node->second, key))];
      }
    }
    return domains;
  }

  std::int64_t pods_beside(const json::value& node, const json::value& term) {
    const Domains& domains = domains_of(term);
    const auto found = domains.find(domain_of(node, text(term, {"topologyKey"})));
    return found == domains.end() ? 0 : found->second;
  }

  bool matches_pod_affinity(const json::value& node) {
    for (const json::value& term :
         items(pod_, {"spec", "affinity", "podAffinity",
                      "requiredDuringSchedulingIgnoredDuringExecution"})) {
      // The first pod of a group that wants to be together may go anywhere.
      const bool first =
          domains_of(term).empty() && label_selector_matches(find(term, {"labelSelector"}), pod_);
      if (!first && pods_beside(node, term) == 0) return false;
    }
    return true;
  }

  bool matches_pod_anti_affinity(const json::value& node) {
    for (const json::value& term :
         items(pod_, {"spec", "affinity", "podAntiAffinity",
                      "requiredDuringSchedulingIgnoredDuringExecution"})) {
      if (pods_beside(node, term) > 0) return false;
    }
    return true;
  }

  // How many more pods than the emptiest domain this node's would have.
  std::optional<std::int64_t> skew(const json::value& node, const json::value& constraint) {
    const std::string_view key = text(constraint, {"topologyKey"});
    const std::string_view own = domain_of(node, key);
    if (own.empty()) return std::nullopt;
    const Domains& counts = domains_of(constraint);
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const CachedObject& other : view_.nodes) {
      const std::string_view domain = domain_of(*other, key);
      if (domain.empty() || !matches_node_affinity(*other)) continue;
      const auto found = counts.find(domain);
      least = std::min(least, found == counts.end() ? 0 : found->second);
    }
    const auto here = counts.find(own);
    return (here == counts.end() ? 0 : here->second) + 1 - least;
  }

  bool matches_spread(const json::value& node) {
    for (const json::value& constraint : items(pod_, {"spec", "topologySpreadConstraints"})) {
      if (text(constraint, {"whenUnsatisfiable"}) != "DoNotSchedule") continue;
      const auto own = skew(node, constraint);
      if (!own || *own > number(constraint, {"maxSkew"}, 1)) return false;
    }
    return true;
  }

  std::int64_t score(const json::value& node) {
    std::int64_t points = 0;
    constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (const json::value& each : items(pod_, {"spec", "affinity", "nodeAffinity", kPreferred})) {
      const json::value* term = find(each, {"preference"});
      if (term != nullptr && node_term_matches(*term, node)) points += number(each, {"weight"});
    }
    for (const auto& [kind, sign] : {std::pair("podAffinity", 1), {"podAntiAffinity", -1}}) {
      for (const json::value& each : items(pod_, {"spec", "affinity", kind, kPreferred})) {
        const json::value* term = find(each, {"podAffinityTerm"});
        if (term != nullptr) points += sign * number(each, {"weight"}) * pods_beside(node, *term);
      }
    }
    for (const json::value& constraint : items(pod_, {"spec", "topologySpreadConstraints"})) {
      points -= kSpreadWeight * skew(node, constraint).value_or(0);
    }
    // What decides among equals must weigh less than the smallest preference.
    constexpr std::int64_t kScale = 1'000'000;
    const auto used = view_.usage->find(std::string(name_of(node)));
    const std::int64_t load =
        used == view_.usage->end() ? 0 : used->second.pods * 100 + used->second.milli_cpu / 100;
    return points * kScale - std::min(load, kScale - 1);
  }

  const json::value& pod_;
  const SchedulingView& view_;
  const Usage requests_;
  std::map<std::string, CachedObject> node_by_name_;
  std::map<const json::value*, Domains> domains_;
};

Usage requests_of_container(const json::value& container) {
  return {milli_amount(find(container, {"resources", "requests", "cpu"})),
          whole_amount(find(container, {"resources", "requests", "memory"})), 0};
}

}  // namespace

Usage& Usage::operator+=(const Usage& other) {
  milli_cpu += other.milli_cpu;
  memory += other.memory;
  pods += other.pods;
  return *this;
}

Usage& Usage::operator-=(const Usage& other) {
  milli_cpu -= other.milli_cpu;
  memory -= other.memory;
  pods -= other.pods;
  return *this;
}

Usage requests_of(const json::value& pod) {
  Usage sum{0, 0, 1};
  for (const json::value& container : items(pod, {"spec", "containers"})) {
    sum += requests_of_container(container);
  }
  Usage largest_init;
  for (const json::value& container : items(pod, {"spec", "initContainers"})) {
    const Usage own = requests_of_container(container);
    if (text(container, {"restartPolicy"}) == "Always") {
      sum += own;
    } else {
      largest_init.milli_cpu = std::max(largest_init.milli_cpu, own.milli_cpu);
      largest_init.memory = std::max(largest_init.memory, own.memory);
    }
  }
  sum.milli_cpu = std::max(sum.milli_cpu, largest_init.milli_cpu);
  sum.memory = std::max(sum.memory, largest_init.memory);
  return sum;
}

Result<std::string> choose_node(const json::value& pod, const SchedulingView& view) {
  return Chooser(pod, view).choose();
}

}  // namespace troupe::sim
