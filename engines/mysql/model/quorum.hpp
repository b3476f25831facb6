// The arithmetic of lossless semi-sync among N members, the primary included.
//
//   w = floor(N/2)   acknowledgements a commit waits for
//   f = N - w        replicas whose receiver must be known to be stopped before a failover
//
// The old primary keeps at most (N-1)-f other ackers. With f + w >= N that is fewer than w, so
// whatever it ever acknowledged, before or after the stop, needed one of the stopped replicas,
// which has the whole transaction: nothing acknowledged is lost and nothing new can be
// acknowledged. N counts the members that may acknowledge: isolated ones are left out, errant ones
// are not.
#pragma once

namespace troupe::mysql {

// Acknowledgements a commit waits for.
constexpr int required_acks(int members) { return members / 2; }

// Stopped, non-errant replicas that make a failover safe.
constexpr int required_stopped(int members) { return members - required_acks(members); }

// Whether `stopped` replicas are enough while the primary waits for `acks` acknowledgements.
// Without a wait nothing can be concluded from any number of replicas.
constexpr bool is_quorum(int members, int acks, int stopped) {
  return acks >= 1 && stopped >= 1 && stopped <= members - 1 && stopped + acks >= members;
}

// Replicas that may be lost while writes still flow.
constexpr int tolerated_with_writes(int members) { return members - 1 - required_acks(members); }

// Members, the primary included, that may be lost before no safe choice is left.
constexpr int tolerated_with_choice(int members) { return required_acks(members); }

}  // namespace troupe::mysql
