// Ways in which a cluster loses its primary, and when exactly it did.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/oracle/mysql_cluster.hpp"

namespace troupe::oracle {

enum class Strike {
  Process,  // the database's process is killed
  Pod,      // the Pod is deleted by force
  Pause,    // the database's process is stopped (SIGSTOP)
  CutOff,   // the Pod's network is taken away
};

// As its supervisor sees it: when it can be waited for, it has been dead for some time.
bool is_dying(pid_t pid);

// One moment on two clocks: the writers' and that of the operator's history.
struct Moment {
  Instant steady;
  std::int64_t wall = 0;  // microseconds since 1970

  static Moment now();
};

struct Struck {
  Strike how = Strike::Process;
  MemberPod pod;
  Moment asked;       // for it
  Moment last_alive;  // the victim; all is counted from here
  Instant gone;       // seen: who answers what is asked later is somebody else
};

// Nothing if it cannot be done. A Pod's death takes its way through the API server and its kubelet,
// so its moment is looked for.
std::optional<Struck> strike(const Kubectl& kubectl, const MemberPod& pod, Strike how);

// Lets what was stopped or cut off go on; nothing to do for the dead.
void release(const Struck& struck);

double milliseconds_between(Instant from, Instant to);

}  // namespace troupe::oracle
