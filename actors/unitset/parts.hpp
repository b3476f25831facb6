// Private to UnitSet: what its decision is made of.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "actors/model/ledger.hpp"
#include "actors/unitset/kind.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors::unitset {

using World = UnitSetKind::World;
using Slot = UnitSetKind::Slot;

inline constexpr std::string_view kManager = "troupe-unitset";

// The version's template, or our copy of it where the operator's namespace has lost it.
k8s::ObjectPtr<k8s::PodTemplate> base_template(const World& world);

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

// The values of a Unit under a new version: the user's over the new template's. YAML in and out.
std::string merge_values(std::string_view users, std::string_view old_template,
                         std::string_view new_template);

void keep_configuration(const World& world, Decision& decision);
void keep_services(const World& world, const std::vector<Port>& ports, Decision& decision);
// Makes, updates one after the other, and removes Units.
void keep_units(const World& world, const std::vector<Port>& ports, Decision& decision);
void write_status(const World& world, const Decision& so_far, Decision& decision);

// Whether the Unit bears what `unit_body` asks for; and whether it is up.
bool is_current(const Slot& slot, const boost::json::object& body);
bool is_ready(const Slot& slot);

}  // namespace troupe::actors::unitset
