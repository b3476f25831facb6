// The Common Expression Language, as far as validation rules of CRDs use it.
//
// compile() parses and checks: an unknown function, an undeclared variable or field, or operands
// that no overload takes refuse the rule. evaluate() runs over JSON without side effects and is
// bounded by a step limit. A Program is immutable; any thread may evaluate it.
// Language: github.com/google/cel-spec with its string, set and optional extensions; libraries of
// Kubernetes: lists, regex, url, quantity. Not there (and refused by name): ip, cidr, semver,
// format, authorizer, macros of two variables.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "k8s/sim/api/cel_type.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim::cel {

// A rule may take this many evaluation steps; the real server's budget is about as many element
// visits, and a rule beyond it is refused by both.
inline constexpr std::size_t kStepLimit = 1'000'000;

// Names and types that an expression may use: {"self": ..., "oldSelf": ...}.
using Environment = std::map<std::string, TypePtr, std::less<>>;

// Values of the environment's names. A null pointer means optional.none() where the type is
// Optional (oldSelf of a rule with optionalOldSelf), and otherwise is an error to read.
using Bindings = std::map<std::string, const boost::json::value*, std::less<>>;

class Program {
 public:
  // Errors are Code::Invalid and read like the real compiler's:
  // `ERROR: <input>:1:6: undefined field 'foo'` with the source line and a marker below.
  static Result<std::shared_ptr<const Program>> compile(std::string_view source,
                                                        const Environment& environment);
  ~Program();

  const Type& result_type() const;
  // Whether the expression reads this name.
  bool uses(std::string_view name) const;

  // Errors are Code::Invalid: "no such key: foo", "no such overload", or the step limit.
  Result<bool> evaluate_bool(const Bindings& bindings) const;
  Result<std::string> evaluate_string(const Bindings& bindings) const;
  // Any result as JSON, for tests; timestamps and the like as their text.
  Result<boost::json::value> evaluate(const Bindings& bindings) const;

 private:
  struct Impl;
  explicit Program(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace troupe::sim::cel
