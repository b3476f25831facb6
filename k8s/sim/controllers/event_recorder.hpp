// Kubernetes Events (core v1) about objects, as `kubectl describe` shows them. Equal events about
// one object are counted on one Event instead of filling the store. On the API server's thread.
#pragma once

#include <list>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "k8s/sim/local_client.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

enum class EventType { Normal, Warning };

class EventRecorder {
 public:
  EventRecorder(LocalClient& api, const Clock& clock) : api_(api), clock_(clock) {}

  // `component` is who says it: "kubelet", "default-scheduler". `field` may name a part of the
  // object: "spec.containers{mysql}".
  void record(const boost::json::value& about, EventType type, std::string_view reason,
              std::string_view message, std::string_view component, std::string_view field = {});

 private:
  using Fingerprint = std::tuple<std::string, std::string, std::string, std::string>;
  struct Known {
    std::string ns, name;
    std::int64_t count = 0;
    std::list<Fingerprint>::iterator age;
  };
  bool count_again(const Fingerprint& fingerprint);
  void remember(Fingerprint fingerprint, Known known);

  LocalClient& api_;
  const Clock& clock_;
  std::map<Fingerprint, Known> known_;
  std::list<Fingerprint> oldest_first_;
  std::uint64_t serial_ = 0;
};

}  // namespace troupe::sim
