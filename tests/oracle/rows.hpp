// The rows that clients write, each with a name of its own, and which of them a member has.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace troupe::oracle {

struct Address {
  std::string host;  // an IP address, or the path of a Unix socket
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
};

using RowName = std::uint64_t;
constexpr RowName row_name(std::uint64_t writer, std::uint64_t number) {
  return (writer << 48) | number;
}

struct Rows {
  std::unordered_map<RowName, int> times;  // each is there
  std::uint64_t count = 0;
  std::uint64_t doubled = 0;  // there more than once
  std::string error;          // they could not be read
};
// Blocks.
Rows read_rows(const Address& member);

}  // namespace troupe::oracle
