#include "benches/unitset_event.hpp"

#include <fmt/format.h>

namespace troupe::bench {
namespace {

// Members in the order of an API server: sorted, as it keeps custom resources in maps. #NAME!, #SP
// and #VERSION!!!! stand for numbers of six, three and twelve digits.
constexpr std::string_view kObject =
    R"({"apiVersion":"upm.syntropycloud.io/v1alpha2","kind":"UnitSet","metadata":{)"
    R"("creationTimestamp":"2026-01-31T12:00:00Z","finalizers":["upm.io/unit-delete",)"
    R"("upm.io/configmap-delete"],"generation":2,"labels":{"app.kubernetes.io/part-of":"shop",)"
    R"("upm.api/service-group.name":"mysql-#NAME!","upm.api/service-group.type":"mysql-sg"},)"
    R"("managedFields":[{"apiVersion":"upm.syntropycloud.io/v1alpha2","fieldsType":"FieldsV1",)"
    R"("fieldsV1":{"f:spec":{".":{},"f:edition":{},"f:env":{".":{},"k:{\"name\":\"ADM_USER\"}":)"
    R"({".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"ARCH_MODE\"}":{".":{},"f:name":{},)"
    R"("f:value":{}}},"f:resources":{"f:limits":{"f:cpu":{},"f:memory":{}},"f:requests":{)"
    R"("f:cpu":{},"f:memory":{}}},"f:secret":{"f:mountPath":{},"f:name":{}},)"
    R"("f:sharedConfigName":{},"f:storages":{".":{},"k:{\"name\":\"data\"}":{".":{},)"
    R"("f:mountPath":{},"f:name":{},"f:size":{},"f:storageClassName":{}}},"f:type":{},)"
    R"("f:units":{},"f:version":{}}},"manager":"kubectl","operation":"Apply",)"
    R"("time":"2026-01-31T12:00:00Z"},{"apiVersion":"upm.syntropycloud.io/v1alpha2",)"
    R"("fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{)"
    R"("k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}},"f:inUpdate":{},)"
    R"("f:readyUnits":{},"f:units":{}}},"manager":"troupe-unitset","operation":"Apply",)"
    R"("subresource":"status","time":"2026-01-31T12:00:01Z"}],"name":"mysql-#NAME!",)"
    R"("namespace":"tenant-#SP","resourceVersion":"#VERSION!!!!",)"
    R"("uid":"3f2c8a54-7a60-4b1e-9d3e-000000#NAME!"},"spec":{"edition":"community","env":[)"
    R"({"name":"ARCH_MODE","value":"rpl_semi_sync"},{"name":"ADM_USER","value":"root"}],)"
    R"("persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},)"
    R"("resources":{"limits":{"cpu":"2","memory":"4Gi"},"requests":{"cpu":"1","memory":"2Gi"}},)"
    R"("secret":{"mountPath":"/SECRET_MOUNT","name":"mysql-secret"},)"
    R"("sharedConfigName":"mysql-config","storages":[{"mountPath":"/DATA_MOUNT","name":"data",)"
    R"("size":"100Gi","storageClassName":"standard"}],"type":"mysql","units":3,)"
    R"("updateStrategy":{"rollingUpdate":{"maxUnavailable":1,"partition":0},)"
    R"("type":"RollingUpdate"},"version":"8.0.41"},"status":{"conditions":[)"
    R"({"lastTransitionTime":"2026-01-31T12:00:05Z","message":"all Units are ready",)"
    R"("observedGeneration":2,"reason":"AllReady","status":"True","type":"Ready"}],)"
    R"("inUpdate":"false","observedGeneration":2,"readyUnits":3,"unitImageSynced":"Synced",)"
    R"("unitPVCSynced":"Synced","unitResourceSynced":"Synced","units":3}})";

void write_digits(char* at, std::size_t count, std::uint64_t value) {
  while (count-- > 0) {
    at[count] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

const std::string_view kInitialEventsEnd =
    R"({"type":"BOOKMARK","object":{"apiVersion":"upm.syntropycloud.io/v1alpha2","kind":"UnitSet",)"
    R"("metadata":{"annotations":{"k8s.io/initial-events-end":"true"},)"
    R"("resourceVersion":"100000000000"}}})"
    "\n";

std::string namespace_of(std::uint64_t object) {
  return fmt::format("tenant-{:03}", object % kNamespaces);
}

std::string name_of(std::uint64_t object) { return fmt::format("mysql-{:06}", object); }

EventLine::EventLine(std::string_view type)
    : text_(fmt::format(R"({{"type":"{}","object":{}}})", type, kObject) + "\n") {
  for (auto at = text_.find("#NAME!"); at != std::string::npos; at = text_.find("#NAME!", at + 1))
    names_.push_back(at);
  namespace_ = text_.find("#SP");
  version_ = text_.find("#VERSION!!!!");
}

std::string_view EventLine::set(std::uint64_t object, std::uint64_t version) {
  for (const auto at : names_) write_digits(text_.data() + at, 6, object);
  write_digits(text_.data() + namespace_, 3, object % kNamespaces);
  write_digits(text_.data() + version_, 12, version);
  return text_;
}

}  // namespace troupe::bench
