#include "actors/host/effect_counters.hpp"

namespace troupe::actors {
namespace {

// In the order of the variant.
constexpr std::array<std::string_view, std::variant_size_v<Action>> kNames = {"apply",
                                                                              "merge_patch",
                                                                              "delete",
                                                                              "emit_event",
                                                                              "ask_agent",
                                                                              "probe_now",
                                                                              "issue_certificate",
                                                                              "trust_authorities",
                                                                              "store_authority",
                                                                              "advance_authority",
                                                                              "make_passwords"};
constexpr std::size_t kAskAgent = 4;
static_assert(std::is_same_v<std::variant_alternative_t<kAskAgent, Action>, AskAgent>);
static_assert(!kNames.back().empty(), "an effect has no name");

}  // namespace

EffectCounters::Row& EffectCounters::row(const Action& action) noexcept {
  const auto* asked = std::get_if<AskAgent>(&action);
  return asked ? commands_[asked->action.index()] : effects_[action.index()];
}

void EffectCounters::count(Row& row, const std::optional<Error>& failed, Duration took) noexcept {
  auto& counter = failed ? row.failed[static_cast<std::size_t>(failed->code)] : row.done;
  counter.fetch_add(1, std::memory_order_relaxed);
  row.took.observe(took);
}

void EffectCounters::each(const See& see) const {
  for (std::size_t i = 0; i < effects_.size(); ++i)
    if (i != kAskAgent) see(kNames[i], {}, effects_[i]);
  for (std::size_t i = 0; i < commands_.size(); ++i)
    see(kNames[kAskAgent], agent::action_name(i), commands_[i]);
}

}  // namespace troupe::actors
