// The same actor for every kind: look, fold, decide, hand out effects. A kind supplies its Rules
// and nothing else.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/host/gateways.hpp"
#include "actors/host/observations.hpp"
#include "actors/journal/journal.hpp"
#include "actors/journal/rules.hpp"
#include "actors/model/herald.hpp"
#include "actors/model/ledger.hpp"
#include "actors/model/sight.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"
#include "runtime/actors.hpp"

namespace troupe::actors {

// How many actors keep journals, and how much they hold. Relaxed, from any thread.
struct JournalRoom {
  static constexpr std::size_t kMaxJournals = 16;
  static constexpr std::size_t kMaxBytes = 8 << 20;  // of one: minutes of three busy servers
  std::atomic<std::size_t> journals{0};
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> refused{0};  // runs without the journal that was asked for
};

// What all object actors of a process share.
struct Stage {
  Actors& actors;
  const Clock& clock;
  k8s::Store& store;
  k8s::Router& router;
  Observations& observations;
  Gateways& gateways;
  const Settings& settings;
  // False until every kind was listed. On a part of the picture nothing is decided: what is not
  // listed yet would be taken for missing, and told to be back in a moment.
  std::function<bool()> listed;
  // False on a standby: it looks and decides now and then, so that it is warm, and does nothing.
  std::function<bool()> leads;
  JournalRoom& journals;
};

// So long a standby rests after it has looked at an object: it has to know whom to observe, and
// what it decides comes to nothing. Whoever begins to lead looks at all of them at once.
inline constexpr Duration kStandbyRests = std::chrono::seconds(1);

class KindLogicBase : public Logic {
 public:
  KindLogicBase(Stage& stage, ActorId id, ObjectRef self);
  ~KindLogicBase() override;

  void absorb(std::span<const Cause> causes, TimePoint now) noexcept final;
  Outcome run(std::span<const Cause> causes, TimePoint now) final;
  void faulted(const std::string& what, bool quarantined, CausalId id) noexcept final;
  std::string state_json() const final;
  Result<std::string> journal() const final;

 private:
  virtual std::string_view kind_name() const = 0;
  virtual Rules& rules() = 0;
  Decision decide_on_record(Sight& sight, TimePoint now);
  // Begins or ends it, as the object's annotation asks.
  void keep_journal();
  void end_journal();
  // Nothing has been decided: what the last decision said stands.
  Outcome rest(CausalId id) const;
  void start(const Effect& effect, CausalId id);

  Stage& stage_;
  ActorId id_;
  ObjectRef self_;
  k8s::Dependencies dependencies_;
  Ledger ledger_;
  Herald herald_;
  std::string doing_;
  TimePoint rests_until_;              // as a standby
  std::vector<Guard> standby_guards_;  // of its last decision
  CausalId retrying_;                  // chain of an effect that failed and waits for its backoff
  std::unique_ptr<Journal> journal_;   // null: none is asked for
  std::size_t journal_told_ = 0;       // its bytes, as the room knows them
};

}  // namespace troupe::actors
