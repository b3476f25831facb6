// A sorted set of 32-bit ids that is small when it holds few: 16 bytes for up to two, as nearly all
// entries of the store's and the router's indices do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace troupe::k8s::internal {

class IdList {
 public:
  using Id = std::uint32_t;
  using value_type = Id;
  using const_iterator = const Id*;

  IdList() = default;
  IdList(const IdList&) = delete;
  IdList& operator=(const IdList&) = delete;
  IdList(IdList&& other) noexcept { swap(other); }
  IdList& operator=(IdList&& other) noexcept {
    swap(other);
    return *this;
  }
  ~IdList() {
    if (is_large()) delete[] large_;
  }

  const Id* begin() const { return is_large() ? large_ : small_; }
  const Id* end() const { return begin() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // False if it is there already.
  bool insert(Id id) {
    const std::size_t at = static_cast<std::size_t>(std::lower_bound(begin(), end(), id) - begin());
    if (at < size_ && begin()[at] == id) return false;
    if (size_ == capacity_) grow();
    Id* ids = data();
    std::memmove(ids + at + 1, ids + at, (size_ - at) * sizeof(Id));
    ids[at] = id;
    ++size_;
    return true;
  }

  // False if it is not there.
  bool erase(Id id) {
    Id* ids = data();
    Id* at = std::lower_bound(ids, ids + size_, id);
    if (at == ids + size_ || *at != id) return false;
    std::memmove(at, at + 1, static_cast<std::size_t>(ids + size_ - at - 1) * sizeof(Id));
    --size_;
    return true;
  }

 private:
  static constexpr std::uint32_t kInline = 2;

  bool is_large() const { return capacity_ > kInline; }
  Id* data() { return is_large() ? large_ : small_; }

  void grow() {
    const std::uint32_t capacity = capacity_ * 2;
    Id* larger = new Id[capacity];
    std::memcpy(larger, data(), size_ * sizeof(Id));
    if (is_large()) delete[] large_;
    large_ = larger;
    capacity_ = capacity;
  }

  void swap(IdList& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    char bytes[sizeof(small_)];
    std::memcpy(bytes, small_, sizeof(bytes));
    std::memcpy(small_, other.small_, sizeof(bytes));
    std::memcpy(other.small_, bytes, sizeof(bytes));
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = kInline;
  union {
    Id small_[kInline] = {};
    Id* large_;
  };
};
static_assert(sizeof(IdList) == 16);

}  // namespace troupe::k8s::internal
