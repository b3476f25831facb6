#include "runtime/model/big_endian.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::string_view_literals;

TEST(BigEndian, PutsTheHighestByteFirstAndOnlyAsManyAsAreAskedFor) {
  std::string out;
  put_big_endian(out, 0x01020304, 4);
  put_big_endian(out, 0xabcdef, 2);
  EXPECT_EQ(out, "\x01\x02\x03\x04\xcd\xef");
}

TEST(BigEndian, GetsBackWhatWasPut) {
  std::string out;
  put_big_endian(out, 0xfedcba9876543210, 8);
  EXPECT_EQ(get_big_endian(out), 0xfedcba9876543210);
  EXPECT_EQ(get_big_endian("\x80\x00"sv), 0x8000U) << "bytes have no sign";
  EXPECT_EQ(get_big_endian(""), 0U);
}

}  // namespace
}  // namespace troupe
