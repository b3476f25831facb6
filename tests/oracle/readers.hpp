// Clients that read the newest row all the time, each over one connection, and remember what they
// were shown.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/oracle/rows.hpp"

namespace troupe::oracle {

class Readers {
 public:
  // One for each address.
  explicit Readers(std::vector<Address> addresses);
  ~Readers();

  void start();
  void stop();

  std::uint64_t reads() const;
  // Shown, and not among these.
  std::uint64_t missing_in(const Rows& rows) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::oracle
