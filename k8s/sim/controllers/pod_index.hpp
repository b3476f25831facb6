// Pods by namespace and label, so that a selector costs what it selects and not what there is.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "k8s/sim/controllers/object_cache.hpp"

namespace troupe::sim {

class PodIndex {
 public:
  // Subscribes to the cache; make it before those who use it in their own listeners.
  explicit PodIndex(ObjectCache& pods);

  // Those in `ns` that a metav1.LabelSelector selects.
  std::vector<CachedObject> select(const std::string& ns,
                                   const boost::json::value* label_selector) const;
  // Those in `ns` whose labels hold all of these.
  std::vector<CachedObject> select_map(const std::string& ns,
                                       const boost::json::object& labels) const;

 private:
  using Label = std::tuple<std::string, std::string, std::string>;  // namespace, key, value

  std::vector<CachedObject> candidates(
      const Label& label, const std::function<bool(const boost::json::value&)>& keep) const;

  ObjectCache& pods_;
  std::map<Label, std::set<ObjectKey>> by_label_;
};

}  // namespace troupe::sim
