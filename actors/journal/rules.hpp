// The Rehearsal of a kind, from its struct (kind.hpp of its folder). Heavy, as described.hpp is.
#pragma once

#include <utility>

#include "actors/journal/rehearsal.hpp"
#include "runtime/model/described.hpp"

namespace troupe::actors {

template <class Kind>
class KindRehearsal final : public Rehearsal {
 public:
  Result<void> remember(const boost::json::value& memory) override {
    auto read = from_described_json<typename Kind::Memory>(memory);
    if (!read) return read.error();
    memory_ = std::move(*read);
    return {};
  }
  void fold(const EffectResult& result) override { Kind::fold(memory_, result); }
  Decision decide(const ObjectRef& self, Sight& sight, TimePoint now) override {
    const auto world = Kind::observe(self, sight);
    return Kind::decide(world, memory_, now);
  }

 private:
  typename Kind::Memory memory_;
};

}  // namespace troupe::actors
