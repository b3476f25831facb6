#include "engines/agent/server/certificate_files.hpp"

#include <fstream>

#include "engines/agent/model/digest.hpp"
#include "tests/unit/agent/scratch.hpp"

namespace troupe::agent {
namespace {

using namespace std::chrono_literals;

class Files : public testing::Test {
 protected:
  void write(const char* name, std::string_view text) { std::ofstream(scratch_ / name) << text; }

  test::Scratch scratch_;
  CertificateFiles files_{scratch_.path()};
  CertificateFiles::Time now_{1h};
};

TEST_F(Files, WhatIsNotThereIsNotInEffect) {
  write("ca.crt", "a");
  EXPECT_FALSE(files_.look(now_));
}

TEST_F(Files, TheFirstOnesCountAtOnce) {
  write("ca.crt", "a");
  write("tls.crt", "b");
  const auto found = files_.look(now_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->trusted, sha256_hex("a"));
  EXPECT_EQ(found->shown, sha256_hex("b"));
}

TEST_F(Files, AChangeCountsWhenItHasRestedForTwoRefreshes) {
  write("ca.crt", "a");
  write("tls.crt", "b");
  ASSERT_TRUE(files_.look(now_));
  write("ca.crt", "a2");
  EXPECT_FALSE(files_.look(now_ += 1s));
  write("tls.crt", "b2");
  EXPECT_FALSE(files_.look(now_ += 1s)) << "changed again";
  EXPECT_FALSE(files_.look(now_ += 2 * CertificateFiles::kRefresh));
  EXPECT_TRUE(files_.look(now_ += 1s));
}

}  // namespace
}  // namespace troupe::agent
