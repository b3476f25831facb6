// What must hold of a topology of modelled servers, whoever runs it: the engine alone, or the whole
// operator. It is looked at after every event.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/mysql/fleet.hpp"
#include "tests/sim/mysql/timeline.hpp"
#include "tests/sim/run.hpp"

namespace troupe::mysql_topology::sim {

class Judge {
 public:
  // `look` is called after every event, for what only the caller can see.
  Judge(Timeline& timeline, Fleet& fleet, std::function<void()> look);

  // From now on clients write, now to one member and now to another.
  void let_clients_write();

  bool holds() const { return !fleet_.violation() && !violation_; }
  const std::optional<Violation>& violation() const {
    return fleet_.violation() ? fleet_.violation() : violation_;
  }
  void broken(Invariant invariant, std::string text);
  // The record of a topology as it is stored now.
  void saw_record(const std::string& topology, Epoch epoch, const std::string& current);

  // The next event; false if there is none, or something does not hold.
  bool step();
  void until(TimePoint t);

  struct Goal {
    std::function<bool()> reached;
    std::function<std::string()> state;  // when it is not, for people
    Duration lasting{};                  // for so long without a break
    Duration within{};
    // When something was done last: that has to be as long ago. May be empty.
    std::function<TimePoint()> last_act = {};
  };
  void await(const Goal& goal, Invariant otherwise);
  // Without writers each of the first `members` servers comes to hold what the source holds, and
  // that is all that was acknowledged.
  void compare(int source, int members);

  troupe::sim::Run report(std::uint64_t seed);

 private:
  struct Record {
    Epoch epoch;
    std::string current;
    Epoch current_since;
  };
  void write();
  bool catches_up(int member, int source);

  Timeline& timeline_;
  Fleet& fleet_;
  std::function<void()> look_;
  bool writing_ = false;
  std::optional<Violation> violation_;
  std::map<std::string, Record> records_;
  std::uint64_t changes_ = 0;  // of source
  TimePoint moment_;
  int in_moment_ = 0;  // events since then
};

}  // namespace troupe::mysql_topology::sim
