#include "engines/mysql/model/durability.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::mysql {
namespace {

std::vector<Weakness> check(std::vector<Setting> settings, bool semi_sync = true) {
  return weaknesses(std::span<const Setting>(settings), semi_sync);
}

TEST(Durability, EachPinAcceptsItsOwnValueAndRefusesAnother) {
  for (const auto& pin : durability_pins()) {
    EXPECT_TRUE(check({{std::string(pin.variable), std::string(pin.accepted)}}).empty())
        << pin.variable;
    EXPECT_EQ(check({{std::string(pin.variable), "999"}}).size(), 1u) << pin.variable;
    if (pin.alias.empty()) continue;
    EXPECT_EQ(check({{std::string(pin.alias), "999"}}).size(), 1u) << pin.alias;
  }
}

TEST(Durability, ReadsOptionFilesAsServersDo) {
  for (const char* off : {"0", "OFF", "false", "No", " off ", "'OFF'"}) {
    EXPECT_EQ(check({{"innodb-doublewrite", off}}).size(), 1u) << off;
  }
  for (const char* on : {"1", "ON", "TRUE", "yes", ""}) {
    EXPECT_TRUE(check({{"loose_INNODB_doublewrite", on}}).empty()) << on;
  }
  EXPECT_EQ(check({{"skip-log-bin", ""}}).size(), 1u);
  EXPECT_EQ(check({{"loose-sync-binlog", "0"}}).size(), 1u);
}

TEST(Durability, OtherSettingsAreNobodysBusiness) {
  EXPECT_TRUE(check({{"max_connections", "1"}, {"sync_binlog_x", "0"}}).empty());
}

TEST(Durability, PinsOfSemiSyncMatterOnlyThere) {
  EXPECT_EQ(check({{"relay_log_recovery", "ON"}}, true).size(), 1u);
  EXPECT_TRUE(check({{"relay_log_recovery", "ON"}}, false).empty());
}

TEST(Durability, SaysWhatWasFoundWhatWasExpectedAndWhy) {
  const auto found = check({{"sync_binlog", "100"}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      to_string(found[0]),
      "sync_binlog is 100, expected 1: a crash of the node loses acknowledged writes from the "
      "binary log");
}

TEST(Durability, ChecksARunningServerAndIgnoresWhatItDoesNotKnow) {
  MemberObservation member;
  EXPECT_TRUE(weaknesses(member, true).empty());
  member.durability.sync_binlog = 1;
  member.durability.innodb_flush_log_at_trx_commit = 2;
  member.durability.gtid_mode = true;
  member.semi_sync_source.names = SemiSyncNames::Old;
  member.semi_sync_source.wait_point = WaitPoint::AfterCommit;
  const auto found = weaknesses(member, true);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].variable, "innodb_flush_log_at_trx_commit");
  EXPECT_EQ(found[1].variable, "rpl_semi_sync_master_wait_point");
  EXPECT_EQ(weaknesses(member, false).size(), 1u);
}

}  // namespace
}  // namespace troupe::mysql
