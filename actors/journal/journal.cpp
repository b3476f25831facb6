#include "actors/journal/journal.hpp"

#include <algorithm>
#include <unordered_map>

#include "actors/journal/looks.hpp"
#include "actors/model/described.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors {
namespace {

namespace json = boost::json;

constexpr std::string_view kCertificate = "-----BEGIN CERTIFICATE-----";

}  // namespace

// Sees through other eyes and notes what they saw, in the order of asking.
class Journal::Notes final : public Sight {
 public:
  explicit Notes(Journal& journal) : journal_(journal) {}

  void begin(Sight& eyes, TimePoint now) {
    eyes_ = &eyes;
    now_ = now;
    looks_.clear();
    note(std::string(kRefusedKey), described_json(eyes.refused(), journal_.veil()));
  }
  json::object end() {
    eyes_ = nullptr;
    return {{"now", described_json(now_, journal_.veil())},
            {"folded", std::exchange(folded_, {})},
            {"looks", std::exchange(looks_, {})}};
  }
  void folded(EffectResult result) {
    result.fingerprint = 0;  // tells something of the secrets in an effect, and no kind reads it
    folded_.push_back(described_json(result, journal_.veil()));
  }
  // What was told once has to be told again.
  void forget() {
    ids_.clear();
    held_.clear();
    objects_.clear();
  }

  k8s::SnapshotPtr object(k8s::KindId kind, std::string_view ns, std::string_view name) override {
    auto found = eyes_->object(kind, ns, name);
    note(object_key(kind, ns, name), id_of(found));
    return found;
  }
  std::vector<k8s::SnapshotPtr> owned(k8s::KindId kind, std::string_view ns,
                                      std::string_view owner_uid) override {
    return list(owned_key(kind, ns, owner_uid), eyes_->owned(kind, ns, owner_uid));
  }
  std::vector<k8s::SnapshotPtr> labelled(k8s::KindId kind, std::string_view ns,
                                         std::string_view label, std::string_view value) override {
    return list(labelled_key(kind, ns, label, value), eyes_->labelled(kind, ns, label, value));
  }
  std::vector<k8s::SnapshotPtr> all(k8s::KindId kind) override {
    return list(all_key(kind), eyes_->all(kind));
  }
  std::shared_ptr<const mysql::ProbeOutcome> probe(const mysql::EndpointId& id) override {
    auto found = eyes_->probe(id);
    note(probe_key(id), id_of(found, "probe"));
    return found;
  }
  std::shared_ptr<const agent::AgentObservation> agent(const std::string& endpoint) override {
    auto found = eyes_->agent(endpoint);
    note(agent_key(endpoint), id_of(found, "agent"));
    return found;
  }
  Result<Secret> password(const PasswordPlace& place) override {
    auto found = eyes_->password(place);
    PasswordAnswer answer;
    found ? void(answer.is = *found) : void(answer.failed = found.error());
    note(password_key(place), described_json(answer, journal_.veil()));
    return found;
  }
  Result<ExternalSource> external_source(std::string_view ns, std::string_view secret) override {
    auto found = eyes_->external_source(ns, secret);
    ExternalSourceAnswer answer;
    found ? void(answer.is = *found) : void(answer.failed = found.error());
    note(external_source_key(ns, secret), described_json(answer, journal_.veil()));
    return found;
  }
  std::vector<Refusal> refused() const override { return eyes_->refused(); }
  WallTime wall() const override {
    const auto wall = eyes_->wall();
    note(std::string(kWallKey), described_json(wall, {}));
    return wall;
  }
  const Settings& settings() const override { return eyes_->settings(); }

 private:
  void note(std::string key, json::value found) const {
    looks_.push_back(json::array{std::move(key), std::move(found)});
  }

  std::vector<k8s::SnapshotPtr> list(std::string key, std::vector<k8s::SnapshotPtr> found) {
    json::array ids;
    for (const auto& each : found) ids.push_back(id_of(each));
    note(std::move(key), std::move(ids));
    return found;
  }

