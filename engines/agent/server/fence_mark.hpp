// That the member has fenced itself, kept on the data volume: an agent that starts knows it, and
// closes the member again should it be open.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engines/agent/model/observation.hpp"

namespace troupe::agent {

class FenceMark {
 public:
  explicit FenceMark(std::filesystem::path file) : file_(std::move(file)) {}

  // A mark that cannot be read counts.
  std::optional<FencedStatus> read() const;
  Result<void> write(const FencedStatus& status) const;
  // Before the member is opened: the fence ends with the order, not with its success.
  Result<void> clear() const;

 private:
  std::filesystem::path file_;
};

}  // namespace troupe::agent
