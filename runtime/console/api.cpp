#include "runtime/console/api.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/actors.hpp"
#include "runtime/console/json.hpp"
#include "runtime/console/list.hpp"
#include "runtime/history.hpp"
#include "runtime/metrics.hpp"

namespace troupe::console {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kSnapshotAge = seconds(1);    // how old a shown list may be
constexpr Duration kSnapshotIdle = seconds(10);  // without requests the copy is dropped
constexpr Duration kStateDeadline = seconds(2);  // an actor that is busy longer is shown without
constexpr Duration kTick = milliseconds(250);    // of streams: what looks immediate
constexpr std::size_t kMaxState = 1 << 20;
constexpr std::size_t kMaxRecords = 1000;  // of one answer
constexpr std::string_view kRelease = "/release";

std::optional<std::uint64_t> parse_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

std::optional<ActorId> parse_actor_id(std::string_view text) {
  const auto id = parse_id(text);
  if (!id) return std::nullopt;
  return ActorId{*id};
}

void reply(const http::Responder& to, const json::object& body) {
  to.reply(http::json(200, json::serialize(body)));
}

void reply_no_actor(const http::Responder& to, std::string_view id) {
  to.reply(http::failure(404, "expected the id of an actor as /api/actors lists it, found \"" +
                                  std::string(id) + "\"; it may have ended"));
}

std::string late() {
  return "the actor did not answer within " + to_text(kStateDeadline) +
         ": it is in a long run, or has ended";
}

Result<json::value> parse_state(const std::string& text) {
  if (text.size() > kMaxState) return error(Code::Invalid, "the state is larger than 1 MiB");
  boost::system::error_code ec;
  auto state = json::parse(text, ec);
  if (ec) return error(Code::Invalid, "the state is not valid JSON: " + ec.message());
  return state;
}

json::object with_state(json::object body, Result<json::value> state) {
  body["state"] = state ? *state : json::value(nullptr);
  body["stateError"] = state ? json::value(nullptr) : json::value(state.error().message);
  return body;
}

// Somebody who watches one actor, or the whole fleet.
struct Listener {
  http::EventStream stream;
  std::optional<ActorId> actor;
  std::uint64_t seen_runs = 0;
  std::uint64_t seen_sequence = 0;
  bool look_again = true;
};

class Api : public std::enable_shared_from_this<Api> {
 public:
  explicit Api(ApiSources sources) : sources_(std::move(sources)) {}

  void list(const http::Request& request, const http::Responder& to);
  void actor(const http::Request& request, const http::Responder& to);
  void release(const http::Request& request, const http::Responder& to);
  void chain(const http::Request& request, const http::Responder& to);
  void summary(const http::Responder& to) { reply(to, summary_json()); }
  void recent(const http::Request& request, const http::Responder& to);
  void stream(const http::Request& request, const http::Responder& to);

 private:
  struct Snapshot {
    std::vector<ActorInfo> actors;
    TimePoint taken;
    ListQuery query;  // whose filter `matching` has passed
    std::optional<std::vector<std::uint32_t>> matching;
  };
  struct Kind {
    std::uint64_t actors = 0, held = 0, faulty = 0, quarantined = 0;
  };

  Snapshot& snapshot();
  void drop_idle_snapshot();
  json::object summary_json();
  json::object actor_json(const ActorInfo& info) const;
  void reply_with_state(const ActorInfo& info, const http::Responder& to);
  void reply_with_journal(const ActorInfo& info, const http::Responder& to);
  void history(const ActorInfo& info, const http::Responder& to) const;
  void start_ticking();
  void tick();
  void tell_news(Listener& listener);
  Names names() const;
  std::string now() const { return to_rfc3339_micro(sources_.clock.wall()); }

  ApiSources sources_;
  std::unique_ptr<Snapshot> snapshot_;
  TimePoint snapshot_used_;
  std::vector<Listener> listeners_;
  bool ticking_ = false;
};

// ---- The fleet

Api::Snapshot& Api::snapshot() {
  const auto time = sources_.clock.now();
  snapshot_used_ = time;
  if (snapshot_ && time - snapshot_->taken < kSnapshotAge) return *snapshot_;
  if (!snapshot_)
    sources_.schedule(kSnapshotIdle, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->drop_idle_snapshot();
    });
  snapshot_ = std::make_unique<Snapshot>();
  snapshot_->actors = sources_.actors.list();
  snapshot_->taken = time;
  return *snapshot_;
}

void Api::drop_idle_snapshot() {
  const auto rest = kSnapshotIdle - (sources_.clock.now() - snapshot_used_);
  if (rest <= Duration::zero()) {
    snapshot_.reset();
    return;
  }
  sources_.schedule(rest, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->drop_idle_snapshot();
  });
}

