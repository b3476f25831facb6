#include "tests/sim/acceptance/story.hpp"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "actors/mysql_group/decide.hpp"

namespace troupe::mysql_topology::sim {
namespace {

constexpr Duration kConvergeWithin = seconds(300);
constexpr Duration kQuietFor = seconds(2);
constexpr std::size_t kShownLines = 60;
constexpr std::size_t kSomeWrites = 20;

// Without the writes, of which there are thousands.
std::string end_of(std::vector<std::string> lines) {
  std::erase_if(lines, [](const std::string& line) {
    return line.find(" acknowledges write ") != std::string::npos;
  });
  const auto skipped = lines.size() > kShownLines ? lines.size() - kShownLines : 0;
  return fmt::format(
      "{}\n", fmt::join(lines.begin() + static_cast<std::ptrdiff_t>(skipped), lines.end(), "\n"));
}

}  // namespace

Story::Story(std::uint64_t seed, bool tell, int members, Engine engine)
    : timeline(seed, tell),
      fleet(timeline, Rules{}, members),
      op(timeline, engine, fleet, object),
      deposed(timeline, engine, fleet, object),
      judge_(timeline, fleet, [this] { look(); }) {
  object.failover.enabled = true;
}

void Story::look() {
  const auto before = std::exchange(seen_, object.record);
  judge_.saw_record("the topology", seen_.epoch, seen_.current);
  if (!seen_.external.empty()) fleet.check_that_nobody_writes();
  const auto& was = before.operation;
  const auto& is = seen_.operation;
  if (was && !is) ++ended_[static_cast<std::size_t>(was->type)];
  if (!kills_operator_at_steps_ || !is || (was && was->step == is->step)) return;
  timeline.after({}, [this] { op.die(); });
  timeline.after(milliseconds(200), [this] { op.start(); });
}

int Story::is_fed() {
  const int outside = fleet.add_outside(static_cast<int>(kSomeWrites));
  fleet.purge(outside);
  object.external = "donor";
  return outside;
}

void Story::begins() {
  judge_.let_clients_write();
  op.start();
}

void Story::forms() {
  begins();
  expect("the topology forms", [this] { return ready(); });
  expect("every member has something", [this] {
    for (int i = 0; i < fleet.size(); ++i)
      if (!object.unlisted.contains(i) && fleet[i].executed.empty()) return false;
    return true;
  });
}

void Story::part(std::initializer_list<int> some, std::initializer_list<int> others) {
  for (const int a : some)
    for (const int b : others) fleet.part(a, b, Cut::Both);
}

void Story::operator_misses(std::initializer_list<int> members) {
  for (const int i : members) op.cut(i, true);
}

void Story::heals() {
  fleet.heal();
  for (int i = 0; i < fleet.size(); ++i) op.cut(i, false);
}

void Story::orders(int member) {
  object.order = fleet[member].name;
  op.wake();
}

void Story::list(int member, bool listed) {
  if (listed)
    object.unlisted.erase(member);
  else
    object.unlisted.insert(member);
  op.wake();
}

void Story::leaves_outside() {
  object.external.clear();
  op.wake();
}

void Story::expect(const std::string& what, const Condition& comes, Duration within) {
  const auto limit = timeline.now() + within;
  while (goes_on() && !comes())
    if (timeline.now() >= limit || !judge_.step()) {
      failure_ = "expected: " + what + "; " + state();
      return;
    }
}

void Story::always(const std::string& what, const Condition& holds, Duration lasting) {
  const auto end = timeline.now() + lasting;
  while (goes_on() && timeline.now() < end) {
    if (!holds()) {
      failure_ = "not any more: " + what + "; " + state();
      return;
    }
    judge_.step();
  }
}

void Story::pass(Duration time) {
  if (goes_on()) judge_.until(timeline.now() + time);
}

void Story::outside_goes_on() {
  const auto& outside = fleet[fleet.size()];
  const auto enough = outside.executed.count() + kSomeWrites;
  expect("clients write outside", [&] { return outside.executed.count() >= enough; });
}

void Story::outside_is_passed_on() {
  outside_goes_on();
  const auto all = fleet[fleet.size()].executed;
  expect("what is written outside comes to all members", [&] {
    for (int i = 0; i < fleet.size(); ++i)
      if (fleet[i].running && !fleet[i].executed.contains(all)) return false;
    return true;
  });
}

void Story::ends_well() {
  if (!goes_on()) return;
  timeline.tell("faults end");
  kills_operator_at_steps_ = false;
  deposed.die();
  object.unlisted.clear();
  object.departing.clear();
  heals();
  for (int i = 0; i < fleet.size(); ++i) {
    auto& s = fleet[i];
    s.paused = s.applier_held = false;
    if (!s.running) s.starts_at = timeline.now();
  }
  op.start();
  judge_.await({.reached = [this] { return ready() && all_are_in_place(); },
                .state = [this] { return state(); },
                .lasting = kQuietFor,
                .within = kConvergeWithin,
                .last_act = [this] { return op.last_act(); }},
               Invariant::ItConverges);
  const bool fed = !object.record.external.empty();
  if (judge_.holds()) judge_.compare(fed ? fleet.size() : source(), fleet.size());
}

void Story::writes_flow(Duration within) {
  const auto enough = acknowledged() + kSomeWrites;
  expect(
      "writes are acknowledged", [&] { return acknowledged() >= enough; }, within);
}

void Story::no_write_is_acknowledged(Duration lasting) {
  const auto before = acknowledged();
  always(
      "nothing is acknowledged", [&] { return acknowledged() == before; }, lasting);
}

void Story::writes_flow_until(const std::string& what, const Condition& meanwhile,
                              Duration longest_gap) {
  auto before = acknowledged();
  auto since = timeline.now();
  const auto limit = since + minutes(5);
  while (goes_on() && !meanwhile()) {
    if (acknowledged() > before) since = timeline.now();
    before = acknowledged();
    if (timeline.now() - since > longest_gap) failure_ = "writes stall before " + what;
    if (timeline.now() > limit || !judge_.step()) failure_ = "expected: " + what + "; " + state();
  }
}

std::string Story::guard(std::string_view rule) const {
  for (const auto* guards : {&op.plan().guards, &op.plan().refusals})
    for (const auto& g : *guards)
      if (g.rule == rule) return g.text;
  return {};
}

bool Story::follows_outside(int member) const {
  const auto& s = fleet[member];
  return s.running && s.source == fleet.size() && s.connected && s.applier && s.super_read_only;
}

bool Story::ready() const { return op.plan().ready && !object.record.operation; }

std::string Story::state() const {
  const auto& r = object.record;
  auto text = fmt::format("{} {} {}, epoch {}", r.current,
                          r.operation ? to_string(r.operation->type) : "idle",
                          r.operation ? to_string(r.operation->step) : "", r.epoch.value);
  for (const auto& g : op.plan().guards) text += "; " + g.rule + ": " + g.text;
  return text;
}

Role Story::role(int member) const {
  const auto place = object.places.find(member);
  return place == object.places.end() || place->second.life != fleet[member].life
             ? Role::None
             : place->second.role;
}

bool Story::all_are_in_place() const {
  for (int i = 0; i < fleet.size(); ++i)
    if (!object.isolated.contains(i) && !object.taken.contains(i) &&
        role(i) != (i == source() ? Role::Source : Role::Replica))
      return false;
  return true;
}

std::optional<std::string> Story::failure() const {
  const auto& broken = judge_.violation();
  if (!broken) return failure_;
  return fmt::format("{}: {}", troupe::sim::to_string(broken->of), broken->text);
}

namespace {

void tell_for_each_seed(const std::function<void(Story&)>& story, int members, int seeds,
                        Engine engine) {
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto number = static_cast<std::uint64_t>(seed);
    Story quiet(number, false, members, engine);
    story(quiet);
    const auto failure = quiet.failure();
    if (!failure) continue;
    Story told(number, true, members, engine);
    story(told);
    ADD_FAILURE() << "seed " << seed << ": " << *failure << "\n" << end_of(told.told());
    return;
  }
}

}  // namespace

void for_each_seed(const std::function<void(Story&)>& story, int members, int seeds) {
  tell_for_each_seed(story, members, seeds, &decide);
}

void for_each_seed_of_a_group(const std::function<void(Story&)>& story, int members, int seeds) {
  const auto in_a_group = [&story](Story& s) {
    s.object.mode = Mode::Group;
    story(s);
  };
  tell_for_each_seed(in_a_group, members, seeds, &mysql_group::decide);
}

void expect_caught(const std::function<void(Story&)>& story, Engine engine, const std::string& text,
                   int seeds) {
  std::string failures;
  for (int seed = 1; seed <= seeds; ++seed) {
    Story s(static_cast<std::uint64_t>(seed), false, 3, engine);
    story(s);
    const auto failure = s.failure();
    if (!failure) continue;
    if (failure->find(text) != std::string::npos) return;
    failures += "\n" + *failure;
  }
  ADD_FAILURE() << "no story says \"" << text << "\":" << failures;
}

}  // namespace troupe::mysql_topology::sim
