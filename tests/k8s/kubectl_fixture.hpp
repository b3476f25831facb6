// A cluster to run kubectl against: a troupe-sim of its own on a free loopback port, or the cluster
// that TROUPE_CONFORMANCE_KUBECONFIG names, so that the same suite runs against a real server.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/program.hpp"

namespace troupe::sim {

using support::Ran;

class KubectlTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  // Each test has a namespace of its own.
  void SetUp() override;
  void TearDown() override;

  // kubectl in the test's namespace, split at blanks. No quoting: use the vector for the rest.
  Ran kubectl(std::string_view arguments, std::string_view input = {}) const;
  Ran kubectl(const std::vector<std::string>& arguments, std::string_view input = {}) const;
  // The same, and the test fails unless it exits with 0; gives what it printed.
  std::string ok(std::string_view arguments, std::string_view input = {}) const;

  // Creates a config map. Not by `kubectl create configmap`, which speaks protobuf.
  void make_config_map(std::string_view name, std::string_view data = "{}",
                       std::string_view in_namespace = {}) const;

  const std::string& ns() const { return ns_; }
  static const std::string& folder();  // of the suite, for files

 private:
  std::string ns_;
};

}  // namespace troupe::sim
