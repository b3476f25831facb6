// For tests of acceptance behaviours (docs/acceptance.md) on a cluster of real servers: what can be
// done to members behind the operator's back, and what it says of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/e2e/cluster.hpp"
#include "tests/oracle/surroundings.hpp"

namespace troupe::e2e {

using oracle::eventually;
using std::chrono::seconds;

class MysqlAcceptance : public ClusterTest {
 protected:
  ~MysqlAcceptance() override;

  static std::vector<std::string> replicas();

  // Neither hears the other any more; packets go without a word.
  void part(const std::string& one, const std::string& other);
  // Neither the operator nor the kubelet nor the clients of the test reach it.
  void lose_sight_of(const std::string& member);
  // Takes the room on its data volume, but for so many bytes; of a cluster with volumes of their
  // own.
  void fill_volume(const std::string& member, std::uint64_t bytes_left);
  // Takes all of that back.
  void heal();
  static void lose_volume(const std::string& member);

  // A client in the member's own Pod, which no partition keeps from it. True: it was told OK.
  static bool commits_at(const std::string& member);

  static testing::AssertionResult says(const std::string& text);  // in a guard of the status
  // Looks all the time.
  static testing::AssertionResult stays(std::int64_t epoch_before, seconds lasting);
  static testing::AssertionResult is_replaced(const std::string& old, seconds within = seconds(60));

  static void annotate(const std::string& annotation);
  static std::string last_operation();
  static std::string lost_transactions();
  // By the label that the Services select.
  static std::string label_of(const std::string& member);

 private:
  void keep(std::optional<oracle::TakeBack> done, const std::string& what);

  std::vector<oracle::TakeBack> to_take_back_;
};

}  // namespace troupe::e2e
