#include "runtime/logging.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::log {
namespace {

TEST(LogText, QuotesOnlyWhatWouldBreakThePair) {
  EXPECT_EQ(render_text("pod deleted", {{"pod", "default/db-0"}, {"took_ms", 12}}),
            "msg=\"pod deleted\" pod=default/db-0 took_ms=12");
  EXPECT_EQ(render_text("m", {{"a", "x y"}, {"b", "k=v"}, {"c", ""}, {"d", true}}),
            "msg=m a=\"x y\" b=\"k=v\" c=\"\" d=true");
}

TEST(LogText, NoValueCanForgeALine) {
  EXPECT_EQ(render_text("m", {{"a", "x\nts=1 level=error\x1b[31m"}}),
            "msg=m a=\"x\\nts=1 level=error\\x1b[31m\"");
}

TEST(LogJson, NumbersStandBareAndTextIsEscaped) {
  EXPECT_EQ(render_json("m", {{"a", "q\"\n"}, {"n", -3}, {"f", 0.5}, {"b", false}}),
            "\"msg\":\"m\",\"a\":\"q\\\"\\n\",\"n\":-3,\"f\":0.5,\"b\":false");
  EXPECT_EQ(render_json("m", {{"n", std::nan("")}}), "\"msg\":\"m\",\"n\":null");
}

template <class Value>
concept CanBeLogged = requires(Value value) {
  Field("key", value);
};

TEST(LogField, ASecretIsNoValue) {
  static_assert(CanBeLogged<std::string>);
  static_assert(CanBeLogged<int>);
  static_assert(!CanBeLogged<Secret>);
}

TEST(LogLevel, NamesAreParsedAndNonsenseIsExplained) {
  EXPECT_EQ(parse_level("warn").value(), Level::Warn);
  EXPECT_NE(parse_level("loud").error().message.find("debug, info, warn or error"),
            std::string::npos);
  EXPECT_EQ(parse_format("json").value(), Format::Json);
  EXPECT_FALSE(parse_format("xml"));
}

class LogFile : public testing::Test {
 protected:
  LogFile()
      : path_(std::filesystem::path(testing::TempDir()) /
              ("troupe-log-" + std::to_string(getpid()) + ".log")) {}
  ~LogFile() override { std::filesystem::remove(path_); }

  std::string content() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }

  std::filesystem::path path_;
};

TEST_F(LogFile, HoldsTheLinesOfItsLevelAndAbove) {
  {
    const Logging logging({.level = Level::Warn, .file = path_});
    EXPECT_FALSE(enabled(Level::Info));
    info("not this", {});
    warn("but this", {{"k", "v"}});
    EXPECT_EQ(logging.dropped(), 0u);
  }
  const auto text = content();
  EXPECT_EQ(text.find("not this"), std::string::npos);
  EXPECT_NE(text.find(" level=warning msg=\"but this\" k=v\n"), std::string::npos) << text;
  EXPECT_TRUE(text.starts_with("ts=2")) << text;
}

TEST_F(LogFile, EveryJsonLineParsesEvenThoseOfOtherLibraries) {
  {
    const Logging logging({.format = Format::Json, .file = path_});
    info("ours", {{"n", 1}});
    spdlog::error("theirs \"quoted\"");
  }
  std::istringstream lines(content());
  std::string line;
  std::getline(lines, line);
  const auto ours = boost::json::parse(line);
  EXPECT_EQ(ours.at("msg"), "ours");
  EXPECT_EQ(ours.at("level"), "info");
  EXPECT_EQ(ours.at("n"), 1);
  std::getline(lines, line);
  EXPECT_EQ(boost::json::parse(line).at("msg"), "theirs \"quoted\"");
}

}  // namespace
}  // namespace troupe::log
