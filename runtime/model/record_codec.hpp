// Records as bytes: what a history keeps of a run takes a fifth of what the struct does, in one
// piece. For the memory of this process only: the form is no contract. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/model/trace.hpp"

namespace troupe {

// Texts are cut there, with an ellipsis: a record's size has a bound per cause, guard and effect.
inline constexpr std::size_t kMaxRecordText = 1024;

// All of a record but its actor, `quiet_runs` and `last_quiet`, which whoever keeps it keeps
// beside.
std::string encode(const Record& record);
// `bytes` are from encode().
Record decode(std::string_view bytes);

}  // namespace troupe
