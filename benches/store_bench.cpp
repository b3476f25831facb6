// What a watch event costs between the socket and the actor: decoding beside simdjson alone on the
// same bytes with the same fields picked, then store and routing; and what an object costs in
// memory.
//
// Events are UnitSets of 2.5 KB, 1 KB of that managedFields, as controller-runtime's peers get
// them. Times are CPU. Memory is the slope of the resident set between 20,000 and 100,000 objects.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/decode.hpp"
#include "k8s/api/unitset.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"

namespace troupe::k8s {
namespace {

constexpr int kEvents = 1000;  // different ones, so that no branch predictor learns them by heart

std::string managed_fields() {
  constexpr std::string_view kSpec =
      R"("f:spec":{".":{},"f:edition":{},"f:env":{".":{},"k:{\"name\":\"ADM_USER\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"ARCH_MODE\"}":{".":{},"f:name":{},"f:value":{}}},"f:resources":{"f:limits":{"f:cpu":{},"f:memory":{}},"f:requests":{"f:cpu":{},"f:memory":{}}},"f:secret":{"f:mountPath":{},"f:name":{}},"f:sharedConfigName":{},"f:storages":{".":{},"k:{\"name\":\"data\"}":{".":{},"f:mountPath":{},"f:name":{},"f:size":{},"f:storageClassName":{}}},"f:type":{},"f:units":{},"f:version":{}})";
  constexpr std::string_view kStatus =
      R"("f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}},"f:inUpdate":{},"f:readyUnits":{},"f:units":{}})";
  return fmt::format(
      R"([{{"apiVersion":"upm.syntropycloud.io/v1alpha2","fieldsType":"FieldsV1","fieldsV1":{{{}}},"manager":"kubectl","operation":"Apply","time":"2026-01-31T12:00:00Z"}},{{"apiVersion":"upm.syntropycloud.io/v1alpha2","fieldsType":"FieldsV1","fieldsV1":{{{}}},"manager":"troupe-unitset","operation":"Apply","subresource":"status","time":"2026-01-31T12:00:01Z"}}])",
      kSpec, kStatus);
}

// Members in the order of an API server: sorted, as it keeps custom resources in maps.
std::string event(int object, std::uint64_t version) {
  const std::string name = fmt::format("mysql-cluster-{:06}", object);
  return fmt::format(
      R"({{"type":"MODIFIED","object":{{"apiVersion":"upm.syntropycloud.io/v1alpha2","kind":"UnitSet","metadata":{{"creationTimestamp":"2026-01-31T12:00:00Z","finalizers":["upm.io/unit-delete","upm.io/configmap-delete"],"generation":2,"labels":{{"app.kubernetes.io/part-of":"shop","upm.api/service-group.name":"{0}","upm.api/service-group.type":"mysql-sg"}},"managedFields":{3},"name":"{0}","namespace":"tenant-{1}","resourceVersion":"{2}","uid":"3f2c8a54-7a60-4b1e-9d3e-{4:012x}"}},"spec":{{"edition":"community","env":[{{"name":"ARCH_MODE","value":"rpl_semi_sync"}},{{"name":"ADM_USER","value":"root"}}],"persistentVolumeClaimRetentionPolicy":{{"whenDeleted":"Retain","whenScaled":"Retain"}},"resources":{{"limits":{{"cpu":"2","memory":"4Gi"}},"requests":{{"cpu":"1","memory":"2Gi"}}}},"secret":{{"mountPath":"/SECRET_MOUNT","name":"{0}-secret"}},"sharedConfigName":"{0}-config","storages":[{{"mountPath":"/DATA_MOUNT","name":"data","size":"100Gi","storageClassName":"standard"}}],"type":"mysql","units":3,"updateStrategy":{{"rollingUpdate":{{"maxUnavailable":1,"partition":0}},"type":"RollingUpdate"}},"version":"8.0.41"}},"status":{{"conditions":[{{"lastTransitionTime":"2026-01-31T12:00:05Z","message":"all Units are ready","observedGeneration":2,"reason":"AllReady","status":"True","type":"Ready"}}],"inUpdate":"false","observedGeneration":2,"readyUnits":3,"unitImageSynced":"Synced","unitPVCSynced":"Synced","unitResourceSynced":"Synced","units":3}}}}}})",
      name, object % 500, version, managed_fields(), object);
}

struct Line {
  std::string padded;
  std::size_t size;
  Document document() const {
    return Document(std::string_view(padded).substr(0, size), padded.size());
  }
};

Line line(int object, std::uint64_t version) {
  Line line{event(object, version), 0};
  line.size = line.padded.size();
  line.padded.append(kRawPadding, ' ');
  return line;
}

std::vector<Line> lines(std::uint64_t version) {
  std::vector<Line> all;
  for (int i = 0; i < kEvents; ++i) all.push_back(line(i, version + static_cast<unsigned>(i)));
  return all;
}

// ---- simdjson alone ----------------------------------------------------------------------------

namespace ondemand = simdjson::ondemand;

// Adds up whatever is in a value: every text is unescaped and every number parsed.
std::uint64_t read_all(ondemand::value value) {
  std::uint64_t sum = 0;
  switch (value.type()) {
    case ondemand::json_type::object:
      for (auto field : value.get_object()) {
        sum += std::string_view(field.unescaped_key()).size();
        sum += read_all(field.value());
      }
      break;
    case ondemand::json_type::array:
      for (auto item : value.get_array()) sum += read_all(item.value());
      break;
    case ondemand::json_type::string:
      sum += std::string_view(value.get_string()).size();
      break;
    case ondemand::json_type::number:
      sum += static_cast<std::uint64_t>(value.get_int64());
      break;
    case ondemand::json_type::boolean:
      sum += value.get_bool() ? 1 : 0;
      break;
    case ondemand::json_type::null:
      break;
  }
  return sum;
}

