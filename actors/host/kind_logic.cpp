#include "actors/host/kind_logic.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "actors/model/causality.hpp"
#include "actors/model/flag.hpp"
#include "actors/model/names.hpp"
#include "k8s/api/kinds.hpp"

namespace troupe::actors {
namespace {

// Looks into the store through a Reader, which notes what was looked at, and into the actor's
// ledger.
class StoreSight final : public Sight {
 public:
  StoreSight(Stage& stage, k8s::Reader& reader, const Ledger& ledger)
      : stage_(stage), reader_(reader), ledger_(ledger) {}

  k8s::SnapshotPtr object(k8s::KindId kind, std::string_view ns, std::string_view name) override {
    return reader_.get(kind, ns, name);
  }
  std::vector<k8s::SnapshotPtr> owned(k8s::KindId kind, std::string_view ns,
                                      std::string_view owner_uid) override {
    return reader_.list_by_owner(kind, ns, owner_uid);
  }
  std::vector<k8s::SnapshotPtr> labelled(k8s::KindId kind, std::string_view ns,
                                         std::string_view label, std::string_view value) override {
    return reader_.list_by_label(kind, ns, label, value);
  }
  std::vector<k8s::SnapshotPtr> all(k8s::KindId kind) override { return reader_.list(kind); }
  std::shared_ptr<const mysql::ProbeOutcome> probe(const mysql::EndpointId& id) override {
    return stage_.observations.server_seen(id);
  }
  std::shared_ptr<const agent::AgentObservation> agent(const std::string& endpoint) override {
    return stage_.observations.agent_seen(endpoint);
  }
  std::vector<Refusal> refused() const override { return ledger_.refusals(); }
  WallTime wall() const override { return stage_.clock.wall(); }
  const Settings& settings() const override { return stage_.settings; }

