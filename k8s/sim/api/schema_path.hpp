// Where in an object a walk is: "spec.ports[0].name". One text that grows and shrinks with the
// walk: most walks find nothing to report, and a text for every value would be most of what they
// cost.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace troupe::sim {

class SchemaPath {
 public:
  // One step down, until it goes out of scope.
  class [[nodiscard]] Step {
   public:
    Step(std::string& text, std::size_t before) : text_(text), before_(before) {}
    ~Step() { text_.resize(before_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& text_;
    std::size_t before_;
  };

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  // ".name"
  Step member(std::string_view name) {
    const auto before = text_.size();
    if (before > 0) text_ += '.';
    text_ += name;
    return {text_, before};
  }
  // "[name]", of a map.
  Step entry(std::string_view name) {
    const auto before = text_.size();
    text_.append("[").append(name).append("]");
    return {text_, before};
  }
  // "[0]"
  Step item(std::size_t i) {
    const auto before = text_.size();
    fmt::format_to(std::back_inserter(text_), "[{}]", i);
    return {text_, before};
  }

 private:
  std::string text_;
};

}  // namespace troupe::sim