// The same fields as the decoder: all but apiVersion, kind and managedFields.
std::uint64_t picked(ondemand::parser& parser, const Line& from) {
  ondemand::document document = parser.iterate(from.padded.data(), from.size, from.padded.size());
  std::uint64_t sum = std::string_view(document["type"]).size();
  for (auto part : document["object"].get_object()) {
    const ondemand::raw_json_string key = part.key();
    if (key == "metadata") {
      for (auto field : part.value().get_object()) {
        if (field.key() != "managedFields") sum += read_all(field.value());
      }
    } else if (key == "spec" || key == "status") {
      sum += read_all(part.value());
    }
  }
  return sum;
}

void BM_SimdjsonAlone(benchmark::State& state) {
  const std::vector<Line> input = lines(1);
  ondemand::parser parser;
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(picked(parser, input[i++ % kEvents]));
  state.counters["bytes_an_event"] = static_cast<double>(input[0].size);
}
BENCHMARK(BM_SimdjsonAlone);

// ---- Ours --------------------------------------------------------------------------------------

void BM_Decode(benchmark::State& state) {
  const std::vector<Line> input = lines(1);
  Decoder decoder;
  std::size_t i = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    auto decoded = decoder.watch_event(kind_info<UnitSet>(), input[i++ % kEvents].document());
    bytes = decoded->object->bytes();
    benchmark::DoNotOptimize(decoded);
  }
  state.counters["bytes_a_snapshot"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Decode);

StoreOptions options() { return {{"upm.api/service-group.name", "unitset.name", "unit.name"}}; }

// Each round brings newer versions, so that every event is a change that wakes its actor.
void BM_DecodeStoreRoute(benchmark::State& state) {
  Store store(options());
  Router router(store);
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    router.add_actor(ActorId{i}, kKindId<UnitSet>, fmt::format("tenant-{}", i % 500),
                     fmt::format("mysql-cluster-{:06}", i));
  }
  Decoder decoder;
  std::uint64_t version = 1;
  std::vector<Line> input = lines(version);
  std::vector<ActorId> wake;
  std::size_t i = 0, woken = 0;
  for (auto _ : state) {
    if (i == kEvents) {
      state.PauseTiming();
      input = lines(version += kEvents);
      i = 0;
      state.ResumeTiming();
    }
    auto decoded = decoder.watch_event(kind_info<UnitSet>(), input[i++].document());
    if (auto change = store.put(std::move(decoded->object))) router.route(*change, wake);
    woken += wake.size();
    wake.clear();
  }
  state.counters["woken_an_event"] =
      static_cast<double>(woken) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_DecodeStoreRoute)->Iterations(100'000);

// One run of an actor's reads over unchanged dependencies.
void BM_ReaderRun(benchmark::State& state) {
  Store store(options());
  Router router(store);
  Dependencies dependencies;
  Decoder decoder;
  for (int i = 0; i < kEvents; ++i) {
    const Line from = line(i, 1);
    store.put(decoder.watch_event(kind_info<UnitSet>(), from.document())->object);
  }
  for (auto _ : state) {
    Reader reader(store, router, ActorId{1}, dependencies);
    for (const char* name : {"mysql-cluster-000001", "mysql-cluster-000501"}) {
      benchmark::DoNotOptimize(reader.get<UnitSet>("tenant-1", name));
    }
    benchmark::DoNotOptimize(reader.list_by_label<UnitSet>("tenant-1", "unitset.name", "nothing"));
    benchmark::DoNotOptimize(reader.list_by_owner<UnitSet>("tenant-1", "nobody"));
  }
}
BENCHMARK(BM_ReaderRun);

// ---- Memory ------------------------------------------------------------------------------------

std::size_t resident_bytes() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Objects in the store, each with an actor that reads its object, two ConfigMaps and a list.
void BM_Memory(benchmark::State& state) {
  constexpr int kFrom = 20'000, kTo = 100'000;
  for (auto _ : state) {
    Store store(options());
    Router router(store);
    Decoder decoder;
    std::vector<Dependencies> dependencies(kTo);
    std::size_t before = 0;
    for (int i = 0; i < kTo; ++i) {
      if (i == kFrom) before = resident_bytes();
      const Line from = line(i, static_cast<std::uint64_t>(i) + 1);
      const auto event = decoder.watch_event(kind_info<UnitSet>(), from.document());
      const SnapshotPtr& object = event->object;
      const ActorId actor{static_cast<std::uint32_t>(i)};
      store.put(object);
      router.add_actor(actor, object->kind(), object->ns(), object->name());
      Reader reader(store, router, actor, dependencies[static_cast<std::size_t>(i)]);
      reader.get<UnitSet>(object->ns(), object->name());
      reader.get<ConfigMap>(object->ns(), fmt::format("{}-config", object->name()));
      reader.get<ConfigMap>(object->ns(), fmt::format("{}-config-template", object->name()));
      reader.list_by_owner<UnitSet>(object->ns(), object->uid());
    }
    const double objects = kTo - kFrom;
    state.counters["bytes_an_object"] = static_cast<double>(resident_bytes() - before) / objects;
    state.counters["of_that_snapshot"] =
        static_cast<double>(store.size(kKindId<UnitSet>).bytes) / kTo;
  }
}
BENCHMARK(BM_Memory)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace troupe::k8s

BENCHMARK_MAIN();
