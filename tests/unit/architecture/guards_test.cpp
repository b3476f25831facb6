// Whoever reads a guard finds it in docs/operations.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tests/support/tree.hpp"

namespace troupe::architecture {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Rules as they are written where guards are made: the first name in a call of hold(), at the
// beginning of a Guard, as a constant of the plan's, or returned on a condition.
std::set<std::string> rules_in(const std::string& source) {
  static const std::regex kMade(R"x((?:hold\([^";]*|\{\s*|\) return )"([A-Z][A-Za-z]+)"[,;): ])x");
  static const std::regex kNamed(R"x(constexpr std::string_view k\w+ = "([A-Z][A-Za-z]+)";)x");
  std::set<std::string> rules;
  for (const auto* form : {&kMade, &kNamed})
    for (std::sregex_iterator it(source.begin(), source.end(), *form), end; it != end; ++it)
      rules.insert((*it)[1]);
  return rules;
}

std::set<std::string> rules_of_the_tree() {
  std::set<std::string> rules;
  for (const auto* folder : {"mysql_topology", "mysql_group", "mysqlreplication"})
    for (const auto& entry :
         fs::directory_iterator(support::in_tree(std::string("actors/") + folder)))
      rules.merge(rules_in(text_of(entry.path())));
  // Names of conditions, of the kind, and of a condition that nothing holds.
  for (const auto* other :
       {"Progressing", "TopologyReady", "ResourceReady", "OrderObeyed", "MysqlReplication"})
    rules.erase(other);
  return rules;
}

TEST(Guards, AreFoundWhereTheyAreMade) {
  EXPECT_THAT(rules_in("plan.hold(\"One\", text);"), ::testing::ElementsAre("One"));
  EXPECT_THAT(rules_in("plan.hold(why(m, \"One\", now), *text);"), ::testing::ElementsAre("One"));
  EXPECT_THAT(rules_in("return {{\"One\", text, {}}};"), ::testing::ElementsAre("One"));
  EXPECT_THAT(rules_in("plan.notes.push_back({true, \"Event\", text});"), ::testing::IsEmpty());
  EXPECT_GT(rules_of_the_tree().size(), 50U) << "the tree was not read";
}

TEST(Guards, AreNamedInTheDocumentation) {
  const auto docs = text_of(support::in_tree("docs/operations.md"));
  for (const auto& rule : rules_of_the_tree())
    EXPECT_NE(docs.find("`" + rule + "`"), docs.npos) << rule << " is not in docs/operations.md";
}

}  // namespace
}  // namespace troupe::architecture
