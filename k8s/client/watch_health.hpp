// Whether the watches bring what happens: what an operator's readiness rests on. Pure.
#pragma once

#include <span>
#include <string>

#include "k8s/client/multiplexer.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

// Both say what is wrong, in one line for people, or nothing. A kind that is not installed is as it
// should be: its watch sleeps.

// That some kinds have not been listed yet; so too while nothing is watched.
std::string not_listed(std::span<const WatchStatus> watches);
// That some watches have neither been open nor heard of for `patience` or longer.
std::string cut_off(std::span<const WatchStatus> watches, TimePoint now, Duration patience);

}  // namespace troupe::k8s
