// Private to UnitSet: what its decision is made of.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "actors/model/ledger.hpp"
#include "actors/unitset/kind.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors::unitset {

using World = UnitSetKind::World;
using Memory = UnitSetKind::Memory;
using Slot = UnitSetKind::Slot;

inline constexpr std::string_view kManager = "troupe-unitset";
// The guard of an update that waits for its turn: nothing is wrong.
inline constexpr std::string_view kUpdateWaits = "UpdateWaits";
inline constexpr std::string_view kFinalizer = "upm.io/unit-delete";
// <unit>-config-value
inline constexpr std::string_view kValuesSuffix = "-config-value";

// Whether one of our copies was made from the templates of the version that the spec names.
bool is_of_version(const World& world, const k8s::ObjectMeta& copy);

struct Port {
  std::string name;
  std::int32_t number = 0;
  std::string protocol = "TCP";
};
// From the shared ConfigMap's `<type>_ports`, else from the template's main container.
Result<std::vector<Port>> ports_of(const World& world);

// The Pod template of one Unit: the version's, with what the spec adds to it.
boost::json::object pod_template(const World& world, const Slot& slot, int ordinal,
                                 const std::vector<Port>& ports);
// The Unit that shall be.
boost::json::object unit_body(const World& world, const Slot& slot, int ordinal,
                              const std::vector<Port>& ports);

// The values of a Unit under a new version: the new template's where the user has changed nothing
// of the old one's, else the user's laid over it. YAML in and out.
std::string merge_values(std::string_view users, std::string_view old_template,
                         std::string_view new_template);

// What the set notes in annotations of its own object, because it cannot be read off anything else
// later: where each Unit ran, and which node ports its Services were given.
//
// upm.io/node-name-map is the user's as well: a node that they name pins the Unit, "noneSet" keeps
// it from being pinned. What we fill in there pins nothing; to tell the two apart, our entries
// stand a second time in an annotation of ours.
std::optional<std::string> pinned_node(const World& world, const Slot& slot);
// 0: none was noted.
std::int64_t noted_node_port(const World& world, std::string_view service, std::string_view port);
void keep_notes(const World& world, Decision& decision);

void keep_configuration(const World& world, Decision& decision);
void keep_services(const World& world, const std::vector<Port>& ports, Decision& decision);
// Makes, updates one after the other, and removes Units. Answers which are being updated.
std::vector<std::string> keep_units(const World& world, const std::vector<Port>& ports,
                                    Decision& decision);
// `updating`: Units whose update begins with this decision.
void write_status(const World& world, Memory& memory, const std::vector<std::string>& updating,
                  Decision& decision);

// Whether the Unit bears what `unit_body` asks for; whether it is up.
bool is_current(const Slot& slot, const boost::json::object& body);
bool is_ready(const Slot& slot);

}  // namespace troupe::actors::unitset
