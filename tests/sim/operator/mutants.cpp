#include "tests/sim/operator/mutants.hpp"

#include <algorithm>
#include <variant>

#include "actors/host/registered.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/kind.hpp"
#include "actors/unit/kind.hpp"
#include "actors/unitset/kind.hpp"

namespace troupe::operator_sim {
namespace {

using namespace actors;
using Sound = MysqlReplicationKind;

template <class Mutant>
std::span<const RegisteredKind> with() {
  static constexpr RegisteredKind kKinds[] = {
      registered<UnitSetKind>(),
      registered<UnitKind>(),
      registered<Mutant>(),
  };
  return kKinds;
}

struct LabelsThatStay : Sound {
  static Decision decide(const World& w, Memory& memory, TimePoint now) {
    auto d = Sound::decide(w, memory, now);
    std::erase_if(d.effects, [&w](const Effect& e) {
      const auto* apply = std::get_if<Apply>(&e.action);
      return apply && std::any_of(w.nodes.begin(), w.nodes.end(), [apply](const Node& n) {
               return n.pod && apply->object == ref_to(*n.pod) &&
                      n.pod->metadata.labels.get(kReadonlyLabel) == "false";
             });
    });
    return d;
  }
};

}  // namespace

std::span<const RegisteredKind> labels_that_stay() { return with<LabelsThatStay>(); }

}  // namespace troupe::operator_sim
