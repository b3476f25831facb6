// The parts of the watch path one by one, for profiling: decoding beside simdjson alone on the same
// bytes with the same fields picked, then store and routing, then an actor's reads.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "benches/simdjson_alone.hpp"
#include "benches/unitset_event.hpp"
#include "k8s/api/decode.hpp"
#include "k8s/api/unitset.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"

namespace troupe::k8s {
namespace {

constexpr int kEvents = 1000;  // different ones, so that no branch predictor learns them by heart

struct Line {
  std::string padded;
  std::size_t size;
  Document document() const {
    return Document(std::string_view(padded).substr(0, size), padded.size());
  }
};

Line line(int object, std::uint64_t version) {
  static bench::EventLine event("MODIFIED");
  Line line{std::string(event.set(static_cast<std::uint64_t>(object), version)), 0};
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

void BM_SimdjsonAlone(benchmark::State& state) {
  const std::vector<Line> input = lines(1);
  simdjson::ondemand::parser parser;
  std::size_t i = 0;
  for (auto _ : state) {
    const Line& from = input[i++ % kEvents];
    benchmark::DoNotOptimize(bench::pick_fields(
        parser, std::string_view(from.padded).substr(0, from.size), from.padded.size()));
  }
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
    router.add_actor(ActorId{i}, kKindId<UnitSet>, bench::namespace_of(i), bench::name_of(i));
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
    for (const int object : {1, 501}) {
      benchmark::DoNotOptimize(reader.get<UnitSet>(bench::namespace_of(1), bench::name_of(object)));
    }
    benchmark::DoNotOptimize(
        reader.list_by_label<UnitSet>("tenant-001", "unitset.name", "nothing"));
    benchmark::DoNotOptimize(reader.list_by_owner<UnitSet>("tenant-001", "nobody"));
  }
}
BENCHMARK(BM_ReaderRun);

}  // namespace
}  // namespace troupe::k8s

BENCHMARK_MAIN();
