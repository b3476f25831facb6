#include "actors/host/fault_point.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <charconv>

namespace troupe::actors {

Result<FaultPoint> FaultPoint::parse(std::string_view text) {
  const auto wrong = [text] {
    return error(
        Code::Invalid,
        fmt::format("expected \"before EFFECT\" or \"after EFFECT\", with \"#N\" behind it "
                    "for the Nth, and found \"{}\"",
                    text));
  };
  FaultPoint out;
  auto rest = text;
  if (rest.starts_with("before ")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("after ")) {
    out.when = When::After;
    rest.remove_prefix(6);
  } else {
    return wrong();
  }
  if (const auto hash = rest.rfind('#'); hash != rest.npos) {
    const auto number = rest.substr(hash + 1);
    const auto* end = number.data() + number.size();
    const auto [stop, failure] = std::from_chars(number.data(), end, out.occurrence);
    if (failure != std::errc{} || stop != end || out.occurrence < 1) return wrong();
    rest = rest.substr(0, hash);
  }
  if (rest.empty()) return wrong();
  out.effect = rest;
  return out;
}

bool GatewaysWithFault::is_here(FaultPoint::When when, const Effect& effect) {
  return when == point_.when && ::fnmatch(point_.effect.c_str(), effect.key.c_str(), 0) == 0 &&
         ++seen_ == point_.occurrence;
}

void GatewaysWithFault::start(ActorId actor, CausalId id, const Effect& effect, Done done) {
  if (is_here(FaultPoint::When::Before, effect)) return reached_(effect);
  inner_.start(actor, id, effect, [this, effect, done = std::move(done)](EffectResult result) {
    if (is_here(FaultPoint::When::After, effect)) return reached_(effect);
    done(std::move(result));
  });
}

}  // namespace troupe::actors
