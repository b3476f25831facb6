// A topology of modelled servers and what befalls it, told by a test: one operator, clients that
// write to every member all the time, and every invariant of tests/sim/run.hpp looked at after each
// event.
//
//   TEST(A02, ...) {
//     for_each_seed([](Story& s) {
//       s.forms();
//       s.fleet.kill(s.source(), seconds(1));
//       s.expect("another source", [&] { return s.source() != 0; });
//       s.writes_flow();
//       s.ends_well();
//     });
//   }
//
// The first expectation that fails ends a story: what follows in it does nothing any more, and
// for_each_seed tells it as far as it came. Times are virtual, and chance is the seed's.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

#include "tests/sim/mysql/judge.hpp"
#include "tests/sim/mysql_topology/operator.hpp"

namespace troupe::mysql_topology::sim {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Story {
 public:
  Story(std::uint64_t seed, bool tell, int members, Engine engine = &decide);

  // --- given
  // All data shall come from a server outside, which has some already, not all of them in its
  // binary logs; clients write there, too. Its index in `fleet`.
  int is_fed();
  void begins();  // clients write, as far as they are let
  void forms();   // and until all is ready, and written to

  // --- what befalls it
  // The two groups do not reach each other; whom the operator reaches is said apart.
  void part(std::initializer_list<int> some, std::initializer_list<int> others);
  void operator_misses(std::initializer_list<int> members);
  void heals();
  void orders(int member);  // by annotation
  void list(int member, bool listed);
  void leaves_outside();
  // Whenever the operation comes to a new step the operator dies, and is started again a while
  // later.
  void kill_operator_at_each_step() { kills_operator_at_steps_ = true; }

  // --- then
  using Condition = std::function<bool()>;
  void expect(const std::string& what, const Condition& comes, Duration within = seconds(60));
  void always(const std::string& what, const Condition& holds, Duration lasting);
  void pass(Duration time);
  void writes_flow(Duration within = seconds(60));  // from now on
  void no_write_is_acknowledged(Duration lasting);
  void outside_goes_on();       // with some more writes
  void outside_is_passed_on();  // and these come to all members that run
  // While `meanwhile` has not come, never for so long without an acknowledgement.
  void writes_flow_until(const std::string& what, const Condition& meanwhile, Duration longest_gap);
  // Faults end: all is whole and quiet again, and every member holds what was acknowledged.
  void ends_well();

  // --- what is to be seen
  int source() const { return fleet.index_of(object.record.current); }
  int replica() const { return (source() + 1) % fleet.size(); }
  int other_replica() const { return (source() + 2) % fleet.size(); }
  std::size_t acknowledged() const { return fleet.acknowledged_writes(); }
  // The text of a guard or a refusal of the operator's; empty: it does not stand.
  std::string guard(std::string_view rule) const;
  bool ready() const;
  bool is_open(int member) const { return fleet[member].running && !fleet[member].read_only; }
  // Counts the operations that ended, by type.
  int ended(OperationType type) const { return ended_[static_cast<std::size_t>(type)]; }
  // Follows the server outside, closed.
  bool follows_outside(int member) const;
  std::string state() const;
  Role role(int member) const;  // as its Pod is labelled
  bool all_are_in_place() const;

  std::optional<std::string> failure() const;
  const std::vector<std::string>& told() const { return timeline.story(); }

  Timeline timeline;
  Fleet fleet;
  Object object;
  Operator op;
  Operator deposed;  // another one, which does not know that it leads no more

 private:
  void look();
  bool goes_on() const { return !failure_ && judge_.holds(); }

  Judge judge_;
  std::optional<std::string> failure_;
  PersistedRecord seen_;
  bool kills_operator_at_steps_ = false;
  std::array<int, 7> ended_{};
};

// Fails the test for each seed whose story fails, with the end of it.
void for_each_seed(const std::function<void(Story&)>& story, int members = 3, int seeds = 10);
// The same in mode group_replication.
void for_each_seed_of_a_group(const std::function<void(Story&)>& story, int members = 3,
                              int seeds = 10);

// Fails the test unless some seed's story fails with that engine, and says so by `text`.
void expect_caught(const std::function<void(Story&)>& story, Engine engine, const std::string& text,
                   int seeds = 10);

}  // namespace troupe::mysql_topology::sim
