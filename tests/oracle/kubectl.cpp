#include "tests/oracle/kubectl.hpp"

namespace troupe::oracle {

Ran Kubectl::operator()(std::vector<std::string> arguments, std::chrono::seconds deadline,
                        const std::string& in) const {
  arguments.insert(arguments.begin(), {"kubectl", "--kubeconfig", kubeconfig_});
  return run(arguments, deadline, in);
}

boost::json::object Kubectl::get(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "get");
  arguments.insert(arguments.end(), {"-o", "json"});
  const auto ran = (*this)(std::move(arguments));
  boost::system::error_code ec;
  auto value = boost::json::parse(ran.out, ec);
  return !ec && value.is_object() ? std::move(value.as_object()) : boost::json::object{};
}

std::string text_at(const boost::json::value& value, std::string_view pointer) {
  boost::system::error_code ec;
  const auto* found = value.find_pointer(pointer, ec);
  if (!found || ec) return {};
  return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

}  // namespace troupe::oracle
