// What befalls a cluster of three, and when, decided by a seed alone. Pure.
//
// Faults come in bursts: what one leads to meets the next. Between bursts there is time to recover,
// or not to. Whom a fault strikes is said by role, since the source is where it hurts; who has that
// role is looked up when the fault comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::oracle {

enum class Fault {
  KillServer,    // SIGKILL
  PauseServer,   // SIGSTOP, then SIGCONT
  DeletePod,     // with the grace that it has
  KillPod,       // deleted by force
  CutOff,        // from everybody
  LoseSight,     // from the operator and the clients; the other members reach it
  Part,          // from the other one
  Silence,       // what it sends does not reach the other one
  FillVolume,    // to the last byte
  CrowdVolume,   // so that little is left
  KillOperator,  // SIGKILL; another one is started later
};

enum class Victim { Source, Replica, OtherReplica };

struct ScheduledFault {
  std::chrono::milliseconds at{};  // since its burst began
  Fault fault = Fault::KillServer;
  Victim victim = Victim::Source;  // of all but KillOperator
  Victim other = Victim::Source;   // of Part and Silence
  // After which it is taken back; 0 where there is nothing to take back.
  std::chrono::milliseconds lasts{};
};

struct Burst {
  std::vector<ScheduledFault> faults;  // in the order of their times
  std::chrono::milliseconds calm{};    // after the last of them is over
};

struct FaultSchedule {
  std::uint64_t seed = 0;
  std::vector<Burst> bursts;
};

// How much of it there is; times and kinds are the seed's.
struct FaultShape {
  int bursts = 3;
  int faults_in_a_burst = 4;  // at most
};

FaultSchedule fault_schedule(std::uint64_t seed, const FaultShape& shape = {});

// One line.
std::string to_string(const FaultSchedule& schedule);
std::string to_string(const ScheduledFault& fault);

}  // namespace troupe::oracle
