// Private to Unit: what its decision is made of.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "actors/unit/kind.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors::unit {

using World = UnitKind::World;
using Memory = UnitKind::Memory;

inline constexpr std::string_view kManager = "troupe-unit";
// Takes over labels and annotations of a Pod whose specification an earlier operator made: a write
// by the manager above would have to repeat that specification.
inline constexpr std::string_view kMetadataManager = "troupe-unit-metadata";
// Of what the Unit says of its Pod: another one replaces it.
inline constexpr std::string_view kUnitHash = "troupe.dev/unit-hash";
// Of the specification that the Pod was made with, the operator's part in it included.
inline constexpr std::string_view kTemplateHash = "troupe.dev/template-hash";
// Of the effect that asks whether the API server would take a Pod with such a hash.
inline constexpr std::string_view kTryKey = "try Pod ";
inline constexpr std::string_view kAesSecret = "aes-secret-key";
inline constexpr std::string_view kAesKey = "AES_SECRET_KEY";

// What World holds of the Unit's Pod template. The container that is the database is named by an
// annotation of the Unit or of its template, else it is the first one.
void read_template(World& world);
const boost::json::object& template_spec(const World& world);
// An environment variable of that container: empty if its value comes from elsewhere, nothing if
// there is none.
std::optional<std::string> env_of(const World& world, std::string_view name);
std::string owner_of_accounts(const k8s::Unit& unit);

// The Pod that shall be, with the agent and its supervisor in it.
boost::json::object pod_body(const World& world);
std::string annotation_of(const boost::json::object& pod_body, std::string_view name);

// The node that the Unit is bound to; empty: to none yet.
std::string noted_node(const k8s::Unit& unit);
// Removes from a Pod's spec the selector that binds it to that node, and gives back the hostname
// that it selects; empty: it has none.
std::string take_binding_out(const World& world, boost::json::object& pod_spec);
void put_binding_in(boost::json::object& pod_spec, std::string_view hostname);
// Binds the Unit to the node that its Pod runs on, or frees it.
void keep_binding(const World& world, Decision& decision);

void keep_claims(const World& world, Decision& decision);
void keep_certificate(const World& world, TimePoint now, Decision& decision);
// Of the accounts that the database is to have, those that the user's Secret holds.
std::vector<std::string> users_in_secret(const World& world);
// Passwords for accounts that it lacks.
void keep_made_accounts(const World& world, Decision& decision);
std::vector<std::string> accounts_to_make(const World& world);
// Whether or not its process runs yet: all else goes on without them.
void hold_unreadable_accounts(const World& world, Decision& decision);
Result<std::vector<agent::Account>> accounts_of(const World& world);

// By the label that its replication gives its Pod.
bool is_source(const k8s::Pod& pod);
// As far as its agent says; false where that is not heard.
bool process_may_run(const World& world);
// How a server ends, as its Pod says it to the replication.
inline constexpr std::string_view kToBeReplaced = "to be replaced";
inline constexpr std::string_view kToBeStopped = "to be stopped";
// Whether the server may end now. One that is a source asks to be relieved of that first, and
// waits; not for ever.
bool may_end(const World& world, std::string_view ending, Memory& memory, TimePoint now,
             Decision& decision);
// It stays after all.
void take_back_hand_over(const World& world, Memory& memory, Decision& decision);

// What keeps the Pod from running, as Kubernetes says it: no node, a container that cannot start.
void hold_waiting_pod(const k8s::Pod& pod, Decision& decision);

// Everything that goes on in the Pod, through its agent.
void drive_agent(const World& world, Memory& memory, TimePoint now, Decision& decision);
// Whether clients can write, as far as that is for the Unit to see to.
enum class Access {
  NotOurs,  // others open it, or there is no process that could be open
  Opening,
  Open,
  FormerMember,  // starts closed, and only a replication may open it
};
Access access_of(const World& world, const Memory& memory);
// Opens a database that runs, has its accounts, and belongs to nobody else; once each process.
void keep_open(const World& world, const agent::Endpoint& endpoint, const Memory& memory,
               Decision& decision);
inline constexpr std::string_view kOpenKey = "open ";

// What the agent is to render, and the hash of it; nothing while a ConfigMap is missing.
struct Rendering {
  agent::Render action;
  std::string hash;
};
std::optional<Rendering> rendering(const World& world);

struct PodStanding {
  std::string_view task;  // why it is being replaced; empty if it is not
  bool outdated = false;  // this operator would make another one of the same Unit
  // Whether it stays is not known yet: the specification has not been followed as far as that.
  bool undecided = false;
};
void write_status(const World& world, Memory& memory, const PodStanding& pod, TimePoint now,
                  Decision& decision);

}  // namespace troupe::actors::unit
