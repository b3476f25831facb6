#include "actors/host/fault_point.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <charconv>

namespace troupe::actors {

Result<FaultPoint> FaultPoint::parse(std::string_view text) {
  const auto wrong = [text] {
    return error(
        Code::Invalid,
        fmt::format("expected \"die\" or \"pause\", \"before EFFECT\" or \"after EFFECT\", with "
                    "\"#N\" behind it for the Nth, and found \"{}\"",
                    text));
  };
  FaultPoint out;
  auto rest = text;
  const auto takes = [&rest](std::string_view word) {
    const bool there = rest.starts_with(word);
    if (there) rest.remove_prefix(word.size());
    return there;
  };
  if (takes("pause "))
    out.what = What::Pause;
  else if (!takes("die "))
    return wrong();
  if (takes("after "))
    out.when = When::After;
  else if (!takes("before "))
    return wrong();
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

bool GatewaysWithFault::ends_here(FaultPoint::When when, const Effect& effect) {
  if (when != point_.when || ::fnmatch(point_.effect.c_str(), effect.key.c_str(), 0) != 0 ||
      ++seen_ != point_.occurrence)
    return false;
  reached_(point_.what, effect);
  return point_.what == FaultPoint::What::Die;
}

void GatewaysWithFault::start(ActorId actor, CausalId id, const Effect& effect, Done done) {
  if (ends_here(FaultPoint::When::Before, effect)) return;
  inner_.start(actor, id, effect, [this, effect, done = std::move(done)](EffectResult result) {
    if (ends_here(FaultPoint::When::After, effect)) return;
    done(std::move(result));
  });
}

}  // namespace troupe::actors
