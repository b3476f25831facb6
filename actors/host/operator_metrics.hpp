// What the operator's parts count, sampled at each scrape; docs/metrics.md lists all of it.
//
// Names are client-go's where they mean the same. No label has a value that grows with the fleet.
#pragma once

namespace troupe {
class Clock;
class Metrics;
}  // namespace troupe
namespace troupe::agent {
class Gateway;
}
namespace troupe::k8s {
class ApiGateway;
class EventRecorder;
class HttpTransport;
class Multiplexer;
class Store;
}  // namespace troupe::k8s
namespace troupe::mysql {
class Gateway;
}

namespace troupe::actors {

class EffectCounters;
class KindCounters;
class Observations;
struct JournalRoom;

// The parts outlive the last scrape.
void collect_requests(Metrics& metrics, const k8s::HttpTransport& transport);
void collect_watches(Metrics& metrics, const k8s::Multiplexer& multiplexer, const k8s::Store& store,
                     const Clock& clock);
void collect_writes(Metrics& metrics, const k8s::ApiGateway& api);
void collect_events(Metrics& metrics, const k8s::EventRecorder& events);
void collect_agents(Metrics& metrics, const agent::Gateway& agents);
void collect_servers(Metrics& metrics, const mysql::Gateway& servers);
void collect_effects(Metrics& metrics, const EffectCounters& effects);
void collect_kinds(Metrics& metrics, const KindCounters& counters);
void collect_observations(Metrics& metrics, const Observations& observations);
void collect_journals(Metrics& metrics, const JournalRoom& journals);

}  // namespace troupe::actors
