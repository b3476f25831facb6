#include "tests/models/scenario.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/models/modelled.hpp"
#include "tests/models/real.hpp"

namespace troupe::models {
namespace {

constexpr std::uint64_t kSeeds = 20;

}  // namespace

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

void expect_the_same_of_both(const Scenario& scenario, void (Servers::*form)()) {
  const auto play_on = [&](Servers& servers) {
    (servers.*form)();
    scenario.play(servers);
    return servers.lines();
  };
  std::vector<std::string> expected;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Modelled modelled(seed);
    const auto lines = play_on(modelled);
    if (seed == 1) expected = lines;
    ASSERT_EQ(lines, expected) << "the models disagree with themselves, seed " << seed;
  }
  Real real(expected);
  const auto lines = play_on(real);
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i], expected[i]) << "line " << i << "; expected is what the models show";
}

Command promote(std::uint64_t epoch, std::uint32_t acks) {
  return {.verb = Verb::Promote, .epoch = Epoch{epoch}, .acks = acks, .semi_sync = acks > 0};
}
Command open(std::uint64_t epoch, std::uint32_t acks) {
  return {.verb = Verb::Open, .epoch = Epoch{epoch}, .acks = acks, .semi_sync = acks > 0};
}
Command follow(std::uint64_t epoch, std::string source) {
  return {
      .verb = Verb::Follow, .epoch = Epoch{epoch}, .peer = std::move(source), .semi_sync = true};
}
Command stop_receiver(std::uint64_t epoch) {
  return {.verb = Verb::StopReceiver, .epoch = Epoch{epoch}};
}
Command close(std::uint64_t epoch, bool kill_if_blocked) {
  return {.verb = Verb::Close, .epoch = Epoch{epoch}, .kill_if_blocked = kill_if_blocked};
}
Command clone(std::uint64_t epoch, std::string donor) {
  return {.verb = Verb::Clone, .epoch = Epoch{epoch}, .peer = std::move(donor)};
}
Command ensure_accounts(std::uint64_t epoch) {
  return {.verb = Verb::EnsureAccounts, .epoch = Epoch{epoch}};
}
Command drain(std::uint64_t epoch) { return {.verb = Verb::Drain, .epoch = Epoch{epoch}}; }
Command feed(std::uint64_t epoch, std::string source) {
  return {.verb = Verb::Follow, .epoch = Epoch{epoch}, .peer = std::move(source)};
}
Command inspect_outside(std::uint64_t epoch) {
  return {.verb = Verb::InspectSource, .epoch = Epoch{epoch}, .peer = name_of(kOutside)};
}
Command begin_group(std::uint64_t epoch) {
  return {.verb = Verb::StartGroup, .epoch = Epoch{epoch}, .bootstrap = true};
}
Command join_group(std::uint64_t epoch) {
  return {.verb = Verb::StartGroup, .epoch = Epoch{epoch}};
}
Command stop_group(std::uint64_t epoch) { return {.verb = Verb::StopGroup, .epoch = Epoch{epoch}}; }
Command set_group_primary(std::uint64_t epoch) {
  return {.verb = Verb::SetGroupPrimary, .epoch = Epoch{epoch}};
}

}  // namespace troupe::models