  // Null for nothing; else its number, after it was told under that number.
  json::value id_of(const k8s::SnapshotPtr& found) {
    if (!found) return nullptr;
    const auto [at, is_new] = ids_.try_emplace(found.get(), ids_.size() + 1);
    if (is_new) {
      objects_.push_back(found);
      journal_.add(json::object{{"seen", at->second},
                                {"kind", described_json(found->kind(), {})},
                                {"object", veiled(found)}});
    }
    return at->second;
  }
  template <class T>
  json::value id_of(const std::shared_ptr<const T>& found, std::string_view what) {
    if (!found) return nullptr;
    const auto [at, is_new] = ids_.try_emplace(found.get(), ids_.size() + 1);
    if (is_new) {
      held_.push_back(found);
      journal_.add(
          json::object{{"seen", at->second}, {what, described_json(*found, journal_.veil())}});
    }
    return at->second;
  }

  // Certificates are no secrets, and decisions are made on them.
  json::value veiled(const k8s::SnapshotPtr& found) {
    auto object = json::parse(k8s::object_to_json_text(found));
    if (!k8s::find_kind(found->kind())->table.sensitive) return object;
    const auto* data = object.as_object().if_contains("data");
    if (!data) return object;
    for (auto& each : object.as_object()["data"].as_object()) {
      const auto bytes = agent::base64_decode(each.value().as_string());
      if (!bytes || bytes->starts_with(kCertificate)) continue;
      each.value() = agent::base64_encode(journal_.pseudonym(Secret(*bytes)));
    }
    return object;
  }

  Journal& journal_;
  Sight* eyes_ = nullptr;
  TimePoint now_;
  mutable json::array looks_;
  json::array folded_;
  // By address, which is nobody else's for as long as it is held.
  std::unordered_map<const void*, std::size_t> ids_;
  std::vector<std::shared_ptr<const void>> held_;
  std::vector<k8s::SnapshotPtr> objects_;
};

Journal::Journal(std::string_view kind, const ObjectRef& self, const Settings& settings,
                 std::size_t max_bytes)
    : head_(json::serialize(json::object{{"journal", kJournalFormat},
                                         {"kind", kind},
                                         {"object", described_json(self, {})},
                                         {"settings", described_json(settings, {})}})),
      max_bytes_(max_bytes),
      notes_(std::make_unique<Notes>(*this)) {}

Journal::~Journal() = default;

void Journal::mark(const Memory& memory) {
  if (!segments_.empty() && segment_bytes_ < max_bytes_ / 2) return;
  if (segments_.size() == 2) {
    for (const auto& line : segments_.front()) bytes_ -= line.size();
    segments_.pop_front();
  }
  segments_.emplace_back();
  segment_bytes_ = 0;
  notes_->forget();
  add(json::object{{"memory", memory(veil())}});
}

void Journal::folded(const EffectResult& result) { notes_->folded(result); }

void Journal::begin_run(Sight& eyes, TimePoint now) { notes_->begin(eyes, now); }

Sight& Journal::sight() { return *notes_; }

void Journal::end_run(const Decision& decision) {
  close_run({{"decision", described_json(decision, veil())}});
}

void Journal::end_run(std::string_view fault) { close_run({{"fault", fault}}); }

void Journal::close_run(json::object&& rest) {
  auto run = notes_->end();
  for (auto& [key, value] : rest) run[key] = std::move(value);
  add(json::object{{"run", std::move(run)}});
}

void Journal::add(const json::value& line) {
  auto text = json::serialize(line);
  bytes_ += text.size();
  segment_bytes_ += text.size();
  segments_.back().push_back(std::move(text));
}

std::string Journal::text() const {
  std::string out = head_ + '\n';
  for (const auto& segment : segments_)
    for (const auto& line : segment) out += line + '\n';
  return out;
}

std::string Journal::pseudonym(const Secret& secret) {
  auto at = std::find(secrets_.begin(), secrets_.end(), secret);
  if (at == secrets_.end()) {
    if (secrets_.size() == kMaxSecrets) return "secret";
    at = secrets_.insert(at, secret);
  }
  return fmt::format("secret-{}", at - secrets_.begin() + 1);
}

Veil Journal::veil() {
  return [this](const Secret& secret) { return pseudonym(secret); };
}

}  // namespace troupe::actors
