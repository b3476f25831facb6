// What a managed object costs in memory, and of what: UnitSets of 2.4 KB, each with its snapshot,
// the real actor of its kind, and the record of its runs.
//
// A fleet of each size is made in a process of its own. Shares are what the heap holds more after
// each step; the sums are of the resident set, the slope from 20,000 objects to
// 100,000.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <thread>

#include "actors/host/casting.hpp"
#include "benches/report.hpp"
#include "benches/unitset_event.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/decode.hpp"
#include "k8s/api/unitset.hpp"
#include "runtime/clock.hpp"
#include "runtime/metrics.hpp"

namespace troupe::actors {
namespace {

// Totals of a fleet, in bytes.
struct Sizes {
  double snapshots, store, spawned, ran, history, resident;
  double cpu_seconds;
};

double heap() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

caf::actor_system_config& configured(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  return config;
}

// A standby looks and decides, and does nothing: none of its effects gets here.
class NoGateways final : public Gateways {
 public:
  void start(ActorId, CausalId, const Effect&, Done) override {}
};

// What the operator is made of, without its sockets.
class Fleet {
 public:
  // Snapshots, as a list brings them.
  void fill(std::uint64_t objects) {
    bench::EventLine added("ADDED");
    k8s::Decoder decoder;
    std::string line;
    for (std::uint64_t i = 0; i < objects; ++i) {
      line = added.set(i, i + 1);
      const auto size = line.size();
      line.append(k8s::kRawPadding, ' ');
      auto event = decoder.watch_event(k8s::kind_info<k8s::UnitSet>(),
                                       k8s::Document({line.data(), size}, line.size()));
      store_.put(std::move(event->object));
    }
  }
  // What the UnitSets refer to, so that nothing holds them back: templates that all share, and one
  // ConfigMap and Secret a namespace.
  void furnish(std::uint64_t objects) {
    const std::string templates = "mysql-community-8.0.41";
    put<k8s::PodTemplate>(
        settings_.operator_namespace, templates,
        R"("template":{"spec":{"containers":[{"name":"mysql","image":"mysql:8.0.41"}]}})");
    put<k8s::ConfigMap>(settings_.operator_namespace, templates + "-config-template",
                        R"("data":{"mysql":"[mysqld]"})");
    put<k8s::ConfigMap>(settings_.operator_namespace, templates + "-config-value",
                        R"("data":{"mysql":"mysqld: {}"})");
    for (std::uint64_t i = 0; i < std::min(objects, bench::kNamespaces); ++i) {
      put<k8s::ConfigMap>(bench::namespace_of(i), "mysql-config", R"("data":{})");
      put<k8s::SecretObject>(bench::namespace_of(i), "mysql-secret", R"("data":{})");
    }
  }
  void cast(std::uint64_t objects) {
    for (std::uint64_t i = 0; i < objects; ++i) {
      const k8s::Change added[] = {
          {k8s::ChangeType::Added, nullptr,
           store_.get(k8s::kKindId<k8s::UnitSet>, bench::namespace_of(i), bench::name_of(i))}};
      casting_.changed(added);
    }
  }
  // Every actor once.
  void run() {
    casting_.wake_all("all kinds are listed");
    while (actors_.totals().queued > 0) std::this_thread::yield();
  }
  std::size_t snapshot_bytes() const { return store_.size(k8s::kKindId<k8s::UnitSet>).bytes; }
  std::size_t history_bytes() const { return history_.bytes(); }

 private:
  template <k8s::KindStruct T>
  void put(const std::string& ns, const std::string& name, std::string_view body) {
    k8s::Decoder decoder;
    const auto text = fmt::format(
        R"({{"metadata":{{"name":"{0}","namespace":"{1}","uid":"{1}.{0}","resourceVersion":"1"}},{2}}})",
        name, ns, body);
    store_.put(decoder.object(k8s::kind_info<T>(), k8s::Document(text)).value());
  }

