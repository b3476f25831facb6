// What decoding is measured against: simdjson alone, on the same bytes, picking the same fields.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::bench {

// Reads of a watch event what the decoder reads of it: all but apiVersion, kind and managedFields.
// Every text is unescaped and every number parsed; the sum of them is there to be used, so that
// nothing is optimized away. `capacity` counts the bytes behind `line` that may be read.
std::uint64_t pick_fields(simdjson::ondemand::parser& parser, std::string_view line,
                          std::size_t capacity);

}  // namespace troupe::bench
