// kubectl as a program, as a person uses it. Blocks; each call has a deadline.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::oracle {

struct Ran {
  int status = 0;
  std::string out;  // standard output
  std::string err;
};

// Runs a program found on the path, killed at the deadline (status 124 then). `in` is its input.
Ran run(const std::vector<std::string>& argv, std::chrono::seconds deadline,
        const std::string& in = {});

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

// Asks again every 100 ms until it is true or the deadline has passed.
bool eventually(std::chrono::milliseconds deadline, const std::function<bool()>& condition);

}  // namespace troupe::oracle
