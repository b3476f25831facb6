#include "tests/unit/architecture/symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace troupe::architecture {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The libraries that decide() is linked from; the build says where they are.
std::vector<Symbol> model_symbols() {
  std::vector<Symbol> all;
  std::istringstream files(TROUPE_MODEL_LIBRARIES);
  for (std::string file; std::getline(files, file, ':');) {
    auto some = symbols_of(TROUPE_NM, file);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<std::string> impurities_of(const std::vector<Symbol>& symbols) {
  std::set<std::string> out;
  for (const auto& s : symbols)
    if (auto why = s.defined ? std::string() : impurity(s.name); !why.empty())
      out.insert(s.object + ": " + why);
  return {out.begin(), out.end()};
}

// ---- The models --------------------------------------------------------------------------------

TEST(Purity, ModelsCallNothingButMemoryTextAndArithmetic) {
  const auto symbols = model_symbols();
  EXPECT_GT(symbols.size(), 5000U) << "the libraries were not read";
  EXPECT_THAT(impurities_of(symbols), IsEmpty());
}

TEST(Purity, ModelsCallNothingOfTheShells) {
  EXPECT_THAT(undefined_of_ours(model_symbols()), IsEmpty());
}

// ---- The checker -------------------------------------------------------------------------------

TEST(PurityRules, RefuseTheOutsideWorldInC) {
  for (const auto name : {"clock_gettime", "time", "getenv", "rand", "getrandom", "RAND_bytes",
                          "open", "fopen", "read", "socket", "connect", "pthread_create",
                          "pthread_mutex_lock", "nanosleep", "usleep", "poll", "getpid", "fork"})
    EXPECT_THAT(impurity(name), HasSubstr(name));
}

TEST(PurityRules, RefuseTheOutsideWorldInCpp) {
  EXPECT_THAT(impurity("_ZNSt6chrono3_V212steady_clock3nowEv"), HasSubstr("steady_clock::now"));
  EXPECT_THAT(impurity("_ZNSt6chrono3_V212system_clock3nowEv"), HasSubstr("system_clock::now"));
  EXPECT_THAT(impurity("_ZNSt13random_device9_M_getvalEv"), HasSubstr("random_device"));
  EXPECT_THAT(impurity("_ZNSt6thread4joinEv"), HasSubstr("thread"));
  EXPECT_THAT(impurity("_ZSt4cout"), HasSubstr("cout"));
  EXPECT_THAT(impurity("_ZNSt13basic_filebufIcSt11char_traitsIcEE5closeEv"), HasSubstr("filebuf"));
}

TEST(PurityRules, RefuseLibrariesThatTheyDoNotKnow) {
  EXPECT_THAT(impurity("_ZN3caf12actor_systemD1Ev"), HasSubstr("no library"));
  EXPECT_THAT(impurity("_ZN6spdlog4drop"), Not(IsEmpty()));
}

TEST(PurityRules, AllowMemoryTextAndArithmetic) {
  for (const auto name : {"memcpy", "_Znwm", "_ZdlPvm", "__cxa_throw", "__udivti3",
                          "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE7reserveEm",
                          "_ZSt20__throw_length_errorPKc", "__asan_report_load8"})
    EXPECT_THAT(impurity(name), IsEmpty()) << name;
}

TEST(PurityRules, FindWhatOnlyAShellDefines) {
  const auto symbols = parse_symbols(
      "lib.a[decide.o]: _ZN6troupe6actors6decideEv T 0 10\n"
      "lib.a[decide.o]: _ZN6troupe5modelEv U\n"
      "lib.a[decide.o]: _ZN6troupe5shellEv U\n"
      "lib.a[decide.o]: memcpy U\n"
      "lib.a[model.o]: _ZN6troupe5modelEv T 0 10\n");
  EXPECT_THAT(symbols, Contains(::testing::Field(&Symbol::name, "memcpy")));
  const auto missing = undefined_of_ours(symbols);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_THAT(*missing.begin(), HasSubstr("troupe::shell(), used by lib.a[decide.o]"));
}

// bad/impure.cpp does on purpose what no model may: nm and the rules must see it.
TEST(PurityRules, SeeTheImpureObjectThatTheBuildMakes) {
  const auto found = impurities_of(symbols_of(TROUPE_NM, TROUPE_IMPURE_LIBRARY));
  EXPECT_THAT(found, Contains(HasSubstr("getenv")));
  EXPECT_THAT(found, Contains(HasSubstr("steady_clock::now")));
  EXPECT_THAT(found, Contains(HasSubstr("random_device")));
}

}  // namespace
}  // namespace troupe::architecture
