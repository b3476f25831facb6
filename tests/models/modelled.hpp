// The servers of tests/sim/mysql, in virtual time.
#pragma once

#include "tests/models/servers.hpp"
#include "tests/sim/mysql/fleet.hpp"

namespace troupe::models {

class Modelled final : public Servers {
 public:
  explicit Modelled(std::uint64_t seed);

  void write(int member) override { fleet_.write(member); }
  void kill(int member) override;
  void pause(int member, bool paused) override { fleet_.pause(member, paused); }
  void purge(int member) override { fleet_.purge(member); }
  void hold_applier(int member, bool held) override { fleet_[member].applier_held = held; }

 private:
  std::string answer(int member, const Command& command) override;
  std::string picture(Duration after) override;
  void make_table(int server) override;
  void add_outside() override { fleet_.add_outside(0); }
  int member_at(const mysql::ReplicaStatus& replica) const override {
    return fleet_.index_of(replica.source_host);
  }
  void pass(Duration time);

  mysql_topology::sim::Timeline timeline_;
  mysql_topology::sim::Fleet fleet_;
};

}  // namespace troupe::models
