#include "runtime/model/utf8.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(Utf8, TextStaysAsItIs) {
  for (const auto* text : {"", "plain", "größer – 大きい 🐬"}) {
    EXPECT_TRUE(is_printable(text));
    EXPECT_EQ(as_printable(text), text);
  }
}

TEST(Utf8, BytesThatAreNoCharacterAreReplacedOneByOne) {
  EXPECT_EQ(as_printable("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(as_printable("a\xE2\x82z"), "a\uFFFD\uFFFDz") << "cut short";
  EXPECT_EQ(as_printable("\xC3\xC3\xB6"), "\uFFFDö") << "the next character is one";
  EXPECT_EQ(as_printable("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "half of a surrogate pair";
  EXPECT_FALSE(is_printable("a\xFFz"));
}

TEST(Utf8, ControlCharactersAreSpaces) {
  EXPECT_EQ(as_printable("two\nlines\tand \x7F"), "two lines and  ");
  EXPECT_FALSE(is_printable("two\nlines"));
}

TEST(Utf8, IsNotCutWithinACharacter) {
  EXPECT_EQ(end_of_character("aö", 1), 1u);
  EXPECT_EQ(end_of_character("aö", 2), 1u);
  EXPECT_EQ(end_of_character("aö", 3), 3u);
  EXPECT_EQ(end_of_character("aö", 100), 3u);
}

}  // namespace
}  // namespace troupe
