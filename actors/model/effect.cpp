#include "actors/model/effect.hpp"

#include <fmt/format.h>

#include <functional>

namespace troupe::actors {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

void combine(std::size_t& seed, std::string_view text) {
  seed ^= std::hash<std::string_view>{}(text) + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

}  // namespace

std::string message_of(const EmitEvent& event) {
  if (event.warning || event.before.empty()) return event.text;
  const bool several = event.before.find(',') != event.before.npos;
  return fmt::format("{} {} over: {}", event.before, several ? "are" : "is", event.text);
}

std::string describe(const Effect& e) {
  return std::visit(
      Overloaded{
          [](const AskAgent& a) {
            return fmt::format("ask the agent of {}: {} (epoch {})", a.endpoint.unit,
                               agent::name_of(a.action), a.epoch.value);
          },
          [](const EmitEvent& a) { return fmt::format("event {}: {}", a.reason, message_of(a)); },
          [&e](const Apply& a) {
            return fmt::format(
                "{}{}, {} bytes{}", e.key, a.status ? " (status)" : "", a.body.size(),
                a.expected ? fmt::format(", if at version {}", a.expected.value) : std::string());
          },
          [&e](const auto&) { return e.key; },
      },
      e.action);
}

bool is_step(const Effect& e) {
  const auto* apply = std::get_if<Apply>(&e.action);
  return std::holds_alternative<AskAgent>(e.action) ||
         std::holds_alternative<AdvanceAuthority>(e.action) || (apply && apply->expected);
}

std::string endpoint_of(const Effect& e) {
  if (const auto* ask = std::get_if<AskAgent>(&e.action)) return ask->endpoint.id;
  if (const auto* probe = std::get_if<ProbeNow>(&e.action)) return probe->endpoint.value;
  return {};
}

std::size_t fingerprint(const Effect& e) {
  std::size_t seed = e.action.index();
  combine(seed, e.key);
  std::visit(Overloaded{
                 [&seed](const Apply& a) {
                   combine(seed, a.body);
                   seed += a.expected.value;
                 },
                 [&seed](const MergePatch& a) { combine(seed, a.body); },
                 [&seed](const EmitEvent& a) {
                   combine(seed, a.reason);
                   combine(seed, message_of(a));
                 },
                 [&seed](const AskAgent& a) {
                   combine(seed, a.endpoint.id);
                   combine(seed, agent::name_of(a.action));
                   seed += a.epoch.value;
                 },
                 [&seed](const AdvanceAuthority& a) { seed += a.expected.value; },
                 [](const auto&) {},
             },
             e.action);
  return seed;
}

std::string apply_key(std::string_view kind, const ObjectRef& object, std::string_view manager) {
  return fmt::format("apply {} {}/{} as {}", kind, object.ns, object.name, manager);
}

}  // namespace troupe::actors
