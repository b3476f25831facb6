// What a kind keeps as it should be, such as the Services that it makes, is looked at again only
// when something of it has changed: to make an object's body only to find that it was applied long
// ago is most of what a decision would cost.
//
//   memory.services.keep(Inputs().specified(w.object).version(w.service), decision, [&] {
//     ensure(decision, ...);
//   });
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <string_view>

#include "actors/model/decision.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/backoff.hpp"

namespace troupe::actors {

// A fingerprint of all that a part of a decision looks at; the order of the calls counts. That an
// object does not exist is an input as well.
class Inputs {
 public:
  // Everything about the object.
  template <k8s::KindStruct T>
  Inputs& version(const k8s::ObjectPtr<T>& object) {
    exists(object);
    return number(object ? object->metadata.resourceVersion.value : 0);
  }
  // Everything but its status, which moves all the time: for kinds that count generations, and for
  // those of which only labels and annotations are looked at.
  template <k8s::KindStruct T>
  Inputs& specified(const k8s::ObjectPtr<T>& object) {
    exists(object);
    if (object) metadata(object->metadata);
    return *this;
  }
  // Whether it is there, and that it is this one.
  template <k8s::KindStruct T>
  Inputs& exists(const k8s::ObjectPtr<T>& object) {
    return text(object ? object->metadata.uid.view() : std::string_view());
  }
  Inputs& number(std::uint64_t n);
  Inputs& text(std::string_view text);

  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  void metadata(const k8s::ObjectMeta& meta);
  std::uint64_t fingerprint_ = 1;
};

// Part of a kind's Memory.
class Settled {
 public:
  // Calls `keep`, which adds to the decision what there is to do, unless there was nothing to do
  // when it was called last, for the same inputs.
  template <class Keep>
  void keep(const Inputs& inputs, Decision& decision, Keep keep) {
    if (inputs_ == inputs.fingerprint()) return;
    const auto effects = decision.effects.size(), guards = decision.guards.size();
    const auto wake = decision.wake;
    const auto doing = decision.doing;
    keep();
    const bool nothing_to_do = decision.effects.size() == effects &&
                               decision.guards.size() == guards && decision.wake == wake &&
                               decision.doing == doing;
    inputs_ = nothing_to_do ? inputs.fingerprint() : 0;
  }

 private:
  std::uint64_t inputs_ = 0;  // for which there was nothing to do; 0: none
  BOOST_DESCRIBE_CLASS(Settled, (), (), (), (inputs_))
};

}  // namespace troupe::actors
