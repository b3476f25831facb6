#include "actors/journal/replay.hpp"

#include <deque>
#include <unordered_map>

#include "actors/journal/journal.hpp"
#include "actors/journal/looks.hpp"
#include "actors/model/described.hpp"
#include "k8s/api/decode.hpp"
#include "runtime/model/utf8.hpp"

namespace troupe::actors {
namespace {

namespace json = boost::json;

// What goes wrong while a journal is read, or when it is asked for what it does not hold.
struct Unfit : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Enough of a line to see what it is.
std::string beginning_of(std::string_view line) {
  constexpr std::size_t kShown = 40;
  const auto end = end_of_character(line, kShown);
  return as_printable(line.substr(0, end)) + (end < line.size() ? "..." : "");
}

json::object parse_line(std::string_view text) {
  boost::system::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed == json::error::incomplete)
    throw Unfit("expected a JSON object, found one without its end: was the file cut short?");
  if (failed || !value.is_object())
    throw Unfit(fmt::format("expected a JSON object, found: {}", beginning_of(text)));
  return value.get_object();
}

const json::value& part(const json::object& of, std::string_view key) {
  const auto* found = of.if_contains({key.data(), key.size()});
  if (!found) throw Unfit(fmt::format("expected \"{}\", found nothing of that name", key));
  return *found;
}

const json::array& list_part(const json::object& of, std::string_view key) {
  const auto& found = part(of, key);
  if (!found.is_array())
    throw Unfit(
        fmt::format("{}: expected a list, found {}", key, beginning_of(json::serialize(found))));
  return found.get_array();
}

std::string text_part(const json::object& of, std::string_view key) {
  const auto& found = part(of, key);
  if (!found.is_string())
    throw Unfit(
        fmt::format("{}: expected a text, found {}", key, beginning_of(json::serialize(found))));
  return std::string(found.get_string());
}

template <class T>
T read(const json::value& from) {
  auto value = from_described_json<T>(from);
  if (!value) throw Unfit(value.error().message);
  return std::move(*value);
}

// Secrets of a journal are stand-ins already.
std::string as_it_is(const Secret& secret) { return std::string(secret.reveal()); }

// Shows what was seen then.
class Recollection final : public Sight {
 public:
  void set_settings(Settings settings) { settings_ = std::move(settings); }
  void forget() {
    objects_.clear();
    probes_.clear();
    agents_.clear();
  }
  void learn(const json::object& line) {
    const auto id = read<std::uint64_t>(part(line, "seen"));
    if (const auto* object = line.if_contains("object"))
      objects_[id] = decoded(read<k8s::KindId>(part(line, "kind")), *object);
    else if (const auto* probe = line.if_contains("probe"))
      probes_[id] = read<std::shared_ptr<const mysql::ProbeOutcome>>(*probe);
    else
      agents_[id] = read<std::shared_ptr<const agent::AgentObservation>>(part(line, "agent"));
  }
  void begin_run(const json::array& looks) {
    looks_.clear();
    for (const auto& each : looks) {
      const auto* look = each.if_array();
      if (!look || look->size() != 2 || !(*look)[0].is_string())
        throw Unfit("expected a question and its answer, found: " +
                    beginning_of(json::serialize(each)));
      looks_[std::string((*look)[0].get_string())].push_back((*look)[1]);
    }
  }

  k8s::SnapshotPtr object(k8s::KindId kind, std::string_view ns, std::string_view name) override {
    return found(objects_, next(object_key(kind, ns, name)));
  }
  std::vector<k8s::SnapshotPtr> owned(k8s::KindId kind, std::string_view ns,
                                      std::string_view owner_uid) override {
    return list(next(owned_key(kind, ns, owner_uid)));
  }
  std::vector<k8s::SnapshotPtr> labelled(k8s::KindId kind, std::string_view ns,
                                         std::string_view label, std::string_view value) override {
    return list(next(labelled_key(kind, ns, label, value)));
  }
  std::vector<k8s::SnapshotPtr> all(k8s::KindId kind) override { return list(next(all_key(kind))); }
  std::shared_ptr<const mysql::ProbeOutcome> probe(const mysql::EndpointId& id) override {
    return found(probes_, next(probe_key(id)));
  }
  std::shared_ptr<const agent::AgentObservation> agent(const std::string& endpoint) override {
    return found(agents_, next(agent_key(endpoint)));
  }
  Result<Secret> password(const PasswordPlace& place) override {
    auto answer = read<PasswordAnswer>(next(password_key(place)));
    if (answer.failed) return std::move(*answer.failed);
    return std::move(answer.is).value();
  }
  Result<ExternalSource> external_source(std::string_view ns, std::string_view secret) override {
    auto answer = read<ExternalSourceAnswer>(next(external_source_key(ns, secret)));
    if (answer.failed) return std::move(*answer.failed);
    return std::move(answer.is).value();
  }
  std::vector<Refusal> refused() const override {
    return read<std::vector<Refusal>>(next(std::string(kRefusedKey)));
  }
  WallTime wall() const override { return read<WallTime>(next(std::string(kWallKey))); }
  const Settings& settings() const override { return settings_; }

