#include "engines/mysql/model/uuid.hpp"

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <stdexcept>

namespace troupe::mysql {

std::optional<Uuid> parse_uuid(std::string_view text) {
  constexpr std::size_t kLength = 36;  // the generator would take shorter forms and braces too
  if (text.size() != kLength) return std::nullopt;
  try {
    return boost::uuids::string_generator{}(text.begin(), text.end());
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

std::string to_string(const Uuid& uuid) { return boost::uuids::to_string(uuid); }

}  // namespace troupe::mysql
