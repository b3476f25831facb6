#include "k8s/api/snapshot.hpp"

#include <cstring>

namespace troupe::k8s {

void Snapshot::destroy(const Snapshot* snapshot) {
  auto* memory = const_cast<Snapshot*>(snapshot);
  const std::size_t bytes = snapshot->bytes_;
  if (snapshot->sensitive_) explicit_bzero(memory, bytes);
  ::operator delete(memory, bytes);
}

}  // namespace troupe::k8s