void Api::list(const http::Request& request, const http::Responder& to) {
  const auto query = parse_list_query(request);
  if (!query) return to.reply(http::failure(400, query.error().message));
  auto& shot = snapshot();
  if (!shot.matching || !query->same_filter(shot.query)) {
    shot.matching = filter(shot.actors, *query);
    shot.query = *query;
  }
  json::array rows;
  for (const auto i : page(shot.actors, *shot.matching, *query))
    rows.push_back(to_json(shot.actors[i]));
  reply(to, {{"total", shot.actors.size()},
             {"matched", shot.matching->size()},
             {"offset", query->offset},
             {"now", now()},
             {"actors", std::move(rows)}});
}

json::object Api::summary_json() {
  std::map<std::string_view, Kind> kinds;
  for (const auto& a : snapshot().actors) {
    auto& kind = kinds[a.kind];
    ++kind.actors;
    kind.held += a.guards > 0;
    kind.faulty += a.faults > 0;
    kind.quarantined += a.quarantined;
  }
  json::array kind_rows;
  for (const auto& [name, kind] : kinds)
    kind_rows.push_back({{"kind", name},
                         {"actors", kind.actors},
                         {"held", kind.held},
                         {"faulty", kind.faulty},
                         {"quarantined", kind.quarantined}});
  const auto leader = sources_.leader ? sources_.leader() : std::nullopt;
  return {{"version", sources_.version},
          {"now", now()},
          {"leader", leader ? json::value(*leader) : json::value(nullptr)},
          {"totals", to_json(sources_.actors.totals())},
          {"kinds", std::move(kind_rows)},
          {"memory",
           {{"residentBytes", resident_bytes()},
            {"historyBytes", sources_.history.bytes()},
            {"historyEvicted", sources_.history.evicted()}}}};
}

// ---- One actor

// /api/actors/{id}, /api/actors/{id}/history and /api/actors/{id}/journal.
void Api::actor(const http::Request& request, const http::Responder& to) {
  std::string_view rest = request.path;
  rest.remove_prefix(std::string_view("/api/actors/").size());
  const auto asks_for = [&rest](std::string_view what) {
    const bool asks = rest.ends_with(what);
    if (asks) rest.remove_suffix(what.size());
    return asks;
  };
  if (asks_for(kRelease)) return to.reply(http::method_not_allowed("POST"));
  const bool wants_history = asks_for("/history");
  const bool wants_journal = !wants_history && asks_for("/journal");
  const auto id = parse_actor_id(rest);
  const auto info = id ? sources_.actors.info(*id) : std::nullopt;
  if (!info) return reply_no_actor(to, rest);
  if (wants_history)
    history(*info, to);
  else if (wants_journal)
    reply_with_journal(*info, to);
  else
    reply_with_state(*info, to);
}

json::object Api::actor_json(const ActorInfo& info) const {
  const auto records = sources_.history.of(info.id);
  json::object out{{"now", now()}, {"actor", to_json(info)}, {"latest", nullptr}};
  if (!records.empty()) out["latest"] = to_json(records.back(), names());
  return out;
}

void Api::reply_with_state(const ActorInfo& info, const http::Responder& to) {
  const auto body = actor_json(info);
  sources_.actors.ask_state(info.id, [body, to, schedule = sources_.schedule](std::string text) {
    // On an actor's thread, which has better things to do than to parse.
    schedule(Duration::zero(), [body, to, text = std::move(text)] {
      reply(to, with_state(body, parse_state(text)));
    });
  });
  sources_.schedule(kStateDeadline,
                    [body, to] { reply(to, with_state(body, error(Code::Timeout, late()))); });
}

void Api::reply_with_journal(const ActorInfo& info, const http::Responder& to) {
  sources_.actors.ask_journal(
      info.id, [to, schedule = sources_.schedule](Result<std::string> journal) {
        schedule(Duration::zero(), [to, journal = std::move(journal)]() mutable {
          if (!journal) return to.reply(http::failure(404, journal.error().message));
          auto response = http::text(200, std::move(*journal));
          response.content_type = "application/x-ndjson";
          to.reply(std::move(response));
        });
      });
  sources_.schedule(kStateDeadline, [to] { to.reply(http::failure(503, late())); });
}

void Api::history(const ActorInfo& info, const http::Responder& to) const {
  json::array records;
  for (const auto& record : sources_.history.of(info.id))
    records.push_back(to_json(record, names()));
  reply(to, {{"now", now()}, {"actor", to_json(info)}, {"records", std::move(records)}});
}

// POST /api/actors/{id}/release.
void Api::release(const http::Request& request, const http::Responder& to) {
  std::string_view rest = request.path;
  rest.remove_prefix(std::string_view("/api/actors/").size());
  if (!rest.ends_with(kRelease)) return to.reply(http::method_not_allowed("GET, HEAD"));
  rest.remove_suffix(kRelease.size());
  const auto id = parse_actor_id(rest);
  const auto info = id ? sources_.actors.info(*id) : std::nullopt;
  if (!info) return reply_no_actor(to, rest);
  if (!info->quarantined)
    return to.reply(http::failure(409, "expected an actor in quarantine, found " + info->kind +
                                           " " + info->name + " running; nothing to release"));
  sources_.actors.release(*id);
  to.reply(http::json(202, json::serialize(json::object{{"released", info->name}})));
}

