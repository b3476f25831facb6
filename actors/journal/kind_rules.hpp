// The Rules of a kind, from its struct (kind.hpp of its folder). Heavy: with it come the
// descriptions of all that a memory may hold.
#pragma once

#include <utility>

#include "actors/journal/rules.hpp"
#include "actors/model/described.hpp"

namespace troupe::actors {

template <class Kind>
class KindRules final : public Rules {
 public:
  void fold(const EffectResult& result) override { Kind::fold(memory_, result); }
  Decision decide(const ObjectRef& self, Sight& sight, TimePoint now) override {
    const auto world = Kind::observe(self, sight);
    return Kind::decide(world, memory_, now);
  }
  boost::json::value memory(const Veil& veil) const override {
    return described_json(memory_, veil);
  }
  Result<void> remember(const boost::json::value& memory) override {
    auto read = from_described_json<typename Kind::Memory>(memory);
    if (!read) return read.error();
    memory_ = std::move(*read);
    return {};
  }

 private:
  typename Kind::Memory memory_;
};

}  // namespace troupe::actors
