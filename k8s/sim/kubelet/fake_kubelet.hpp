// The kubelet whose pods are records: after a delay each gets an address and becomes Ready; deleted
// ones go after another delay. For tens of thousands of pods: a pod costs two status writes and no
// thread, timer or memory beyond its object.
#pragma once

#include <chrono>
#include <memory>

#include "k8s/sim/controllers/context.hpp"

namespace troupe::sim {

struct FakeKubeletOptions {
  std::chrono::milliseconds ready_after{100};
  std::chrono::milliseconds gone_after{10};
};

std::unique_ptr<Controller> make_fake_kubelet(const ControllerContext& context,
                                              FakeKubeletOptions options);

}  // namespace troupe::sim
