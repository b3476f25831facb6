// Numbers in network byte order, as wire protocols carry them. Standard library only: it is part of
// the static troupe-supervise, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

// Appends the lowest `bytes` bytes of the value, at most 8, the highest of them first.
inline void put_big_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

// All of `in` as one number, 8 bytes at most; 0 if it is empty.
inline std::uint64_t get_big_endian(std::string_view in) {
  std::uint64_t value = 0;
  for (const char c : in) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace troupe
