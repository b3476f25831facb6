#include "actors/journal/replay.hpp"

#include <deque>
#include <unordered_map>

#include "actors/journal/journal.hpp"
#include "actors/journal/looks.hpp"
#include "actors/model/described.hpp"
#include "k8s/api/decode.hpp"

namespace troupe::actors {
namespace {

namespace json = boost::json;

// What goes wrong while a journal is read, or when it is asked for what it does not hold.
struct Unfit : std::runtime_error {
  using std::runtime_error::runtime_error;
};

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
    const auto id = line.at("seen").to_number<std::uint64_t>();
    if (const auto* object = line.if_contains("object"))
      objects_[id] = decoded(read<k8s::KindId>(line.at("kind")), *object);
    else if (const auto* probe = line.if_contains("probe"))
      probes_[id] = read<std::shared_ptr<const mysql::ProbeOutcome>>(*probe);
    else
      agents_[id] = read<std::shared_ptr<const agent::AgentObservation>>(line.at("agent"));
  }
  void begin_run(const json::array& looks) {
    looks_.clear();
    for (const auto& each : looks)
      looks_[std::string(each.at(0).as_string())].push_back(each.at(1));
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
    return id.is_null() ? T() : all.at(id.to_number<std::uint64_t>());
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
    if (head.at("journal") != kJournalFormat)
      throw Unfit(fmt::format("expected a journal of format {}", kJournalFormat));
    report_.kind = head.at("kind").as_string();
    self_ = read<ObjectRef>(head.at("object"));
    report_.object = fmt::format("{}/{}", self_.ns, self_.name);
    eyes_.set_settings(read<Settings>(head.at("settings")));
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
      run(line.at("run").as_object());
    }
  }
  ReplayReport report() { return std::move(report_); }

 private:
  void run(const json::object& then) {
    ++report_.runs;
    for (const auto& each : then.at("folded").as_array()) rules_->fold(read<EffectResult>(each));
    eyes_.begin_run(then.at("looks").as_array());
    const auto* decision = then.if_contains("decision");
    const auto recorded =
        decision ? json::serialize(*decision) : std::string(then.at("fault").as_string());
    const auto replayed = decide(read<TimePoint>(then.at("now")));
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
      const auto line = json::parse(text);
      if (!player)
        player.emplace(line.as_object(), rules_of);
      else
        player->take(line.as_object());
    } catch (const std::exception& e) {
      return error(Code::Invalid, fmt::format("line {}: {}", number, e.what()));
    }
  }
  if (!player) return error(Code::Invalid, "expected a journal, found nothing");
  return player->report();
}

}  // namespace troupe::actors