 private:
  Stage& stage_;
  k8s::Reader& reader_;
  const Ledger& ledger_;
};

std::string describe_result(const Cause& cause) {
  const auto& r = *static_cast<const EffectResult*>(cause.subject.get());
  if (r.failed)
    return fmt::format("failed after {}: {}: {}: {}", to_text(r.took), r.what,
                       to_string(r.failed->code), r.failed->message);
  return fmt::format("done in {}: {}{}{}", to_text(r.took), r.what,
                     r.reply && !r.reply->message.empty() ? ": " : "",
                     r.reply ? r.reply->message : std::string());
}

}  // namespace

KindLogicBase::KindLogicBase(Stage& stage, ActorId id, ObjectRef self)
    : stage_(stage), id_(id), self_(std::move(self)) {}

KindLogicBase::~KindLogicBase() {
  end_journal();
  dependencies_.clear(stage_.router, id_);
  stage_.observations.want(id_, {}, {});
}

void KindLogicBase::absorb(std::span<const Cause> causes, TimePoint now) noexcept {
  for (const auto& c : causes) {
    if (c.type != CauseType::EffectResult || !c.subject) continue;
    const auto& result = *static_cast<const EffectResult*>(c.subject.get());
    ledger_.finish(result,
                   mix(id_.value, result.fingerprint ^
                                      static_cast<std::uint64_t>(now.time_since_epoch().count())));
    if (journal_) journal_->folded(result);
    rules().fold(result);
  }
}

void KindLogicBase::start(const Effect& effect, CausalId id) {
  const auto endpoint = endpoint_of(effect);
  if (!endpoint.empty()) stage_.observations.begin(endpoint, id);
  auto done = [&stage = stage_, actor = id_, id, endpoint, step = is_step(effect)](EffectResult r) {
    if (!endpoint.empty()) stage.observations.end(endpoint, id);
    r.step = step;
    auto subject = std::make_shared<const EffectResult>(std::move(r));
    const auto at = subject->finished;
    stage.actors.wake(
        actor, Cause{CauseType::EffectResult, id, at, 0, std::move(subject), &describe_result});
  };
  stage_.gateways.start(id_, id, effect, std::move(done));
}

Logic::Outcome KindLogicBase::run(std::span<const Cause> causes, TimePoint now) {
  Outcome out;
  out.id = chain_of_run(causes, std::exchange(retrying_, {}));
  if (!out.id) out.id = stage_.actors.next_causal_id();
  if (!stage_.listed()) {
    out.doing = doing_ = "waiting until all kinds are listed";
    return out;
  }
  const bool leads = stage_.leads();
  if (!leads && now < rests_until_) return rest(out.id);
  Decision decision;
  {
    k8s::Reader reader(stage_.store, stage_.router, id_, dependencies_);
    StoreSight sight(stage_, reader, ledger_);
    decision = journal_ ? decide_on_record(sight, now) : rules().decide(self_, sight, now);
  }
  keep_journal();
  // Also what a kind has no status for, and its status itself.
  hold_refused(ledger_.refusals(), decision);
  stage_.observations.want(id_, std::move(decision.agents), std::move(decision.servers));
  if (leads) herald_.sift(decision, now);
  out.wake = decision.wake;
  for (const auto& effect : decision.effects) {
    if (!leads) continue;
    if (!ledger_.start(effect, now, out.wake)) {
      if (ledger_.failure(effect.key)) retrying_ = out.id;
      continue;
    }
    if (ledger_.failure(effect.key)) ++out.retries;
    out.effects.push_back({effect.key, describe(effect)});
    start(effect, out.id);
  }
  ledger_.forget_old(now);
  doing_ = leads ? decision.doing : "standby: " + decision.doing;
  out.doing = doing_;
  out.guards = std::move(decision.guards);
  rests_until_ = leads ? TimePoint() : now + kStandbyRests;
  standby_guards_ = leads ? std::vector<Guard>() : out.guards;
  return out;
}

Logic::Outcome KindLogicBase::rest(CausalId id) const {
  Outcome out;
  out.id = id;
  out.wake = rests_until_;
  out.doing = doing_;
  out.guards = standby_guards_;
  return out;
}

Decision KindLogicBase::decide_on_record(Sight& sight, TimePoint now) {
  journal_->begin_run(sight, now);
  try {
    auto decision = rules().decide(self_, journal_->sight(), now);
    journal_->end_run(decision);
    return decision;
  } catch (const std::exception& e) {
    journal_->end_run(std::string_view(e.what()));
    throw;
  }
}

void KindLogicBase::keep_journal() {
  const auto object = stage_.store.get(self_.kind, self_.ns, self_.name);
  if (!object || !flag_of(object->meta().annotations.get(kJournalAnnotation)).value_or(true))
    return end_journal();
  auto& room = stage_.journals;
  if (!journal_) {
    if (room.journals.fetch_add(1) >= JournalRoom::kMaxJournals) {
      room.journals.fetch_sub(1);
      room.refused.fetch_add(1);
      return;
    }
    journal_ =
        std::make_unique<Journal>(kind_name(), self_, stage_.settings, JournalRoom::kMaxBytes);
  }
  const auto before = journal_told_;
  journal_->mark([this](const Veil& veil) { return rules().memory(veil); });
  journal_told_ = journal_->bytes();
  room.bytes.fetch_add(journal_told_ - before);
}

void KindLogicBase::end_journal() {
  if (!journal_) return;
  stage_.journals.journals.fetch_sub(1);
  stage_.journals.bytes.fetch_sub(std::exchange(journal_told_, 0));
  journal_.reset();
}

Result<std::string> KindLogicBase::journal() const {
  if (journal_) return journal_->text();
  if (stage_.journals.journals >= JournalRoom::kMaxJournals)
    return error(Code::NotFound,
                 fmt::format("no journal is kept of {}: {} others have one, which is the most",
                             self_.name, JournalRoom::kMaxJournals));
  return error(Code::NotFound, fmt::format("no journal is kept of {}/{}: annotate it with {}=true",
                                           self_.ns, self_.name, kJournalAnnotation));
}

void KindLogicBase::faulted(const std::string& what, bool quarantined, CausalId id) noexcept {
  try {
    if (!stage_.leads()) return;
    const auto object = stage_.store.get(self_.kind, self_.ns, self_.name);
    if (!object) return;
    const Effect told{
        "event InternalError",
        EmitEvent{self_, object->uid().str(), true, "InternalError",
                  fmt::format("{}{}", what, quarantined ? "; set aside for five minutes" : "")}};
    TimePoint ignored = TimePoint::max();
    if (ledger_.start(told, stage_.clock.now(), ignored)) start(told, id);
  } catch (const std::exception&) {
    // The history has the fault; the event was a courtesy.
  }
}

std::string KindLogicBase::state_json() const {
  boost::json::object out{{"doing", doing_},
                          {"dependencies", dependencies_.size()},
                          {"effectsInFlight", ledger_.flights()}};
  const auto* kind = k8s::find_kind(self_.kind);
  const auto object = stage_.store.get(self_.kind, self_.ns, self_.name);
  if (kind && object) {
    out["kind"] = kind->name();
    out["resourceVersion"] = std::to_string(object->version().value);
    out["generation"] = object->meta().generation;
    out["snapshotBytes"] = object->bytes();
  }
  return boost::json::serialize(out);
}

}  // namespace troupe::actors
