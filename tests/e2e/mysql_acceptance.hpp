// For tests of acceptance behaviours (docs/acceptance.md) on a cluster of real servers: what can be
// done to members behind the operator's back, and what it says of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/e2e/cluster.hpp"

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
  // Of a Pod's network namespace: the file that stands for it.
  struct Network {
    std::string file;
    oracle::Ran route(const std::string& verb, const std::string& address) const;
    std::string gateway() const;
    oracle::Ran run(std::vector<std::string> command) const;
  };
  static Network network_of(const std::string& member);
  void cut(const std::string& member, const std::string& address);

  struct Cut {
    Network network;
    std::string address;
  };
  std::vector<Cut> cut_;
};

}  // namespace troupe::e2e
