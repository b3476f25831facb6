#include "actors/host/live_gateways.hpp"

#include <fmt/format.h>

#include "actors/host/authority.hpp"
#include "k8s/api/kinds.hpp"

namespace troupe::actors {
namespace {

// One effect under way: carries what its result needs, and answers once.
struct Flight {
  Flight(const Effect& effect, const Clock& c, std::shared_ptr<EffectCounters> counts,
         Gateways::Done d)
      : clock(c),
        done(std::move(d)),
        started(c.now()),
        counters(std::move(counts)),
        row(counters->row(effect.action)) {
    result.key = effect.key;
    result.what = describe(effect);
    result.fingerprint = fingerprint(effect);
  }
  void finish(std::optional<Error> failed) {
    result.failed = std::move(failed);
    result.finished = clock.now();
    result.took = result.finished - started;
    EffectCounters::count(row, result.failed, result.took);
    done(std::move(result));
  }
  const Clock& clock;
  Gateways::Done done;
  TimePoint started;
  std::shared_ptr<EffectCounters> counters;
  EffectCounters::Row& row;
  EffectResult result;
};
using FlightPtr = std::shared_ptr<Flight>;

k8s::ApiCall call_on(const ObjectRef& object, k8s::Verb verb) {
  k8s::ApiCall call;
  call.verb = verb;
  const auto* kind = k8s::find_kind(object.kind);
  call.kind = kind ? &kind->table : nullptr;
  call.ns = object.ns;
  call.name = object.name;
  return call;
}

// "metadata":{ is where every body begins its metadata; the condition goes in first.
std::string with_version(std::string body, k8s::ResourceVersion expected) {
  if (!expected) return body;
  const std::string_view anchor = "\"metadata\":{";
  const auto at = body.find(anchor);
  if (at == std::string::npos || body.find("\"resourceVersion\"") != std::string::npos) return body;
  body.insert(at + anchor.size(), fmt::format("\"resourceVersion\":\"{}\",", expected.value));
  return body;
}

class Dispatch {
 public:
  Dispatch(LiveGateways::Parts& parts, ActorId actor, CausalId id, const Effect& effect,
           FlightPtr flight)
      : parts_(parts), actor_(actor), id_(id), effect_(effect), flight_(std::move(flight)) {}

  void operator()(const Apply& a) {
    auto call = call_on(a.object, k8s::Verb::Apply);
    call.body = with_version(a.body, a.expected);
    call.field_manager = a.manager;
    call.force = true;
    call.dry_run = a.dry_run;
    if (a.status) call.subresource = "status";
    // What is conditional is a step of an operation.
    call.urgency = a.urgent || a.expected ? k8s::Urgency::Urgent : k8s::Urgency::Normal;
    submit(std::move(call));
  }
  void operator()(const MergePatch& a) {
    auto call = call_on(a.object, k8s::Verb::MergePatch);
    call.body = a.body;
    call.field_manager = "troupe";
    submit(std::move(call));
  }
  void operator()(const Delete& a) {
    auto call = call_on(a.object, k8s::Verb::Delete);
    call.uid = a.uid;
    call.grace_period_seconds = a.grace_seconds;
    submit(std::move(call));
  }
  void operator()(const EmitEvent& a) {
    parts_.events(a, id_);
    flight_->finish(std::nullopt);
  }
  void operator()(const AskAgent& a) {
    flight_->result.endpoint = a.endpoint.id;
    flight_->result.epoch = a.epoch;
    agent::Command command{.header = {.unit = a.endpoint.unit,
                                      .request_id = fmt::format("{}/{}", id_.value, effect_.key),
                                      .epoch = a.epoch,
                                      .time_limit = effect_.deadline},
                           .action = a.action};
    auto done = [flight = flight_, &parts = parts_,
                 server = a.endpoint.id](Result<agent::Reply> reply) {
      // What was done shows at the next look, and somebody waits for it.
      parts.probe_now(mysql::EndpointId{server}, [] {});
      if (!reply) return flight->finish(reply.error());
      flight->result.reply = std::move(*reply);
      flight->finish(std::nullopt);
    };
    parts_.ask_agent(a.endpoint.id, std::move(command), std::move(done));
  }
  void operator()(const ProbeNow& a) {
    parts_.probe_now(a.endpoint, [flight = flight_] { flight->finish(std::nullopt); });
  }
  void operator()(const IssueCertificate& a) {
    put_secret(a.secret, k8s::Verb::Apply, parts_.authority.certificate(a));
  }
  void operator()(const TrustAuthorities& a) {
    put_secret(a.secret, k8s::Verb::MergePatch, parts_.authority.trust(a));
  }
  void operator()(const StoreAuthority& a) {
    put_secret(a.secret, k8s::Verb::Create, parts_.authority.to_store(a));
  }
  void operator()(const AdvanceAuthority& a) {
    put_secret(a.secret, k8s::Verb::MergePatch, parts_.authority.to_advance(a));
  }
  // Never over somebody else's: two Units of a set may ask at once, and one of them comes second.
  void operator()(const MakePasswords& a) {
    put_secret(a.secret, a.exists ? k8s::Verb::MergePatch : k8s::Verb::Create,
               parts_.authority.passwords(a));
  }

 private:
  void submit(k8s::ApiCall call) {
    call.timeout = effect_.deadline;
    call.cause = id_;
    call.actor = actor_;
    parts_.api.submit(std::move(call), [flight = flight_](k8s::ApiOutcome outcome) {
      // What should be gone and is gone was done.
      if (outcome.error && outcome.error->code == Code::NotFound &&
          flight->result.key.starts_with("delete "))
        outcome.error.reset();
      flight->result.refused = outcome.error && k8s::is_refusal(outcome.http_status);
      flight->finish(std::move(outcome.error));
    });
  }

  void put_secret(const ObjectRef& secret, k8s::Verb verb, Result<std::string> body) {
    if (!body) return flight_->finish(body.error());
    auto call = call_on(secret, verb);
    call.body = std::move(*body);
    call.field_manager = "troupe-secrets";
    call.force = true;
    submit(std::move(call));
  }

  LiveGateways::Parts& parts_;
  ActorId actor_;
  CausalId id_;
  const Effect& effect_;
  FlightPtr flight_;
};

}  // namespace

void LiveGateways::start(ActorId actor, CausalId id, const Effect& effect, Done done) {
  auto flight = std::make_shared<Flight>(effect, parts_.clock, counters_, std::move(done));
  std::visit(Dispatch(parts_, actor, id, effect, std::move(flight)), effect.action);
}

}  // namespace troupe::actors
