#include "k8s/sim/controllers/pod_index.hpp"

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/labels.hpp"

namespace troupe::sim {

PodIndex::PodIndex(ObjectCache& pods) : pods_(pods) {
  pods.subscribe([this](const CachedObject& before, const CachedObject& after) {
    const auto each_label = [](const CachedObject& pod, const auto& visit) {
      if (pod == nullptr) return;
      for (const auto& [key, value] : fields(*pod, {"metadata", "labels"})) {
        visit(Label{namespace_of(*pod), key, scalar_text(value)}, key_of(*pod));
      }
    };
    each_label(before, [this](const Label& label, const ObjectKey& key) {
      const auto found = by_label_.find(label);
      if (found == by_label_.end()) return;
      found->second.erase(key);
      if (found->second.empty()) by_label_.erase(found);
    });
    each_label(after,
               [this](const Label& label, const ObjectKey& key) { by_label_[label].insert(key); });
  });
}

std::vector<CachedObject> PodIndex::candidates(
    const Label& label, const std::function<bool(const boost::json::value&)>& keep) const {
  std::vector<CachedObject> found;
  const auto at = by_label_.find(label);
  if (at == by_label_.end()) return found;
  for (const ObjectKey& key : at->second) {
    const CachedObject pod = pods_.find(key);
    if (pod != nullptr && keep(*pod)) found.push_back(pod);
  }
  return found;
}

std::vector<CachedObject> PodIndex::select(const std::string& ns,
                                           const boost::json::value* selector) const {
  const auto keep = [selector](const boost::json::value& pod) {
    return label_selector_matches(selector, pod);
  };
  if (const auto label = indexed_label(selector)) {
    return candidates({ns, label->first, label->second}, keep);
  }
  std::vector<CachedObject> found = pods_.in_namespace(ns);
  std::erase_if(found, [&keep](const CachedObject& pod) { return !keep(*pod); });
  return found;
}

std::vector<CachedObject> PodIndex::select_map(const std::string& ns,
                                               const boost::json::object& labels) const {
  if (labels.empty()) return {};
  return candidates(
      {ns, labels.begin()->key(), scalar_text(labels.begin()->value())},
      [&labels](const boost::json::value& pod) { return label_map_matches(labels, pod); });
}

}  // namespace troupe::sim
