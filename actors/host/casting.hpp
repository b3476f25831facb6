// Gives every object of a registered kind its actor, for as long as the object exists, and casts
// those that stand as long as the operator.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "actors/host/registry.hpp"
#include "k8s/client/wake_sink.hpp"

namespace troupe::actors {

class Casting final : public k8s::WakeSink {
 public:
  // `kinds` outlive it.
  Casting(Actors& actors, k8s::Router& router, const Clock& clock,
          std::span<const RegisteredKind> kinds = registered_kinds());
  // Before the first change.
  void open(Stage& stage);
  // Tells of each change of a kind's objects, on the client's loop, before any actor hears of it.
  // Before the first change.
  using Follower = std::function<void(const k8s::Change&)>;
  void follow(k8s::KindId kind, Follower follower) {
    followers_.emplace(kind, std::move(follower));
  }
  // Who knows the chains of the writes under way; on the client's loop.
  using Writing = std::function<CausalId(const k8s::Snapshot&)>;
  void follow_writes(Writing writing) { writing_ = std::move(writing); }

  void changed(std::span<const k8s::Change> changes) override;
  void wake(std::span<const Wake> wakes) override;
  CausalId next_causal_id() override;
  CausalId chain_of(const k8s::Change& change) override;
  // All actors look again: leadership has changed.
  void wake_all(std::string_view why);

 private:
  const RegisteredKind* find(k8s::KindId id) const;
  void tell_followers(const k8s::Change& change) const;

  Actors& actors_;
  k8s::Router& router_;
  const Clock& clock_;
  std::span<const RegisteredKind> kinds_;
  Stage* stage_ = nullptr;
  Writing writing_;
  std::multimap<k8s::KindId, Follower> followers_;
  std::mutex mutex_;
  std::map<ObjectRef, ActorId> cast_;
};

}  // namespace troupe::actors
