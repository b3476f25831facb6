#include "k8s/sim/kubelet/service_routing.hpp"

#include <map>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"

namespace troupe::sim {
namespace {

class ServiceRouting final : public Controller {
 public:
  ServiceRouting(const ControllerContext& context, ServiceForwarder& forwarder, DnsServer& names,
                 std::vector<std::string> node_addresses)
      : services_(context.caches.of("services")),
        slices_(context.caches.of("endpointslices.discovery.k8s.io")),
        forwarder_(forwarder),
        names_(names),
        node_addresses_(std::move(node_addresses)),
        queue_(context.io, [this](const ObjectKey&) { rebuild(); }) {
    for (ObjectCache* cache : {&services_, &slices_}) {
      cache->subscribe(
          [this](const CachedObject&, const CachedObject&) { queue_.add(ObjectKey{}); });
    }
  }

 private:
  void rebuild() {
    std::map<ObjectKey, std::vector<const boost::json::value*>> slices;
    for (const auto& [key, slice] : slices_.all()) {
      const auto service = text(*slice, {"metadata", "labels", "kubernetes.io/service-name"});
      slices[{key.ns, std::string(service)}].push_back(slice.get());
    }
    auto forwards = std::make_shared<ForwardTable>();
    auto names = std::make_shared<NameTable>();
    for (const auto& [key, service] : services_.all()) {
      add_forwards(*forwards, *service, slices[key], node_addresses_);
      names->add_service(*service, slices[key]);
    }
    forwarder_.set_table(std::move(forwards));
    names_.set_names(std::move(names));
  }

  ObjectCache& services_;
  ObjectCache& slices_;
  ServiceForwarder& forwarder_;
  DnsServer& names_;
  const std::vector<std::string> node_addresses_;
  WorkQueue queue_;
};

}  // namespace

std::unique_ptr<Controller> make_service_routing(const ControllerContext& context,
                                                 ServiceForwarder& forwarder, DnsServer& names,
                                                 std::vector<std::string> node_addresses) {
  return std::make_unique<ServiceRouting>(context, forwarder, names, std::move(node_addresses));
}

}  // namespace troupe::sim
