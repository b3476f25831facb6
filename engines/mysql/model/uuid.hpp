// The identity that a MySQL server keeps in auto.cnf and stamps on its transactions: @@server_uuid.
//
// A value of 16 bytes, ordered by its bytes, which is also the order in which the server prints
// the UUIDs of a GTID set.
#pragma once

#include <boost/uuid/uuid.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::mysql {

using Uuid = boost::uuids::uuid;

// Only the form with four hyphens, in either case: the one that servers print.
std::optional<Uuid> parse_uuid(std::string_view text);
// Lower case with hyphens.
std::string to_string(const Uuid& uuid);

}  // namespace troupe::mysql
