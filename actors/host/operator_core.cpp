#include "actors/host/operator_core.hpp"

#include <algorithm>

#include "actors/authority/kind.hpp"
#include "actors/model/names.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "runtime/logging.hpp"

namespace troupe::actors {
namespace {

std::vector<k8s::WatchedKind> watched(const CoreOptions& options) {
  std::vector<const k8s::KindInfo*> kinds;
  for (const auto& kind : options.kinds) kinds.push_back(&kind.info());
  for (const auto* kind : k8s::core_kinds())
    if (kind->id != k8s::kKindId<k8s::Lease> && kind->id != k8s::kKindId<k8s::EndpointSlice>)
      kinds.push_back(kind);
  std::vector<k8s::WatchedKind> out;
  for (const auto* kind : kinds) {
    k8s::WatchedKind w{.kind = kind};
    if (kind->table.scope == k8s::Scope::Namespaced && !options.namespaces.empty()) {
      w.namespaces = options.namespaces;
      const auto& own = options.settings.operator_namespace;
      if (std::find(w.namespaces.begin(), w.namespaces.end(), own) == w.namespaces.end())
        w.namespaces.push_back(own);
    }
    // Only Pods of ours: memory follows what is managed, not the cluster.
    if (kind->id == k8s::kKindId<k8s::Pod>) w.label_selector = std::string(kUnitLabel);
    out.push_back(std::move(w));
  }
  return out;
}

}  // namespace

OperatorCore::OperatorCore(CoreHost host, CoreOptions options)
    : options_(std::move(options)),
      host_(host),
      actors_(host.system, host.clock, host.timers, host.history),
      store_(k8s::StoreOptions{
          {std::string(kReplicationLabel), std::string(kOwnerLabel), std::string(kUnitSetLabel)}}),
      router_(store_),
      casting_(actors_, router_, host.clock, options_.kinds),
      observations_(actors_, host.clock),
      counters_(options_.kinds),
      authority_(host.clock) {}

OperatorCore::~OperatorCore() {
  // They look at their stage to the last.
  for (const auto& actor : actors_.list()) actors_.stop(actor.id);
}

void OperatorCore::connect(k8s::Loop& loop, k8s::Transport& transport) {
  multiplexer_ = std::make_unique<k8s::Multiplexer>(loop, transport, store_, router_, casting_,
                                                    watched(options_),
                                                    k8s::MultiplexerOptions{.seed = options_.seed});
  k8s::ApiGatewayOptions gateway;
  gateway.is_watched = [this](k8s::KindId kind) { return multiplexer_->watches(kind); };
  gateway.seed = options_.seed;
  api_ = std::make_unique<k8s::ApiGateway>(loop, transport, store_, router_, casting_,
                                           std::move(gateway));
  casting_.follow_writes([this](const k8s::Snapshot& object) { return api_->writing(object); });
  events_ = std::make_unique<k8s::EventRecorder>(
      loop, transport, k8s::EventSource{"troupe-operator", options_.identity});
  if (options_.lease)
    lease_ = std::make_unique<k8s::LeaseHolder>(loop, transport, *options_.lease, election(),
                                                options_.seed);
}

k8s::LeaseHolder::Callbacks OperatorCore::election() {
  return {.elected =
              [this] {
                leader_ = true;
                outside_.leading(true);
                log::info("leads");
                casting_.wake_all("leadership gained");
              },
          .lost =
              [this](const std::string& reason) {
                leader_ = false;
                outside_.leading(false);
                log::warn("leads no more", {{"reason", reason}});
              },
          .new_holder =
              [](const std::string& who) {
                log::info("another leads", {{"holder", who}});
              }};
}

void OperatorCore::open(CoreOutside outside) {
  outside_ = std::move(outside);
  observations_.connect(outside_.watchers);
  casting_.follow(k8s::kKindId<k8s::SecretObject>, [this](const k8s::Change& change) {
    if (change.after && is_authority(*change.after)) take_authority(change.after);
  });
  // What a standby sees is counted by the one that leads.
  for (const auto& kind : options_.kinds)
    if (kind.counter)
      casting_.follow(kind.info().id, [this](const k8s::Change& change) {
        if (leads()) counters_.see(change);
      });
  gateways_ = std::make_unique<LiveGateways>(
      LiveGateways::Parts{.api = *api_,
                          .ask_agent = outside_.ask_agent,
                          .probe_now = outside_.probe_now,
                          .authority = authority_,
                          .events = [this](const EmitEvent& e, CausalId id) { record(e, id); },
                          .clock = host_.clock});
  if (options_.fault_point)
    faulty_gateways_ =
        std::make_unique<GatewaysWithFault>(*gateways_, *options_.fault_point, options_.fault);
  Gateways& gateways = faulty_gateways_ ? static_cast<Gateways&>(*faulty_gateways_) : *gateways_;
  stage_ = std::make_unique<Stage>(Stage{.actors = actors_,
                                         .clock = host_.clock,
                                         .store = store_,
                                         .router = router_,
                                         .observations = observations_,
                                         .gateways = gateways,
                                         .settings = options_.settings,
                                         .listed = [this] { return synced(); },
                                         .leads = [this] { return leads(); },
                                         .journals = journals_});
  casting_.open(*stage_);
}

void OperatorCore::record(const EmitEvent& e, CausalId id) {
  const auto* kind = k8s::find_kind(e.about.kind);
  if (!kind) return;
  events_->record(
      {.object_kind = &kind->table,
       .ns = e.about.ns,
       .name = e.about.name,
       .uid = e.uid,
       .version = {},
       .kind = e.warning ? k8s::EventKind::Warning : k8s::EventKind::Normal,
       .event_class = e.condition.empty() ? k8s::EventClass::Happening : k8s::EventClass::Guard,
       .reason = e.reason,
       .message = message_of(e),
       .cause = id});
}

bool OperatorCore::is_authority(const k8s::Snapshot& secret) const {
  const auto self = AuthorityKind::self(options_.settings);
  return secret.ns() == self.ns && secret.name() == self.name;
}

void OperatorCore::take_authority(const k8s::SnapshotPtr& secret) {
  const auto taken = authority_.take(*k8s::as<k8s::SecretObject>(secret));
  if (!taken)
    return log::error(
        "the authority's Secret cannot be used",
        {{"secret", std::string(kAuthoritySecret)}, {"reason", taken.error().message}});
  outside_.authority_taken();
}

std::vector<k8s::WatchStatus> OperatorCore::watches() const {
  return begun_ ? multiplexer_->statuses() : std::vector<k8s::WatchStatus>();
}

void OperatorCore::begin() {
  begun_ = true;
  multiplexer_->start([this] {
    synced_ = true;
    log::info("all kinds are listed");
    casting_.wake_all("all kinds are listed");
  });
  if (lease_) lease_->start();
}

void OperatorCore::release(std::function<void()> done) {
  leader_ = false;
  if (!lease_) return done();
  lease_->release(std::move(done));
}

void OperatorCore::hold() { multiplexer_->stop(); }

void OperatorCore::disconnect() {
  observations_.connect({});
  casting_.follow_writes({});
  lease_.reset();
  events_.reset();
  api_.reset();
  multiplexer_.reset();
}

void OperatorCore::fire(ActorId actor) {
  actors_.wake(actor,
               make_cause(CauseType::Timer, actors_.next_causal_id(), host_.clock.now(), "timer"));
}

bool OperatorCore::leads() const {
  return synced_ && (!options_.lease || (leader_ && lease_->holds()));
}

}  // namespace troupe::actors
