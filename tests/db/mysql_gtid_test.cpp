// Our GTID arithmetic against the server's own functions, on random sets.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <memory>

#include "engines/mysql/model/gtid_set.hpp"
#include "tests/db/mysqld.hpp"

namespace troupe::mysql {
namespace {

using testing::Client;
using testing::Mysqld;

// Small numbers, so that sets overlap, touch and split often.
rc::Gen<GtidSet> any_set() {
  const auto member = rc::gen::tuple(rc::gen::inRange(0, 3), rc::gen::inRange(0, 3),
                                     rc::gen::inRange(1, 30), rc::gen::inRange(0, 5));
  return rc::gen::map(rc::gen::container<std::vector<std::tuple<int, int, int, int>>>(member),
                      [](const auto& members) {
                        const char* const tags[] = {"", "alpha", "a_1"};
                        GtidSet set;
                        for (const auto& [uuid, tag, first, length] : members) {
                          Uuid id{};
                          id.data[0] = static_cast<std::uint8_t>(0x30 + uuid);
                          const auto from = static_cast<std::uint64_t>(first);
                          set.add({id, tags[tag]}, {from, from + static_cast<unsigned>(length)});
                        }
                        return set;
                      });
}

class MysqlGtidSet : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<Mysqld>(1);
    client_ = std::make_unique<Client>(server_->admin());
  }
  static void TearDownTestSuite() {
    client_.reset();
    server_.reset();
  }
  // function(a, b) as the server computes it.
  static std::string ask(std::string_view function, const GtidSet& a, const GtidSet& b) {
    const auto rows = client_->run(StatementBuilder()
                                       .sql("SELECT ")
                                       .sql(function)
                                       .sql("(")
                                       .literal(a.to_string())
                                       .sql(", ")
                                       .literal(b.to_string())
                                       .sql(") AS answer")
                                       .build());
    return rows[0].text("answer");
  }
  static std::unique_ptr<Mysqld> server_;
  static std::unique_ptr<Client> client_;
};
std::unique_ptr<Mysqld> MysqlGtidSet::server_;
std::unique_ptr<Client> MysqlGtidSet::client_;

TEST_F(MysqlGtidSet, SubtractsAsTheServerDoes) {
  EXPECT_TRUE(rc::check("GTID_SUBTRACT", [] {
    const auto a = *any_set();
    const auto b = *any_set();
    RC_ASSERT(subtract(a, b).to_string(",\n") == ask("GTID_SUBTRACT", a, b));
  }));
}

TEST_F(MysqlGtidSet, ComparesAsTheServerDoes) {
  EXPECT_TRUE(rc::check("GTID_SUBSET", [] {
    const auto a = *any_set();
    const auto b = *any_set();
    RC_ASSERT((b.contains(a) ? "1" : "0") == ask("GTID_SUBSET", a, b));
    RC_ASSERT(ask("GTID_SUBSET", a, unite(a, b)) == "1");
    RC_ASSERT(ask("GTID_SUBSET", intersect(a, b), b) == "1");
  }));
}

TEST_F(MysqlGtidSet, PrintsAsTheServerDoes) {
  EXPECT_TRUE(rc::check("canonical text", [] {
    const auto a = *any_set();
    RC_ASSERT(a.to_string(",\n") == ask("GTID_SUBTRACT", a, {}));
  }));
}

TEST_F(MysqlGtidSet, ReadsWhatTheServerPrintsOfItself) {
  client_->run("CREATE DATABASE gtid");
  const auto executed = GtidSet::parse(client_->value("SELECT @@GLOBAL.gtid_executed"));
  ASSERT_TRUE(executed.has_value());
  EXPECT_EQ(executed->of(*parse_uuid(client_->value("SELECT @@server_uuid"))).count(), 1u);
}

}  // namespace
}  // namespace troupe::mysql
