#include "engines/agent/quiet_grpc.hpp"

#include <grpc/support/log.h>

namespace troupe::agent {

void quiet_grpc() {
  ::gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace troupe::agent
