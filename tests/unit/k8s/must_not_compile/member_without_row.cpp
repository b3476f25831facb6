#include "k8s/api/encode.hpp"

namespace troupe::k8s {

struct Volume {
  Text name;
  Text size;
};
BOOST_DESCRIBE_STRUCT(Volume, (), (name, size))
template <>
struct Schema<Volume> {
  static constexpr std::string_view kDoc = "A volume.";
  static constexpr Field kFields[] = {{.name = "name", .doc = "Its name."}};
};

std::string text = to_json_text(Volume{});

}  // namespace troupe::k8s
