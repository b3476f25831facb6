#include "tests/unit/architecture/includes.hpp"
#include "tests/support/tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace troupe::architecture {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A header that more sources than this read is a common one.
constexpr int kManyReaders = 25;

const Tree& the_tree() {
  static const Tree tree = read_tree(support::in_tree());
  return tree;
}

std::string judge(const std::string& file, const std::string& target) {
  return violation({file, 1, target});
}

// ---- The tree ----------------------------------------------------------------------------------

TEST(Arrows, EveryIncludeOfTheTreePointsDown) {
  int checked = 0;
  for (const auto& [file, includes] : the_tree())
    for (const auto& include : includes) {
      EXPECT_THAT(violation(include), IsEmpty());
      ++checked;
    }
  EXPECT_GT(checked, 1000) << "the tree was not read";
}

TEST(Arrows, WhatIsIncludedFromTheRootExists) {
  for (const auto& [file, includes] : the_tree())
    for (const auto& include : includes) {
      const bool source =
          include.target.ends_with(".hpp") && !include.target.starts_with("boost/") &&
          !include.target.starts_with("caf/") && !include.target.starts_with("CLI/");
      if (!source) continue;
      EXPECT_TRUE(std::filesystem::exists(support::in_tree(include.target)))
          << include.file << ":" << include.line << ": " << include.target
          << " is not written from the root of the tree";
    }
}

TEST(Arrows, CommonHeadersAreCheapToCompile) {
  const auto counts = readers(the_tree());
  int common = 0;
  for (const auto& [header, count] : counts) {
    if (count <= kManyReaders) continue;
    ++common;
    for (const auto& include : the_tree().at(header))
      EXPECT_FALSE(is_costly(include.target))
          << header << ", which " << count << " sources read, includes " << include.target;
  }
  EXPECT_GT(common, 10) << "the tree was not read";
}

TEST(Arrows, NoHeaderBringsAnUmbrellaHeader) {
  for (const auto& [file, includes] : the_tree()) {
    if (!file.ends_with(".hpp")) continue;
    for (const auto& include : includes)
      for (const auto umbrella : {"caf/all.hpp", "boost/asio.hpp", "boost/beast.hpp",
                                  "boost/beast/http.hpp", "grpcpp/grpcpp.h", "spdlog/spdlog.h"})
        EXPECT_NE(include.target, umbrella) << file << ":" << include.line;
  }
}

// ---- The checker -------------------------------------------------------------------------------

TEST(IncludeLines, AreFoundWithTheirLines) {
  const auto found = includes_of("a.cpp",
                                 "#include <string>\n"
                                 "int x;  // #include \"not/this.hpp\"\n"
                                 "  #  include \"k8s/api/unit.hpp\"  // why\n"
                                 "#include \"last.hpp\"");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].target, "string");
  EXPECT_EQ(found[1].target, "k8s/api/unit.hpp");
  EXPECT_EQ(found[1].line, 3);
  EXPECT_EQ(found[2].target, "last.hpp");
}

TEST(IncludeRules, AFileMayIncludeItsOwnLayerAndThoseBelow) {
  EXPECT_THAT(judge("actors/host/operator.cpp", "actors/host/casting.hpp"), IsEmpty());
  EXPECT_THAT(judge("actors/host/operator.cpp", "engines/agent/gateway.hpp"), IsEmpty());
  EXPECT_THAT(judge("engines/mysql/gateway.cpp", "runtime/clock.hpp"), IsEmpty());
  EXPECT_THAT(judge("k8s/client/http.cpp", "boost/asio/ip/tcp.hpp"), IsEmpty());
}

TEST(IncludeRules, NothingPointsUp) {
  EXPECT_THAT(judge("runtime/actors.cpp", "k8s/store/store.hpp"), HasSubstr("only from runtime"));
  EXPECT_THAT(judge("k8s/sim/server.cpp", "engines/mysql/gateway.hpp"), HasSubstr("k8s/ includes"));
  EXPECT_THAT(judge("engines/agent/wire.cpp", "actors/model/effect.hpp"), HasSubstr("engines/"));
  EXPECT_THAT(judge("actors/unit/decide.cpp", "apps/anything.hpp"), HasSubstr("actors/"));
  EXPECT_THAT(judge("apps/troupe_sim.cpp", "tests/unit/sim/api_testing.hpp"), HasSubstr("apps/"));
}

TEST(IncludeRules, EnginesAndVolumesDoNotKnowEachOther) {
  EXPECT_THAT(judge("engines/mysql/gateway.cpp", "csi/ceph/group.hpp"), HasSubstr("engines/"));
  EXPECT_THAT(judge("csi/ceph/group.cpp", "engines/mysql/gateway.hpp"), HasSubstr("csi/"));
}

TEST(IncludeRules, AModelIncludesModelsOnly) {
  EXPECT_THAT(judge("actors/unit/decide.cpp", "engines/agent/model/command.hpp"), IsEmpty());
  EXPECT_THAT(judge("actors/unit/decide.cpp", "engines/agent/gateway.hpp"), HasSubstr("a model"));
  EXPECT_THAT(judge("actors/unit/decide.cpp", "actors/host/gateways.hpp"), HasSubstr("a model"));
  EXPECT_THAT(judge("k8s/api/unit.hpp", "k8s/store/store.hpp"), HasSubstr("a model"));
  EXPECT_THAT(judge("runtime/model/time.hpp", "runtime/clock.hpp"), HasSubstr("a model"));
}

TEST(IncludeRules, AModelHasNoHeaderOfTheOutsideWorld) {
  for (const auto header :
       {"caf/actor.hpp", "boost/asio/post.hpp", "grpcpp/channel.h", "thread", "mutex", "fstream",
        "random", "unistd.h", "sys/socket.h", "spdlog/spdlog.h", "openssl/rand.h"})
    EXPECT_THAT(judge("actors/unit/decide.cpp", header), HasSubstr("a model has no")) << header;
  for (const auto header : {"string", "chrono", "fmt/format.h", "boost/json.hpp", "openssl/evp.h"})
    EXPECT_THAT(judge("engines/agent/model/digest.cpp", header), IsEmpty()) << header;
}

TEST(Readers, AreCountedThroughOtherHeaders) {
  const Tree tree = {{"a.hpp", {{"a.hpp", 1, "b.hpp"}}},
                     {"b.hpp", {}},
                     {"one.cpp", {{"one.cpp", 1, "a.hpp"}}},
                     {"two.cpp", {{"two.cpp", 1, "b.hpp"}}}};
  const auto counts = readers(tree);
  EXPECT_EQ(counts.at("a.hpp"), 1);
  EXPECT_EQ(counts.at("b.hpp"), 2);
}

}  // namespace
}  // namespace troupe::architecture
