#include "actors/host/casting.hpp"

#include <algorithm>

namespace troupe::actors {
Casting::Casting(Actors& actors, k8s::Router& router, const Clock& clock,
                 std::span<const RegisteredKind> kinds)
    : actors_(actors), router_(router), clock_(clock), kinds_(kinds) {
  for (const auto& kind : kinds_) actors_.declare(std::string(kind.name));
}

const RegisteredKind* Casting::find(k8s::KindId id) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [id](const RegisteredKind& k) { return k.info().id == id; });
  return found == kinds_.end() ? nullptr : &*found;
}

void Casting::open(Stage& stage) {
  stage_ = &stage;
  for (const auto& kind : standing_kinds()) {
    const auto ref = kind.self(stage.settings);
    const std::scoped_lock lock(mutex_);
    cast_.emplace(ref, actors_.spawn(std::string(kind.name), ref.ns + "/" + ref.name,
                                     [&](ActorId a) { return kind.make(stage, a, ref); }));
  }
}

void Casting::tell_followers(const k8s::Change& change) const {
  const auto [first, last] = followers_.equal_range(change.kind());
  for (auto each = first; each != last; ++each) each->second(change);
}

void Casting::changed(std::span<const k8s::Change> changes) {
  if (!stage_) return;
  for (const auto& change : changes) {
    tell_followers(change);
    const auto* kind = find(change.kind());
    if (!kind || change.type == k8s::ChangeType::Modified) continue;
    const auto& object = change.any();
    const ObjectRef ref{change.kind(), object.ns().str(), object.name().str()};
    const std::scoped_lock lock(mutex_);
    const auto found = cast_.find(ref);
    if (change.type == k8s::ChangeType::Added && found == cast_.end()) {
      const auto id = actors_.spawn(std::string(kind->name), ref.ns + "/" + ref.name,
                                    [&](ActorId a) { return kind->make(*stage_, a, ref); });
      router_.add_actor(id, ref.kind, ref.ns, ref.name);
      cast_.emplace(ref, id);
    } else if (change.type == k8s::ChangeType::Deleted && found != cast_.end()) {
      router_.remove_actor(found->second, ref.kind, ref.ns, ref.name);
      actors_.stop(found->second);
      cast_.erase(found);
    }
  }
}

void Casting::wake(std::span<const Wake> wakes) { actors_.wake(wakes); }

CausalId Casting::next_causal_id() { return actors_.next_causal_id(); }

CausalId Casting::chain_of(const k8s::Change& change) {
  const auto write = writing_ ? writing_(change.any()) : CausalId{};
  return write ? write : actors_.next_causal_id();
}

void Casting::wake_all(std::string_view why) {
  const std::scoped_lock lock(mutex_);
  const auto cause =
      make_cause(CauseType::Manual, actors_.next_causal_id(), clock_.now(), std::string(why));
  for (const auto& [ref, id] : cast_) actors_.wake(id, cause);
}

}  // namespace troupe::actors
