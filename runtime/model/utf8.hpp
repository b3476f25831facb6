// Text that others have written, whose bytes may be anything: what is passed on in JSON has to be
// UTF-8. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

// Well-formed UTF-8 without control characters.
bool is_printable(std::string_view text);

// That, of any bytes: U+FFFD for what is no character, spaces for control characters.
std::string as_printable(std::string_view text);

// Where to cut at `at` bytes at most: not within a character.
std::size_t end_of_character(std::string_view text, std::size_t at);

}  // namespace troupe
