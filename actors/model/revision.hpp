// What a key may hold of a value that must not stand in it, such as a password: how often the value
// was another than before, as far as this process has seen.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <utility>

namespace troupe::actors {

template <class T>
class Revision {
 public:
  // The number of this value: the first one is 1, and only another one counts on.
  std::uint32_t of(T value) {
    if (number_ > 0 && value_ == value) return number_;
    value_ = std::move(value);
    return ++number_;
  }
  // Of the value seen last; 0: none yet.
  std::uint32_t number() const { return number_; }

 private:
  T value_{};
  std::uint32_t number_ = 0;
  BOOST_DESCRIBE_CLASS(Revision, (), (), (), (value_, number_))
};

}  // namespace troupe::actors
