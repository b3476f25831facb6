// The JSONPath of printer columns: `.spec.replicas`,
// `.status.conditions[?(@.type=="Ready")].status`,
// `.metadata.labels['a.b/c']`, `.list[0]`, `.list[*].name`. Compiled once, then evaluated often.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "k8s/sim/api/object.hpp"

namespace troupe::sim {

class JsonPath {
 public:
  // Nothing when the text is not understood.
  static std::optional<JsonPath> parse(std::string_view text);
  std::vector<const json::value*> evaluate(const json::object& root) const;

 private:
  struct Member {
    std::string name;
  };
  struct Index {
    std::ptrdiff_t position = 0;
  };
  struct Each {};
  struct Filter {  // items whose member equals a value, or has it at all
    std::vector<std::string> member;
    std::optional<json::value> value;
    bool equal = true;
  };
  using Step = std::variant<Member, Index, Each, Filter>;

  static std::optional<Step> parse_bracket(std::string_view inside);
  static std::optional<Step> parse_filter(std::string_view inside);
  using Found = std::vector<const json::value*>;
  static void take_member(const Step& step, const json::object& from, Found& into);
  static void take_item(const Step& step, const json::array& from, Found& into);

  std::vector<Step> steps_;
};

}  // namespace troupe::sim
