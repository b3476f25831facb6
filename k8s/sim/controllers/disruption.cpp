#include "k8s/sim/controllers/disruption.hpp"

#include <algorithm>
#include <charconv>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kBudgets = "poddisruptionbudgets.policy";

// An IntOrString of which a percentage counts of `total`.
std::int64_t amount_of(const json::value& value, std::int64_t total) {
  const std::string text_form = scalar_text(value);
  std::int64_t amount = 0;
  std::from_chars(text_form.data(), text_form.data() + text_form.size(), amount);
  return text_form.ends_with('%') ? (amount * total + 99) / 100 : amount;
}

class DisruptionController final : public Controller {
 public:
  DisruptionController(const ControllerContext& context, const PodIndex& pods)
      : context_(context),
        pods_(pods),
        budgets_(context.caches.of(kBudgets)),
        queue_(context.io, [this](const ObjectKey& key) { reconcile(key); }) {
    budgets_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after != nullptr) queue_.add(after);
    });
    context.caches.of("pods").subscribe(
        [this](const CachedObject& before, const CachedObject& after) {
          const CachedObject& pod = after != nullptr ? after : before;
          for (const CachedObject& budget : budgets_.in_namespace(namespace_of(*pod))) {
            queue_.add(budget);
          }
        });
  }

 private:
  void reconcile(const ObjectKey& key) {
    const CachedObject budget = budgets_.find(key);
    if (budget == nullptr) return;
    const DisruptionCount count =
        count_disruptions(*budget, pods_.select(key.ns, find(*budget, {"spec", "selector"})));
    json::object status{{"expectedPods", count.expected},
                        {"currentHealthy", count.healthy},
                        {"desiredHealthy", count.desired},
                        {"disruptionsAllowed", count.allowed},
                        {"observedGeneration", number(*budget, {"metadata", "generation"})}};
    json::array conditions = items(*budget, {"status", "conditions"});
    set_condition(conditions,
                  {{"type", "DisruptionAllowed"},
                   {"status", count.allowed > 0 ? "True" : "False"},
                   {"reason", count.allowed > 0 ? "SufficientPods" : "InsufficientPods"},
                   {"message", ""},
                   {"observedGeneration", number(*budget, {"metadata", "generation"})}},
                  context_.clock.wall());
    status["conditions"] = std::move(conditions);
    json::object patch = status_patch(*budget, status);
    if (!patch.empty()) {
      (void)context_.api.merge_patch(kBudgets, key.ns, key.name, "status", std::move(patch));
    }
  }

  const ControllerContext context_;
  const PodIndex& pods_;
  ObjectCache& budgets_;
  WorkQueue queue_;
};

}  // namespace

DisruptionCount count_disruptions(const json::value& budget,
                                  const std::vector<CachedObject>& pods) {
  DisruptionCount count;
  for (const CachedObject& pod : pods) {
    const std::string_view phase = text(*pod, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed") continue;
    ++count.expected;
    if (!is_deleting(*pod) && condition_is_true(*pod, "Ready")) ++count.healthy;
  }
  if (const json::value* least = find(budget, {"spec", "minAvailable"})) {
    count.desired = amount_of(*least, count.expected);
  } else if (const json::value* most = find(budget, {"spec", "maxUnavailable"})) {
    count.desired = std::max<std::int64_t>(0, count.expected - amount_of(*most, count.expected));
  }
  count.allowed = std::max<std::int64_t>(0, count.healthy - count.desired);
  if (count.expected == 0) count.allowed = 0;
  return count;
}

std::unique_ptr<Controller> make_disruption_controller(const ControllerContext& context,
                                                       const PodIndex& pods) {
  return std::make_unique<DisruptionController>(context, pods);
}

}  // namespace troupe::sim
