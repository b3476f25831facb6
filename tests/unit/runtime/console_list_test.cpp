#include "runtime/console/list.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::console {
namespace {

ActorInfo actor(std::uint32_t id, std::string kind, std::string name) {
  ActorInfo info;
  info.id = ActorId{id};
  info.kind = std::move(kind);
  info.name = std::move(name);
  return info;
}

std::vector<ActorInfo> fleet() {
  std::vector<ActorInfo> out{actor(0, "unit", "default/db-1"), actor(1, "unitset", "default/db"),
                             actor(2, "unit", "default/db-0"), actor(3, "unit", "prod/Main-0")};
  out[0].guards = 1;
  out[2].faults = 3;
  out[3].quarantined = true;
  for (auto& a : out) a.runs = 10 * a.id.value;
  return out;
}

using Ids = std::vector<std::uint32_t>;

Ids select(const std::vector<ActorInfo>& actors, const ListQuery& query) {
  auto matching = filter(actors, query);
  const auto rows = page(actors, matching, query);
  return {rows.begin(), rows.end()};
}

TEST(ConsoleList, IsOrderedByNameUnlessAskedOtherwise) {
  EXPECT_EQ(select(fleet(), {}), (Ids{1, 2, 0, 3}));
  EXPECT_EQ(select(fleet(), {.sort = ListQuery::Sort::Runs, .descending = true}),
            (Ids{3, 2, 1, 0}));
}

TEST(ConsoleList, ThoseAlikeStayOrderedByNameInBothDirections) {
  EXPECT_EQ(select(fleet(), {.kind = "unit", .sort = ListQuery::Sort::Kind}), (Ids{2, 0, 3}));
  EXPECT_EQ(select(fleet(), {.kind = "unit", .sort = ListQuery::Sort::Kind, .descending = true}),
            (Ids{2, 0, 3}));
}

TEST(ConsoleList, FiltersCombine) {
  EXPECT_EQ(select(fleet(), {.name = "DB-"}), (Ids{2, 0}));
  EXPECT_EQ(select(fleet(), {.name = "main"}), (Ids{3}));
  EXPECT_EQ(select(fleet(), {.guards = true}), (Ids{0}));
  EXPECT_EQ(select(fleet(), {.faults = true}), (Ids{2}));
  EXPECT_EQ(select(fleet(), {.quarantined = true}), (Ids{3}));
  EXPECT_TRUE(select(fleet(), {.kind = "unitset", .guards = true}).empty());
}

Result<ListQuery> parse(std::string_view target) {
  http::Request request;
  EXPECT_TRUE(http::parse_target(target, request));
  return parse_list_query(request);
}

TEST(ConsoleList, ReadsEveryParameter) {
  const auto query =
      parse(
          "/api/actors?kind=unit&name=a%2Fb&guards=1&faults=1&quarantined=1&sort=lastRun"
          "&order=desc&offset=200&limit=50")
          .value();
  EXPECT_EQ(query.kind, "unit");
  EXPECT_EQ(query.name, "a/b");
  EXPECT_TRUE(query.guards && query.faults && query.quarantined && query.descending);
  EXPECT_EQ(query.sort, ListQuery::Sort::LastRun);
  EXPECT_EQ(query.offset, 200u);
  EXPECT_EQ(query.limit, 50u);
}

TEST(ConsoleList, SaysWhatAParameterMayBe) {
  for (const char* target : {"/x?sort=colour", "/x?order=up", "/x?limit=0", "/x?limit=1001",
                             "/x?limit=ten", "/x?offset=-1", "/x?colour=red"}) {
    const auto query = parse(target);
    ASSERT_FALSE(query) << target;
    EXPECT_NE(query.error().message.find("expected"), std::string::npos) << target;
  }
}

TEST(ConsoleList, PagesTogetherAreTheWholeOrderedList) {
  std::vector<ActorInfo> actors;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    actors.push_back(actor(i, "unit", "default/db-" + std::to_string(i * 7919 % 1000)));
    actors.back().runs = i % 10;
  }
  for (const auto sort : {ListQuery::Sort::Name, ListQuery::Sort::Runs}) {
    const auto whole = select(actors, {.sort = sort, .limit = 1000});
    EXPECT_TRUE(std::is_permutation(whole.begin(), whole.end(), filter(actors, {}).begin()));
    Ids together;
    auto matching = filter(actors, {});
    for (const std::size_t offset : {0, 300, 600, 900}) {
      const auto rows = page(actors, matching, {.sort = sort, .offset = offset, .limit = 300});
      together.insert(together.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(together, whole);
  }
  EXPECT_TRUE(select(actors, {.offset = 1000}).empty());
  EXPECT_TRUE(select(actors, {.offset = 5000}).empty());
}

TEST(ConsoleList, PagesInAnyOrderShareOneFilter) {
  EXPECT_TRUE((ListQuery{.kind = "a", .offset = 5}.same_filter({.kind = "a", .descending = true})));
  EXPECT_FALSE((ListQuery{.kind = "a"}.same_filter({.kind = "b"})));
}

}  // namespace
}  // namespace troupe::console
