// A LocalClient over maps: enough of an API server for tests of what runs beside it. Versions,
// conflicts, merge patches, finalizers, graceful deletion of pods and watches; no validation.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "k8s/sim/local_client.hpp"

namespace troupe::sim {

class MemoryClient final : public LocalClient {
 public:
  Result<Value> get(std::string_view resource, std::string_view ns, std::string_view name) override;
  Result<boost::json::array> list(std::string_view resource, std::string_view ns,
                                  std::string_view label_selector = {}) override;
  Result<Value> create(std::string_view resource, std::string_view ns, Value object) override;
  Result<Value> update(std::string_view resource, std::string_view ns, Value object) override;
  Result<Value> update_status(std::string_view resource, std::string_view ns,
                              Value object) override;
  Result<Value> merge_patch(std::string_view resource, std::string_view ns, std::string_view name,
                            std::string_view subresource, Value patch) override;
  Result<void> remove(std::string_view resource, std::string_view ns, std::string_view name,
                      DeleteOptions options = {}) override;
  std::unique_ptr<LocalWatch> watch(std::string_view resource, std::string_view ns,
                                    WatchSink sink) override;

  // Writes so far, by resource: to show that nothing is written any more.
  std::size_t writes(std::string_view resource) const;
  // The object, or null.
  const Value* peek(std::string_view resource, std::string_view ns, std::string_view name) const;
  // Puts the object of this JSON text there; its resource follows from its kind.
  Value apply(std::string_view text);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  struct Watcher {
    std::string resource, ns;
    WatchSink sink;
  };
  struct Watch;

  static Key key(std::string_view resource, std::string_view ns, std::string_view name) {
    return {std::string(resource), std::string(ns), std::string(name)};
  }
  Value& store(std::string_view resource, const Key& at, Value object, WatchEventType type);
  void tell(std::string_view resource, WatchEventType type, const Value& object);
  Result<Value> replace(std::string_view resource, std::string_view ns, Value object);

  std::map<Key, Value> objects_;
  std::map<std::string, std::size_t, std::less<>> writes_;
  std::map<int, std::shared_ptr<Watcher>> watchers_;
  int next_watcher_ = 0;
  std::int64_t version_ = 0;
};

}  // namespace troupe::sim
