// kubectl as a program, as a person uses it. Blocks; each call has a deadline.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/program.hpp"

namespace troupe::oracle {

using support::eventually;
using support::Ran;
using support::run;

class Kubectl {
 public:
  explicit Kubectl(std::string kubeconfig) : kubeconfig_(std::move(kubeconfig)) {}

  Ran operator()(std::vector<std::string> arguments,
                 std::chrono::seconds deadline = std::chrono::seconds(30),
                 const std::string& in = {}) const;
  // `get ... -o json`; an empty object if there is none.
  boost::json::object get(std::vector<std::string> arguments) const;

 private:
  std::string kubeconfig_;
};

// The text at a JSON pointer, or empty.
std::string text_at(const boost::json::value& value, std::string_view pointer);

}  // namespace troupe::oracle