  SystemClock clock_;
  History history_;
  boost::asio::io_context io_;
  caf::actor_system_config config_;
  caf::actor_system caf_{configured(config_)};
  TimerThread timers_{io_, clock_, [](ActorId) {}};
  k8s::Store store_{k8s::StoreOptions{{"upm.api/service-group.name", "unitset.name"}}};
  k8s::Router router_{store_};
  NoGateways gateways_;
  Settings settings_;
  Actors actors_{caf_, clock_, timers_, history_};
  Observations observations_{actors_, clock_};
  Casting casting_{actors_, router_, clock_};
  JournalRoom journals_;
  Stage stage_{.actors = actors_,
               .clock = clock_,
               .store = store_,
               .router = router_,
               .observations = observations_,
               .gateways = gateways_,
               .settings = settings_,
               .listed = [] { return true; },
               .leads = [] { return false; },
               .journals = journals_};

 public:
  Fleet() { casting_.open(stage_); }
};

Sizes measure(std::uint64_t objects) {
  const auto fleet = std::make_unique<Fleet>();
  Sizes sizes{};
  const double empty = heap();
  const double resident = static_cast<double>(resident_bytes());
  fleet->fill(objects);
  const double filled = heap();
  fleet->furnish(objects);
  fleet->cast(objects);
  const double cast = heap();
  fleet->run();
  fleet->run();
  sizes.snapshots = static_cast<double>(fleet->snapshot_bytes());
  sizes.store = filled - empty - sizes.snapshots;
  sizes.spawned = cast - filled;
  sizes.history = static_cast<double>(fleet->history_bytes());
  sizes.ran = heap() - cast - sizes.history;
  sizes.resident = static_cast<double>(resident_bytes()) - resident;
  sizes.cpu_seconds = cpu_seconds();
  return sizes;
}

Sizes measure_apart(std::uint64_t objects) {
  int ends[2];
  if (::pipe(ends) != 0) std::exit(1);
  const auto child = ::fork();
  if (child == 0) {
    const auto sizes = measure(objects);
    ::_exit(::write(ends[1], &sizes, sizeof sizes) == sizeof sizes ? 0 : 1);
  }
  ::close(ends[1]);
  Sizes sizes{};
  const bool got = child > 0 && ::read(ends[0], &sizes, sizeof sizes) == sizeof sizes;
  ::close(ends[0]);
  int status = 1;
  ::waitpid(child, &status, 0);
  if (!got || status != 0) {
    fmt::print(stderr, "error: the fleet of {} objects was not measured\n", objects);
    std::exit(1);
  }
  return sizes;
}

constexpr double kMostAnObject = 5000;  // bytes, at 100,000 objects

int run(const std::string& json_file) {
  constexpr std::uint64_t kSmall = 10'000, kMiddle = 20'000, kLarge = 100'000;
  bench::Report report(fmt::format("memory: UnitSets with events of {} bytes, bytes an object",
                                   bench::EventLine("ADDED").set(0, 0).size()));
  const auto small = measure_apart(kSmall), middle = measure_apart(kMiddle),
             large = measure_apart(kLarge);
  const auto each = [](double bytes, std::uint64_t objects) {
    return bytes / static_cast<double>(objects);
  };
  report.add({"resident_at_10000", each(small.resident, kSmall), "bytes"});
  report.add({"resident_at_100000", each(large.resident, kLarge), "bytes", {}, kMostAnObject});
  report.add({"slope_20000_to_100000",
              each(large.resident - middle.resident, kLarge - kMiddle),
              "bytes",
              {},
              kMostAnObject});
  report.add({"snapshots", each(large.snapshots, kLarge), "bytes", "one allocation an object"});
  report.add({"store", each(large.store, kLarge), "bytes", "what finds the snapshots"});
  report.add({"actors", each(large.spawned, kLarge), "bytes", "CAF's actor, slot, logic, name"});
  report.add({"runs", each(large.ran, kLarge), "bytes", "dependencies, timers, memory, guards"});
  report.add({"history", each(large.history, kLarge), "bytes", "its last record"});
  report.add({"start_us", each(large.cpu_seconds * 1e6, kLarge), "us",
              "CPU to decode, start and run it twice"});
  return report.finish(json_file);
}

}  // namespace
}  // namespace troupe::actors

int main(int argc, char** argv) {
  std::string json_file;
  CLI::App app("What a managed object costs in memory, and of what.");
  app.add_option("--json", json_file, "file for the figures");
  CLI11_PARSE(app, argc, argv);
  return troupe::actors::run(json_file);
}
