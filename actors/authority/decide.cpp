#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "actors/authority/kind.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"

namespace troupe::actors {
namespace {

using agent::AuthorityStage;
using agent::AuthorityStep;
using World = AuthorityKind::World;
using UnitTrust = AuthorityKind::UnitTrust;

// While Units change over. What their agents say does not wake this actor: there may be thousands.
constexpr std::chrono::seconds kLookAgain{1};
constexpr std::size_t kShownUnits = 5;

// What the Secret says about the authority.
struct Described {
  AuthorityStage stage;
  WallTime since, renew, expires;
  std::string_view signer, trusted;
};

std::optional<Described> describe(const k8s::SecretObject& secret) {
  const auto& annotations = secret.metadata.annotations;
  const auto stage = agent::parse_authority_stage(annotations.get(kStageAnnotation));
  const auto since = k8s::parse_rfc3339(annotations.get(kStageSinceAnnotation));
  const auto renew = k8s::parse_rfc3339(annotations.get(kRenewAfterAnnotation));
  const auto expires = k8s::parse_rfc3339(annotations.get(kExpiresAnnotation));
  const auto signer = annotations.get(kSignerAnnotation);
  const auto trusted = annotations.get(kTrustedAnnotation);
  if (!stage || !since || !renew || !expires || signer.empty() || trusted.empty())
    return std::nullopt;
  return Described{*stage, *since, *renew, *expires, signer.view(), trusted.view()};
}

// Why it cannot go on without this Unit; empty: it can.
std::string_view lag_of(const UnitTrust& u, const Described& a) {
  const bool replacing = a.stage == AuthorityStage::Replacing;
  if (u.trusted != a.trusted || (replacing && u.signer != a.signer))
    return "its Secret is not written yet";
  if (!u.runs) return {};
  if (!u.connected) return "its agent is not connected";
  if (u.in_effect.trusted == u.trusted && (!replacing || u.in_effect.shown == u.certificate))
    return {};
  return u.in_effect.error.empty() ? "it has not read its Secret yet"
                                   : std::string_view(u.in_effect.error);
}

bool wait_for_units(const World& w, const Described& a, Decision& d) {
  std::size_t behind = 0;
  std::string names;
  for (const auto& u : w.units) {
    const auto why = lag_of(u, a);
    if (why.empty()) continue;
    if (behind++ < kShownUnits)
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", u.name, why);
  }
  if (behind == 0) return true;
  d.hold("UnitsBehind", fmt::format("{} of {} Units: {}{}", behind, w.units.size(), names,
                                    behind > kShownUnits ? ", ..." : ""));
  return false;
}

// The Secret is gone. This process may hold its keys still; else what Units trust shows that there
// was an authority, and the new one begins by being introduced to them.
void restore(const World& w, Decision& d) {
  d.doing = "writing its Secret";
  std::set<std::string> trusted;
  for (const auto& u : w.units)
    if (!u.authorities.empty()) trusted.insert(u.authorities);
  if (!trusted.empty())
    d.hold("AuthorityMissing",
           fmt::format("Secret {}/{} is gone: it is written again. Until then do not restart the "
                       "operator, and see that its namespace exists",
                       w.self.ns, w.self.name));
  d.add("store authority", StoreAuthority{w.self, {trusted.begin(), trusted.end()}});
}

void advance(const World& w, AuthorityStep step, std::string_view reason, std::string_view text,
             Decision& d) {
  d.add(fmt::format("{} authority", agent::to_string(step)),
        AdvanceAuthority{w.self, step, w.secret->metadata.resourceVersion});
  tell(d, *w.secret, false, reason, text);
}

// Somebody has edited it, or an operator made it that did not describe it yet.
void mend(const World& w, Decision& d) {
  const auto& data = w.secret->data;
  if (data.contains("tls.crt") && data.contains("tls.key")) {
    d.doing = "describing its Secret";
    d.add("describe authority",
          AdvanceAuthority{w.self, AuthorityStep::Describe, w.secret->metadata.resourceVersion});
    return;
  }
  d.doing = "waiting for its Secret to be mended";
  d.hold("AuthorityUnreadable",
         fmt::format("Secret {}/{} has no tls.crt and tls.key: restore them, or delete it to have "
                     "it written again",
                     w.self.ns, w.self.name));
}

void keep(const World& w, const Described& a, TimePoint now, Decision& d) {
  d.doing = "steady";
  const bool ordered = !w.secret->metadata.annotations.get(kRotateAnnotation).empty();
  if (!ordered && w.wall < a.renew) {
    d.wake_at(now + (a.renew - w.wall));
    return;
  }
  advance(w, AuthorityStep::Introduce, "AuthorityIntroduced",
          "a new authority is made: all Units are told to trust it", d);
}

void introduce(const World& w, const Described& a, TimePoint now, Decision& d) {
  d.doing = "introducing a new authority to all Units";
  // Near its own end the old one can vouch for nothing any more: waiting would not help.
  if (wait_for_units(w, a, d) || w.wall + agent::kLeafLifetime >= a.expires)
    advance(w, AuthorityStep::Sign, "AuthoritySigns",
            "the new authority signs: all Units get new certificates", d);
  else
    d.wake_at(now + kLookAgain);
}

void replace(const World& w, const Described& a, TimePoint now, Decision& d) {
  d.doing = "replacing the certificates of all Units";
  // By then all that the old one has signed has expired.
  if (wait_for_units(w, a, d) || w.wall >= a.since + agent::kLeafLifetime)
    advance(w, AuthorityStep::Retire, "AuthorityRetired",
            "nothing of the old authority is in use: it is trusted no more", d);
  else
    d.wake_at(now + kLookAgain);
}

}  // namespace

Decision AuthorityKind::decide(const World& w, Memory&, TimePoint now) {
  Decision d;
  if (!w.secret) {
    restore(w, d);
    return d;
  }
  const auto described = describe(*w.secret);
  if (!described) {
    mend(w, d);
    return d;
  }
  switch (described->stage) {
    case AuthorityStage::Steady:
      keep(w, *described, now, d);
      break;
    case AuthorityStage::Introducing:
      introduce(w, *described, now, d);
      break;
    case AuthorityStage::Replacing:
      replace(w, *described, now, d);
      break;
  }
  return d;
}

}  // namespace troupe::actors
