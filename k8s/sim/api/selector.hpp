// Label and field selectors of list, watch and deletecollection.
//
// Grammar and meaning as k8s.io/apimachinery: requirements joined by commas, all must hold; a label
// that is missing satisfies != and notin. Immutable once parsed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

class LabelSelector {
 public:
  enum class Operator { In, NotIn, Exists, Missing, Greater, Less };
  struct Requirement {
    std::string key;
    Operator op = Operator::Exists;
    std::vector<std::string> values;
  };

  // "a=b,c!=d,e in (f,g),!h"; empty matches everything.
  static ApiResult<LabelSelector> parse(std::string_view text);
  // A metav1.LabelSelector: matchLabels and matchExpressions.
  static LabelSelector from_object(const json::object& selector);

  bool empty() const { return requirements_.empty(); }
  bool matches(const json::object* labels) const;
  bool matches_object(const json::object& object) const;

 private:
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  struct Requirement {
    std::string field;
    std::string value;
    bool equal = true;
  };

  // "metadata.name=a,status.phase!=Running".
  static ApiResult<FieldSelector> parse(std::string_view text);

  bool empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  // Absent fields count as "", and numbers and booleans by their text.
  bool matches(const json::object& object) const;
  // The name that an object must have to match; empty when several could.
  std::string_view required_name() const;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace troupe::sim
