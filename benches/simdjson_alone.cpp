#include "benches/simdjson_alone.hpp"

namespace troupe::bench {
namespace {

namespace ondemand = simdjson::ondemand;

std::uint64_t read_all(ondemand::value value) {
  std::uint64_t sum = 0;
  switch (value.type()) {
    case ondemand::json_type::object:
      for (auto field : value.get_object())
        sum += std::string_view(field.unescaped_key()).size() + read_all(field.value());
      return sum;
    case ondemand::json_type::array:
      for (auto item : value.get_array()) sum += read_all(item.value());
      return sum;
    case ondemand::json_type::string:
      return std::string_view(value.get_string()).size();
    case ondemand::json_type::number:
      return static_cast<std::uint64_t>(value.get_int64());
    case ondemand::json_type::boolean:
      return value.get_bool() ? 1 : 0;
    case ondemand::json_type::null:
      return 0;
  }
  return 0;
}

}  // namespace

std::uint64_t pick_fields(ondemand::parser& parser, std::string_view line, std::size_t capacity) {
  ondemand::document document = parser.iterate(line.data(), line.size(), capacity);
  std::uint64_t sum = std::string_view(document["type"]).size();
  for (auto part : document["object"].get_object()) {
    const ondemand::raw_json_string key = part.key();
    if (key == "metadata") {
      for (auto field : part.value().get_object())
        if (field.key() != "managedFields") sum += read_all(field.value());
    } else if (key == "spec" || key == "status") {
      sum += read_all(part.value());
    }
  }
  return sum;
}

}  // namespace troupe::bench
