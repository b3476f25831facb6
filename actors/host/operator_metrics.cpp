#include "actors/host/operator_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/host/effect_counters.hpp"
#include "actors/host/kind_counters.hpp"
#include "actors/host/kind_logic.hpp"
#include "actors/host/observations.hpp"
#include "engines/agent/gateway.hpp"
#include "engines/mysql/gateway.hpp"
#include "k8s/client/api_gateway.hpp"
#include "k8s/client/events.hpp"
#include "k8s/client/http.hpp"
#include "k8s/client/multiplexer.hpp"
#include "runtime/metrics.hpp"

namespace troupe::actors {
namespace {

double number(std::uint64_t value) { return static_cast<double>(value); }

double number(const std::atomic<std::uint64_t>& value) {
  return number(value.load(std::memory_order_relaxed));
}

double seconds(const std::atomic<std::uint64_t>& nanoseconds) { return number(nanoseconds) / 1e9; }

// The streams of one kind, one a namespace where the operator is restricted to some.
struct KindStreams {
  bool synced = true;
  std::uint64_t streaming = 0;
  TimePoint heard = TimePoint::max();  // the one that is silent for longest
  k8s::WatcherCounters counters;
};

std::map<std::string, KindStreams> by_kind(const std::vector<k8s::WatchStatus>& statuses) {
  std::map<std::string, KindStreams> out;
  for (const auto& status : statuses) {
    if (!status.kind) continue;  // not started yet
    auto& kind = out[std::string(status.kind->name())];
    const bool streaming = status.phase == k8s::WatchPhase::Watching;
    kind.synced &= status.synced;
    kind.streaming += streaming ? 1 : 0;
    if (streaming) kind.heard = std::min(kind.heard, status.last_heard);
    kind.counters.events += status.counters.events;
    kind.counters.relists += status.counters.relists;
    kind.counters.reconnects += status.counters.reconnects;
    kind.counters.silent += status.counters.silent;
    kind.counters.expired += status.counters.expired;
  }
  return out;
}

void sample_streams(Samples& out, const std::string& name, const KindStreams& kind, TimePoint now) {
  const Labels labels{{"kind", name}};
  out.gauge("troupe_watch_synced", "1 once the kind was listed or found not installed", kind.synced,
            labels);
  out.gauge("troupe_watch_streams", "Watches of the kind that are open", number(kind.streaming),
            labels);
  const auto silence = kind.streaming ? std::max(now - kind.heard, Duration::zero()) : Duration{};
  out.gauge("troupe_watch_silence_seconds",
            "Time since an open watch was last heard, of the quietest one",
            std::chrono::duration<double>(silence).count(), labels);
  out.counter("troupe_watch_events_total", "Objects added, modified or deleted on the watch",
              number(kind.counters.events), labels);
  out.counter("troupe_watch_lists_total", "Lists begun, the first one included",
              number(kind.counters.relists), labels);
  out.counter("troupe_watch_reconnects_total", "Watches opened again",
              number(kind.counters.reconnects), labels);
  out.counter("troupe_watch_silent_total", "Watches given up as dead", number(kind.counters.silent),
              labels);
  out.counter("troupe_watch_expired_total", "Watches answered 410", number(kind.counters.expired),
              labels);
}

void sample_stream_work(Samples& out, const k8s::MultiplexerMetrics& m) {
  out.counter("troupe_watch_bytes_total", "Bytes of lists and watches", number(m.bytes));
  out.counter("troupe_watch_reads_total", "Reads of the watches' sockets, each one batch",
              number(m.reads));
  out.counter("troupe_watch_listed_total", "Objects in lists", number(m.listed));
  out.counter("troupe_watch_changes_total", "Objects that were news to the store",
              number(m.changes));
  out.counter("troupe_watch_wakes_total", "Actors woken by changes", number(m.wakes));
  out.counter("troupe_watch_undecodable_total", "Objects that could not be read",
              number(m.decode_errors));
  out.counter("troupe_watch_handling_seconds_total",
              "Time from a batch's arrival until its actors were woken",
              seconds(m.handling_nanoseconds));
  out.gauge("troupe_watch_handling_seconds_max", "The longest of these",
            seconds(m.max_handling_nanoseconds));
}

}  // namespace

void collect_requests(Metrics& metrics, const k8s::HttpTransport& transport) {
  const auto& config = transport.config();
  const auto host = fmt::format("{}:{}", config.host, config.port);
  metrics.collect([&transport, host](Samples& out) {
    for (const auto& each : transport.requests().counts())
      out.counter("rest_client_requests_total", "Requests to the API server", number(each.requests),
                  {{"code", each.status ? std::to_string(each.status) : "<error>"},
                   {"host", host},
                   {"method", std::string(to_string(each.method))}});
    for (const auto method : k8s::kMethods)
      out.latency("rest_client_request_duration_seconds",
                  "Time of a request to the API server, its wait for a connection included",
                  transport.requests().latency(method),
                  {{"host", host}, {"verb", std::string(to_string(method))}});
    const auto& m = transport.metrics();
    const auto& limits = transport.options();
    out.counter("troupe_api_connects_total", "Connections made to the API server",
                number(m.connects));
    out.counter("troupe_api_resent_total", "Requests sent once more", number(m.resent));
    out.counter("troupe_api_timeouts_total", "Requests that were not answered in time",
                number(m.timeouts));
    out.counter("troupe_api_received_bytes_total", "Bytes received from the API server",
                number(m.bytes_received));
    out.capacity("api_connections", number(m.open_connections), number(limits.max_connections));
    out.capacity("api_requests_waiting", number(m.queued), number(limits.max_queued),
                 number(m.rejected_calls));
    out.capacity("api_streams", number(m.open_streams), number(limits.max_streams),
                 number(m.rejected_streams));
  });
}

void collect_watches(Metrics& metrics, const k8s::Multiplexer& multiplexer, const k8s::Store& store,
                     const Clock& clock) {
  metrics.collect([&multiplexer, &store, &clock](Samples& out) {
    const auto statuses = multiplexer.statuses();
    for (const auto& [name, kind] : by_kind(statuses)) sample_streams(out, name, kind, clock.now());
    sample_stream_work(out, multiplexer.metrics());
    std::map<std::string, k8s::KindId> kinds;
    for (const auto& status : statuses)
      if (status.kind) kinds.emplace(status.kind->name(), status.kind->id);
    for (const auto& [name, id] : kinds) {
      const auto size = store.size(id);
      out.gauge("troupe_store_objects", "Objects in the store", number(size.objects),
                {{"kind", name}});
      out.gauge("troupe_store_bytes", "Memory of their snapshots", number(size.bytes),
                {{"kind", name}});
    }
  });
}

void collect_writes(Metrics& metrics, const k8s::ApiGateway& api) {
  metrics.collect([&api](Samples& out) {
    const auto& m = api.metrics();
    const auto ended = [&out](const char* result, double count) {
      out.counter("troupe_api_calls_total", "Calls of actors to the API server, by how they ended",
                  count, {{"result", result}});
    };
    ended("done", number(m.succeeded));
    ended("conflict", number(m.conflicts));
    ended("throttled", number(m.throttled));
    ended("failed", number(m.failed));
    out.counter("troupe_api_call_seconds_total", "Their time from asking to the answer",
                seconds(m.call_nanoseconds));
    out.counter("troupe_api_unknown_outcomes_total",
                "Writes that may or may not have happened; a GET settles each", number(m.unknown));
    out.gauge("troupe_api_unsettled", "Objects whose last write is not settled yet",
              number(m.unsettled));
    const auto& limits = api.options().queue;
    out.capacity("api_calls_waiting", number(m.waiting), number(limits.waiting),
                 number(m.rejected));
    out.capacity("api_calls_in_flight", number(m.in_flight), number(limits.in_flight));
  });
}

void collect_events(Metrics& metrics, const k8s::EventRecorder& events) {
  metrics.collect([&events](Samples& out) {
    const auto& m = events.metrics();
    double dropped = 0;
    for (const auto c : {k8s::EventClass::Happening, k8s::EventClass::Guard}) {
      const auto ended = [&out, c](const char* result, double count) {
        out.counter("troupe_events_total", "Events for people, by what became of them", count,
                    {{"class", std::string(to_string(c))}, {"result", result}});
      };
      const auto& counts = m.of(c);
      ended("sent", number(counts.sent));
      ended("silenced", number(counts.silenced));
      ended("dropped", number(counts.dropped));
      ended("failed", number(counts.failed));
      dropped += number(counts.dropped);
    }
    out.capacity("events_waiting", number(m.waiting),
                 static_cast<double>(k8s::EventRecorder::kMaxWaiting), dropped);
  });
}

void collect_agents(Metrics& metrics, const agent::Gateway& agents) {
  metrics.collect([&agents](Samples& out) {
    const auto m = agents.metrics();
    out.gauge("troupe_agent_endpoints", "Unit agents to be connected to", number(m.endpoints));
    out.gauge("troupe_agent_connected", "Unit agents whose stream tells their state",
              number(m.connected));
    out.gauge("troupe_agent_fenced", "Unit agents whose member has closed itself",
              number(m.fenced));
    out.counter("troupe_agent_streams_total", "Streams begun", number(m.streams));
    out.counter("troupe_agent_streams_ended_total", "Streams that ended", number(m.streams_ended));
    out.counter("troupe_agent_streams_silent_total", "Of these, for their silence",
                number(m.streams_silent));
    out.counter("troupe_agent_calls_total", "Commands sent to agents", number(m.calls));
    out.capacity("agent_calls_in_flight", number(m.calls_in_flight), number(agent::kMaxCalls),
                 number(m.calls_refused));
  });
}

void collect_servers(Metrics& metrics, const mysql::Gateway& servers) {
  metrics.collect([&servers](Samples& out) {
    const auto m = servers.metrics();
    out.gauge("troupe_mysql_endpoints", "MySQL servers that are probed", number(m.members));
    out.gauge("troupe_mysql_connected", "MySQL servers with an open connection",
              number(m.connected));
    out.counter("troupe_mysql_connects_total", "Connections made", number(m.connects));
    out.counter("troupe_mysql_hangups_total", "Connections that the server ended",
                number(m.hangups));
    const auto probes = [&out](const char* result, double count) {
      out.counter("troupe_mysql_probes_total", "Probes of MySQL servers by result", count,
                  {{"result", result}});
    };
    probes("ok", number(m.probes_ok));
    probes("timeout", number(m.probes_timed_out));
    probes("failed", number(m.probes_failed - std::min(m.probes_failed, m.probes_timed_out)));
    out.counter("troupe_mysql_controls_total", "Requests to close a server or cut its sessions",
                number(m.controls));
    out.counter("troupe_mysql_controls_refused_total",
                "Such requests beyond what one server may have under way",
                number(m.controls_rejected));
    out.capacity("name_lookups", number(m.lookups), number(m.max_lookups),
                 number(m.lookups_refused));
  });
}

void collect_effects(Metrics& metrics, const EffectCounters& effects) {
  metrics.collect([&effects](Samples& out) {
    effects.each([&out](std::string_view effect, std::string_view command, const auto& row) {
      const Labels labels{{"effect", std::string(effect)}, {"command", std::string(command)}};
      const auto ended = [&](std::string_view result, double count) {
        auto with_result = labels;
        with_result.emplace("result", result);
        out.counter("troupe_effects_total", "Effects by what they are and how they ended", count,
                    std::move(with_result));
      };
      ended("done", number(row.done));
      // What never happened would be most of the page.
      for (std::size_t code = 0; code < row.failed.size(); ++code)
        if (const auto count = number(row.failed[code]); count > 0)
          ended(to_string(static_cast<Code>(code)), count);
      const auto took = row.took.value();
      if (took.count() > 0 || effect == "apply")
        out.latency("troupe_effect_duration_seconds", "Time of an effect until its result", took,
                    labels);
    });
  });
}

void collect_kinds(Metrics& metrics, const KindCounters& counters) {
  metrics.collect([&counters](Samples& out) {
    counters.each(
        [&out](const KindCounter& counter, const KindCounter::Row& row, std::uint64_t count) {
          out.counter(std::string(counter.name), std::string(counter.help), number(count),
                      {row.begin(), row.end()});
        });
  });
}

void collect_observations(Metrics& metrics, const Observations& observations) {
  metrics.collect([&observations](Samples& out) {
    const auto size = observations.size();
    const auto kept = [&out](const char* of, double count) {
      out.gauge("troupe_observations", "Endpoints whose last observation is kept", count,
                {{"of", of}});
    };
    kept("agent", number(size.agents));
    kept("server", number(size.servers));
  });
}

void collect_journals(Metrics& metrics, const JournalRoom& journals) {
  metrics.collect([&journals](Samples& out) {
    out.capacity("journals", number(journals.journals), number(JournalRoom::kMaxJournals),
                 number(journals.refused));
    out.capacity("journal_bytes", number(journals.bytes),
                 number(JournalRoom::kMaxJournals * JournalRoom::kMaxBytes));
  });
}

}  // namespace troupe::actors
