#include "tests/unit/actors/configmirror/kind.hpp"

namespace troupe::actors {

ConfigMirrorKind::World ConfigMirrorKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.refused = sight.refused();
  w.object = sight.get<k8s::ConfigMirror>(self.ns, self.name);
  if (!w.object) return w;
  w.source = sight.get<k8s::ConfigMap>(self.ns, w.object->spec.source);
  w.target = sight.get<k8s::ConfigMap>(self.ns, w.object->spec.target);
  return w;
}

}  // namespace troupe::actors
