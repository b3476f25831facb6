#include "k8s/sim/api/table.hpp"

#include <fmt/format.h>

#include "k8s/sim/api/schema_formats.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kNameDescription =
    "Name must be unique within a namespace. Is required when creating resources, although some "
    "resources may allow a client to request the generation of an appropriate name automatically.";
constexpr std::string_view kAgeDescription =
    "CreationTimestamp is a timestamp representing the server time when this object was created.";

}  // namespace

std::string human_duration(std::chrono::seconds span) {
  const auto s = span.count();
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return fmt::format("{}s", s);
  const auto two = [](std::int64_t major, char a, std::int64_t minor, char b) {
    return minor == 0 ? fmt::format("{}{}", major, a) : fmt::format("{}{}{}{}", major, a, minor, b);
  };
  const auto minutes = s / 60;
  if (minutes < 10) return two(minutes, 'm', s % 60, 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  const auto hours = minutes / 60;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  const auto days = hours / 24;
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return fmt::format("{}d", days);
  if (days < 8 * 365) return two(days / 365, 'y', days % 365, 'd');
  return fmt::format("{}y", days / 365);
}

std::string age_since(std::string_view timestamp, WallTime now) {
  const auto then = parse_rfc3339(timestamp);
  if (!then) return "<unknown>";
  return human_duration(std::chrono::floor<std::chrono::seconds>(now - *then));
}

json::array table_columns(const ResourceType& type) {
  json::array columns;
  for (const auto& c : type.columns) {
    columns.push_back(json::object{{"name", c.name},
                                   {"type", c.type},
                                   {"format", c.format},
                                   {"description", c.description},
                                   {"priority", c.priority}});
  }
  return columns;
}

json::object table_row(const ResourceType& type, const json::object& object, IncludeObject include,
                       WallTime now) {
  json::array cells;
  for (const auto& c : type.columns) cells.push_back(c.cell(object, now));
  json::object row{{"cells", std::move(cells)}};
  if (include == IncludeObject::Metadata) row["object"] = partial_metadata(object);
  if (include == IncludeObject::Object) row["object"] = object;
  return row;
}

json::object partial_metadata(const json::object& object) {
  json::object partial{{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}};
  const auto* metadata = object.if_contains("metadata");
  partial["metadata"] = metadata == nullptr ? json::value(json::object()) : *metadata;
  return partial;
}

Column name_column() {
  return {.name = "Name",
          .format = "name",
          .description = std::string(kNameDescription),
          .cell = [](const json::object& o, WallTime) { return json::value(name_of(o)); }};
}

Column age_column() {
  return {.name = "Age",
          .description = std::string(kAgeDescription),
          .cell = [](const json::object& o, WallTime now) {
            return json::value(age_since(string_at(o, "metadata.creationTimestamp"), now));
          }};
}

Column path_column(std::string name, std::string path, int priority, std::string_view missing) {
  return {.name = std::move(name),
          .priority = priority,
          .cell = [path = std::move(path), missing = std::string(missing)](
                      const json::object& o, WallTime) -> json::value {
            const auto* value = find(o, path);
            if (value == nullptr || value->is_null()) return json::value(missing);
            return value->is_string() || value->is_number() ? *value
                                                            : json::value(json::serialize(*value));
          }};
}

}  // namespace troupe::sim
