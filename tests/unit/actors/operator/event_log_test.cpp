// What the operator tells of an object stands in its log, too.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "runtime/logging.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/actors/operator/operator_fixture.hpp"

namespace troupe::actors {
namespace {

namespace json = boost::json;
using support::eventually;

class OperatorEventLog : public OperatorTest {
 protected:
  ~OperatorEventLog() override { std::filesystem::remove(path_); }

  // The first event of a UnitSet that the log has.
  std::optional<json::object> line() const {
    std::ifstream file(path_);
    for (std::string text; std::getline(file, text);) {
      boost::system::error_code half_written;
      const auto value = json::parse(text, half_written);
      if (half_written || value.at("msg") != "event" || value.at("kind") != "UnitSet") continue;
      return value.as_object();
    }
    return std::nullopt;
  }

  const std::string path_ =
      testing::TempDir() + "troupe-operator-" + std::to_string(::getpid()) + ".log";
};

TEST_F(OperatorEventLog, TellsWhatHoldsAnObjectBackWithTheChainThatTheConsoleKnows) {
  const log::Logging logging({.format = log::Format::Json, .file = path_});
  const auto one = start(options());
  make_a_set();
  std::optional<json::object> found;
  ASSERT_TRUE(eventually([&] { return (found = line()).has_value(); }));
  EXPECT_EQ(found->at("level"), "warning");
  EXPECT_EQ(found->at("object"), "default/db");
  EXPECT_FALSE(found->at("reason").as_string().empty());
  EXPECT_FALSE(found->at("message").as_string().empty());
  // The line is written in the run that tells of it, which ends before it is history.
  std::string chain;
  EXPECT_TRUE(eventually([&] {
    const auto answer = ask(*one, "/api/causal/" + std::string(found->at("chain").as_string()));
    chain = answer.body();
    return answer.result_int() == 200 && chain.find("event ") != std::string::npos;
  })) << chain;
}

}  // namespace
}  // namespace troupe::actors
