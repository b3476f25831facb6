// Kubernetes quantities: "100m", "1.5Gi", "1e3".
//
// Held as an integer number of nano-units, which is the finest that the API keeps. Magnitudes
// beyond 2^127 nanos saturate. Format and canonical form: k8s.io/apimachinery resource.Quantity.
#pragma once

#include <boost/json/fwd.hpp>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::sim {

class Quantity {
 public:
  static std::optional<Quantity> parse(std::string_view text);
  static Quantity from_nanos(__int128 nanos) { return Quantity(nanos, Suffix::Decimal); }

  __int128 nanos() const { return nanos_; }
  int sign() const { return nanos_ < 0 ? -1 : nanos_ > 0; }
  bool is_integer() const;
  double as_double() const;
  // The largest suffix that leaves an integer, in the family the text was written in.
  std::string canonical() const;

  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
    return a.nanos_ <=> b.nanos_;
  }
  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nanos_ == b.nanos_; }

 private:
  enum class Suffix { Decimal, Binary, Exponent };

  Quantity(__int128 nanos, Suffix suffix) : nanos_(nanos), suffix_(suffix) {}

  __int128 nanos_ = 0;
  Suffix suffix_ = Suffix::Decimal;
};

// The canonical text of a JSON string or number that is a quantity; nothing when it is none.
std::optional<std::string> canonical_quantity(const boost::json::value& value);

}  // namespace troupe::sim
