#include "k8s/client/line_splitter.hpp"

#include <cstring>
#include <utility>

#include "k8s/client/transport.hpp"

namespace troupe::k8s {
namespace {

// A reused string that once held a huge line gives its memory back.
constexpr std::size_t kKeepCapacity = std::size_t{256} << 10;

}  // namespace

bool LineSplitter::feed(std::string_view fragment) {
  while (!fragment.empty()) {
    const void* found = std::memchr(fragment.data(), '\n', fragment.size());
    if (found == nullptr) {
      if (partial_.size() + fragment.size() > max_line_) return false;
      partial_.append(fragment);
      return true;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - fragment.data());
    const auto line = fragment.substr(0, length);
    fragment.remove_prefix(length + 1);
    if (partial_.size() + line.size() > max_line_) return false;
    if (partial_.empty()) {
      if (!line.empty()) lines_.push_back(line);
    } else {
      partial_.append(line);
      finish_partial();
    }
  }
  return true;
}

void LineSplitter::finish_partial() {
  if (assembled_used_ == assembled_.size()) assembled_.emplace_back();
  // Short strings live inside the std::string object; the reserve moves them to the heap, where
  // they stay put when the vector grows.
  partial_.reserve(partial_.size() + kJsonPadding);
  auto& slot = assembled_[assembled_used_++];
  std::swap(slot, partial_);
  partial_.clear();
  lines_.push_back(slot);
}

void LineSplitter::clear() {
  lines_.clear();
  for (std::size_t i = 0; i < assembled_used_; ++i) {
    if (assembled_[i].capacity() > kKeepCapacity) std::string().swap(assembled_[i]);
  }
  assembled_used_ = 0;
}

}  // namespace troupe::k8s
