#include "runtime/model/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <new>
#include <ostream>
#include <span>

namespace troupe {
namespace {

constexpr std::string_view kShort = "s3cr3t-short";  // lives inside the string object

// The bytes of an object in storage that outlives it.
class Storage {
 public:
  template <class... Args>
  Secret* construct(Args&&... args) {
    return new (bytes_) Secret(std::forward<Args>(args)...);
  }
  bool holds(std::string_view text) const {
    const auto* begin = reinterpret_cast<const char*>(bytes_);
    return std::search(begin, begin + sizeof bytes_, text.begin(), text.end()) !=
           begin + sizeof bytes_;
  }

 private:
  alignas(Secret) std::byte bytes_[sizeof(Secret)]{};
};

TEST(Secret, AMovedFromSecretKeepsNoBytes) {
  Storage storage;
  Secret* secret = storage.construct(std::string(kShort));
  ASSERT_TRUE(storage.holds("3cr3t"));
  const Secret taken = std::move(*secret);
  EXPECT_FALSE(storage.holds("3cr3t"));
  EXPECT_EQ(taken.reveal(), kShort);
  secret->~Secret();
}

TEST(Secret, AssignmentLeavesNothingOfTheOldValue) {
  Storage storage;
  Secret* secret = storage.construct(std::string(kShort));
  const Secret other(std::string("x"));
  *secret = other;
  EXPECT_EQ(secret->reveal(), "x");
  EXPECT_FALSE(storage.holds("3cr3t"));
  *secret = *&*secret;
  EXPECT_EQ(secret->reveal(), "x");
  secret->~Secret();
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>);
static_assert(!std::convertible_to<Secret, std::string>);
static_assert(!std::equality_comparable_with<Secret, std::string>);

}  // namespace
}  // namespace troupe
