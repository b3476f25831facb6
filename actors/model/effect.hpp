// What a decision may ask for: plain values, each done by one gateway, each answered exactly once.
//
// An effect's key names what it is about, not the attempt: while an effect with the same key is in
// flight, a decision that asks for it again changes nothing, and a failed one waits for its backoff
// (Ledger). So a decision simply says what should be done given what it sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engines/agent/model/authority.hpp"
#include "engines/agent/model/command.hpp"
#include "engines/agent/model/endpoint.hpp"
#include "engines/mysql/model/observation.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/ids.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::actors {

struct ObjectRef {
  k8s::KindId kind{};
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectRef&) const = default;
};

// Server-side apply of a whole concern. One field manager a concern, no field has two.
struct Apply {
  ObjectRef object;
  std::string manager;
  std::string body;               // JSON
  bool status = false;            // through the status subresource
  k8s::ResourceVersion expected;  // set: only if the object is still this version
  bool urgent = false;            // goes before other writes: somebody cannot write meanwhile
  bool dry_run = false;           // writes nothing: the server says whether it would take it
};

// For the few fields that are not ours to own: finalizers, annotations that users set.
struct MergePatch {
  ObjectRef object;
  std::string body;
  k8s::ResourceVersion expected;
};

struct Delete {
  ObjectRef object;
  std::string uid;  // only this one; empty: whichever is there
  std::optional<std::int64_t> grace_seconds;
};

struct EmitEvent {
  ObjectRef about;
  std::string uid;
  bool warning = false;
  std::string reason;
  std::string text;
  std::string condition;  // the one whose news it is; empty: something happened to the object
  // The guard that the condition named until now, or those that people were told of: what is no
  // warning ends it.
  std::string before;
};
// What people read.
std::string message_of(const EmitEvent& event);

struct AskAgent {
  agent::Endpoint endpoint;
  agent::Action action;
  agent::Epoch epoch;
};

struct ProbeNow {
  mysql::EndpointId endpoint;
};

// A key and a certificate signed by the operator's authority, put into a Secret (tls.crt, tls.key,
// ca.crt) that Pods mount. Renewed by asking again when two thirds of its life are over.
struct IssueCertificate {
  ObjectRef secret;
  std::string owner_references;  // JSON array for the Secret's metadata
  std::vector<std::string> dns_names;
};

// The authorities that are trusted now, put into such a Secret; its certificate stays.
struct TrustAuthorities {
  ObjectRef secret;
};

// The authority that this process holds, put into its Secret, which is gone. If it holds none, a
// new one is made, and `trusted` (PEM, what Units trust) is trusted until it is introduced.
struct StoreAuthority {
  ObjectRef secret;
  std::vector<std::string> trusted;
};

struct AdvanceAuthority {
  ObjectRef secret;
  agent::AuthorityStep step;
  k8s::ResourceVersion expected;  // only if the Secret is still this version
};

// Random passwords for accounts that the user's Secret lacks, put into a Secret of our own; those
// that are in it already stay.
struct MakePasswords {
  ObjectRef secret;
  std::string owner_references;
  std::vector<std::string> users;
  bool exists = false;  // the Secret is there: the users are added to it
};

using Action =
    std::variant<Apply, MergePatch, Delete, EmitEvent, AskAgent, ProbeNow, IssueCertificate,
                 TrustAuthorities, StoreAuthority, AdvanceAuthority, MakePasswords>;

struct Effect {
  std::string key;
  Action action;
  Duration deadline = std::chrono::seconds(10);
};

struct EffectResult {
  std::string key;
  std::string what;  // describe() of the effect
  std::optional<Error> failed;
  bool refused = false;               // it failed because the API server said no to it
  std::optional<agent::Reply> reply;  // of AskAgent, as are the next two
  std::string endpoint;
  agent::Epoch epoch;
  std::size_t fingerprint = 0;
  bool step = false;  // is_step() of the effect
  TimePoint finished;
  Duration took{};
};

// "apply Service default/db-readwrite", for traces; never a secret.
std::string describe(const Effect& effect);
// Whether it carries an operation forward (a command to an agent, a write on condition of a
// version, a step of the authority) rather than keeping or telling what is: then what follows from
// its result belongs to its chain.
bool is_step(const Effect& effect);
// The id of the endpoint that it changes or looks at; empty: none.
std::string endpoint_of(const Effect& effect);
// Equal for effects that ask for exactly the same.
std::size_t fingerprint(const Effect& effect);

// Keys that are used by more than one kind.
std::string apply_key(std::string_view kind, const ObjectRef& object, std::string_view manager);

}  // namespace troupe::actors
