// The authority that vouches for the operator and all Units: one for each operator, kept in one
// Secret, watched over by one actor that lives as long as the operator. docs/certificates.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/model/decision.hpp"
#include "actors/model/sight.hpp"
#include "k8s/api/core.hpp"

namespace troupe::actors {

struct AuthorityKind {
  static constexpr std::string_view kName = "Authority";

  // A Unit that has a certificate.
  struct UnitTrust {
    std::string name;  // namespace/name
    // Of its Secret: the annotations of these names, and ca.crt.
    std::string signer, trusted, certificate;
    std::string authorities;
    bool runs = false;  // has a Pod that may use what it has mounted
    bool connected = false;
    agent::CertificateStatus in_effect;  // as its agent says
  };

  struct World {
    ObjectRef self;
    k8s::ObjectPtr<k8s::SecretObject> secret;
    std::vector<UnitTrust> units;  // nobody looks at them while nothing changes
    WallTime wall;
  };

  struct Memory {};

  // The Secret that the actor is about.
  static ObjectRef self(const Settings& settings);
  static World observe(const ObjectRef& self, Sight& sight);
  static void fold(Memory&, const EffectResult&) {}
  static Decision decide(const World& world, Memory& memory, TimePoint now);
};

}  // namespace troupe::actors
