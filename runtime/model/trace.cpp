#include "runtime/model/trace.hpp"

namespace troupe {

std::string_view to_string(CauseType type) {
  switch (type) {
    case CauseType::Start:
      return "start";
    case CauseType::Watch:
      return "watch";
    case CauseType::Timer:
      return "timer";
    case CauseType::Observation:
      return "observation";
    case CauseType::EffectResult:
      return "result";
    case CauseType::Manual:
      return "manual";
  }
  return "start";
}

Cause make_cause(CauseType type, CausalId id, TimePoint at, std::string text) {
  return Cause{
      type, id, at, 0, std::make_shared<const std::string>(std::move(text)), [](const Cause& c) {
        return *static_cast<const std::string*>(c.subject.get());
      }};
}

}  // namespace troupe