 private:
  k8s::SnapshotPtr decoded(k8s::KindId kind, const json::value& object) {
    const auto* info = k8s::find_kind(kind);
    if (!info) throw Unfit("an object of a kind that this program does not know");
    auto snapshot = decoder_.object(*info, k8s::Document(json::serialize(object)));
    if (!snapshot) throw Unfit(snapshot.error().message);
    return std::move(*snapshot);
  }

  // Answers to the same question in their order; the last one stays.
  const json::value& next(const std::string& key) const {
    const auto at = looks_.find(key);
    if (at == looks_.end()) throw Unfit("looks at what was not looked at then: " + key);
    auto& answers = at->second;
    if (answers.size() == 1) return answers.front();
    current_ = std::move(answers.front());
    answers.pop_front();
    return current_;
  }
  template <class T>
  static T found(const std::unordered_map<std::uint64_t, T>& all, const json::value& id) {
    if (id.is_null()) return T();
    const auto at = all.find(read<std::uint64_t>(id));
    if (at == all.end())
      throw Unfit("looks at what no line before has told: " + json::serialize(id));
    return at->second;
  }
  std::vector<k8s::SnapshotPtr> list(const json::value& ids) const {
    std::vector<k8s::SnapshotPtr> out;
    for (const auto& id : ids.as_array()) out.push_back(found(objects_, id));
    return out;
  }

  Settings settings_;
  k8s::Decoder decoder_;
  std::unordered_map<std::uint64_t, k8s::SnapshotPtr> objects_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const mysql::ProbeOutcome>> probes_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const agent::AgentObservation>> agents_;
  mutable std::unordered_map<std::string, std::deque<json::value>> looks_;
  mutable json::value current_;
};

class Player {
 public:
  Player(const json::object& head, const RulesOf& rules_of) {
    const auto* format = head.if_contains("journal");
    if (!format)
      throw Unfit(fmt::format("expected the head of a journal, {{\"journal\":{},...}}, found: {}",
                              kJournalFormat, beginning_of(json::serialize(head))));
    if (*format != kJournalFormat)
      throw Unfit(fmt::format("expected a journal of format {}, found format {}", kJournalFormat,
                              json::serialize(*format)));
    report_.kind = text_part(head, "kind");
    self_ = read<ObjectRef>(part(head, "object"));
    report_.object = fmt::format("{}/{}", self_.ns, self_.name);
    eyes_.set_settings(read<Settings>(part(head, "settings")));
    rules_ = rules_of(report_.kind);
    if (!rules_) throw Unfit(fmt::format("there is no kind {}", report_.kind));
  }

  void take(const json::object& line) {
    if (const auto* memory = line.if_contains("memory")) {
      eyes_.forget();
      if (auto read = rules_->remember(*memory); !read) throw Unfit(read.error().message);
    } else if (line.contains("seen")) {
      eyes_.learn(line);
    } else {
      const auto* then = line.if_contains("run");
      if (!then || !then->is_object())
        throw Unfit("expected memory, seen or run, found: " + beginning_of(json::serialize(line)));
      run(then->get_object());
    }
  }
  ReplayReport report() { return std::move(report_); }

 private:
  void run(const json::object& then) {
    ++report_.runs;
    for (const auto& each : list_part(then, "folded")) rules_->fold(read<EffectResult>(each));
    eyes_.begin_run(list_part(then, "looks"));
    const auto* decision = then.if_contains("decision");
    const auto recorded = decision ? json::serialize(*decision) : text_part(then, "fault");
    const auto replayed = decide(read<TimePoint>(part(then, "now")));
    if (recorded != replayed && report_.differences.size() < ReplayReport::kMaxDifferences)
      report_.differences.push_back({report_.runs, recorded, replayed});
  }
  std::string decide(TimePoint now) {
    try {
      return json::serialize(described_json(rules_->decide(self_, eyes_, now), as_it_is));
    } catch (const std::exception& e) {
      return e.what();
    }
  }

  ReplayReport report_;
  ObjectRef self_;
  Recollection eyes_;
  std::unique_ptr<Rules> rules_;
};

}  // namespace

Result<ReplayReport> replay(std::string_view journal, const RulesOf& rules_of) {
  std::optional<Player> player;
  std::size_t number = 0;
  while (!journal.empty()) {
    const auto end = std::min(journal.find('\n'), journal.size());
    const auto text = journal.substr(0, end);
    journal.remove_prefix(std::min(end + 1, journal.size()));
    ++number;
    try {
      const auto line = parse_line(text);
      if (!player)
        player.emplace(line, rules_of);
      else
        player->take(line);
    } catch (const std::exception& e) {
      return error(Code::Invalid, fmt::format("line {}: {}", number, e.what()));
    }
  }
  if (!player) return error(Code::Invalid, "expected a journal, found nothing");
  return player->report();
}

}  // namespace troupe::actors