// ---- Records

Names Api::names() const {
  return [&actors = sources_.actors](ActorId id) -> ActorName {
    auto info = actors.info(id);
    if (!info) return {};
    return {std::move(info->kind), std::move(info->name)};
  };
}

// /api/causal/{id}.
void Api::chain(const http::Request& request, const http::Responder& to) {
  std::string_view text = request.path;
  text.remove_prefix(std::string_view("/api/causal/").size());
  const auto id = parse_id(text);
  // One more than is shown, so that it is seen whether that is all.
  auto records = id ? sources_.history.of(CausalId{*id}, kMaxRecords + 1) : std::vector<Record>();
  if (records.empty())
    return to.reply(http::failure(404,
                                  "expected the id of a chain that the history still holds, "
                                  "found \"" +
                                      std::string(text) + "\""));
  reply(to, chain_to_json(CausalId{*id}, std::move(records), names(), kMaxRecords));
}

void Api::recent(const http::Request& request, const http::Responder& to) {
  const auto text = request.param("limit");
  const auto limit = text.empty() ? std::optional<std::uint64_t>(100) : parse_id(text);
  if (!limit || *limit == 0 || *limit > kMaxRecords)
    return to.reply(http::failure(400, "parameter limit: expected a number from 1 to 1000"));
  json::array records;
  for (const auto& record : sources_.history.newest(*limit))
    records.push_back(to_json(record, names()));
  reply(to, {{"now", now()}, {"records", std::move(records)}});
}

// ---- Streams

void Api::stream(const http::Request& request, const http::Responder& to) {
  Listener listener;
  if (const auto text = request.param("actor"); !text.empty()) {
    listener.actor = parse_actor_id(text);
    if (!listener.actor || !sources_.actors.info(*listener.actor)) return reply_no_actor(to, text);
    const auto after = parse_id(request.param("after"));
    listener.seen_sequence = after.value_or(0);
  }
  listener.stream = to.stream();
  tell_news(listener);
  listeners_.push_back(std::move(listener));
  start_ticking();
}

void Api::start_ticking() {
  if (std::exchange(ticking_, true)) return;
  sources_.schedule(kTick, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

void Api::tick() {
  ticking_ = false;
  for (auto& listener : listeners_) tell_news(listener);
  std::erase_if(listeners_, [](const Listener& l) { return !l.stream.open(); });
  if (!listeners_.empty()) start_ticking();
}

void Api::tell_news(Listener& listener) {
  if (!listener.actor) {
    const auto runs = sources_.actors.totals().runs;
    if (runs != std::exchange(listener.seen_runs, runs))
      listener.stream.send("fleet", json::serialize(to_json(sources_.actors.totals())));
    return;
  }
  const auto info = sources_.actors.info(*listener.actor);
  if (!info) {
    listener.stream.send("gone", "{}");
    listener.stream = http::EventStream();
    return;
  }
  // A run is counted just before its record is kept, so each change is looked at twice.
  const bool changed = info->runs != std::exchange(listener.seen_runs, info->runs);
  if (!changed && !listener.look_again) return;
  listener.look_again = changed;
  listener.stream.send("actor", json::serialize(to_json(*info)));
  for (const auto& record : sources_.history.of(*listener.actor)) {
    // The last one seen once more: quiet runs are counted on it.
    if (record.sequence < listener.seen_sequence) continue;
    listener.stream.send("record", json::serialize(to_json(record, names())));
    listener.seen_sequence = record.sequence;
  }
}

}  // namespace

void add_api(http::Router& router, ApiSources sources) {
  const auto api = std::make_shared<Api>(std::move(sources));
  const auto get = [&](std::string prefix, auto handler) {
    router.add(http::Method::Get, std::move(prefix), http::Access::Guarded,
               [api, handler](const http::Request& request, const http::Responder& to) {
                 handler(*api, request, to);
               });
  };
  using http::Request;
  using http::Responder;
  get("/api/actors", [](Api& a, const Request& r, const Responder& to) { a.list(r, to); });
  get("/api/actors/", [](Api& a, const Request& r, const Responder& to) { a.actor(r, to); });
  get("/api/causal/", [](Api& a, const Request& r, const Responder& to) { a.chain(r, to); });
  get("/api/summary", [](Api& a, const Request&, const Responder& to) { a.summary(to); });
  get("/api/recent", [](Api& a, const Request& r, const Responder& to) { a.recent(r, to); });
  get("/api/stream", [](Api& a, const Request& r, const Responder& to) { a.stream(r, to); });
  router.add(http::Method::Post, "/api/actors/", http::Access::Guarded,
             [api](const Request& request, const Responder& to) { api->release(request, to); });
}

}  // namespace troupe::console
