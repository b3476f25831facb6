// What people are told of operations: each beginning and each end once, with its epoch.
#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {
namespace {

using Operation = k8s::ReplicationOperation;
using Type = k8s::OperationType;

// For how long an end is news to a process that has not told it: its predecessor may have died
// between writing it down and telling it. Within that time a restart tells it a second time.
constexpr Duration kNews = std::chrono::minutes(1);

constexpr std::string_view kBegun = "event begun ";
constexpr std::string_view kEnded = "event ended ";

struct News {
  bool warning = false;
  std::string reason;
  std::string text;
};

// Nobody is served yet by what is being formed: its end is told.
std::optional<News> beginning_of(const Operation& o) {
  switch (o.type) {
    case Type::Form:
      return std::nullopt;
    case Type::Switchover:
      return News{false, "SwitchoverStarted",
                  fmt::format("from {} to {}: {}", o.from, o.candidate, o.message)};
    case Type::Bootstrap:
      return News{!o.from.empty(), "BootstrapStarted", o.message.str()};
    case Type::Attach:
      return News{false, "ExternalSourceFollowed", o.message.str()};
    case Type::Detach:
      return News{false, "ExternalSourceLeft", o.message.str()};
    case Type::Failover:
    case Type::Rebuild:
      break;
  }
  return News{true, fmt::format("{}Started", k8s::to_string(o.type)), o.message.str()};
}

News end_of(const Operation& o) {
  const bool follows_outside = o.type == Type::Attach;
  if (o.outcome != k8s::OperationOutcome::Succeeded)
    return {true,
            fmt::format("{}GivenUp", follows_outside ? "ExternalSource" : k8s::to_string(o.type)),
            o.message.str()};
  return {o.type == Type::Failover,
          o.type == Type::Rebuild ? "Rebuilt" : std::string(k8s::to_string(o.type)),
          o.message.str()};
}

// The epoch is part of the name.
std::string name_of(const Operation& o) {
  return fmt::format("{} {}", o.id, to_rfc3339(o.startedAt.at));
}

void tell_once(const World& w, std::string_view key, const Operation& o, const News& news,
               const std::string& told, Decision& d) {
  const auto name = name_of(o);
  if (name == told) return;
  const auto& about = *w.object;
  d.add(fmt::format("{}{}", key, name),
        EmitEvent{ref_to(about), about.metadata.uid.str(), news.warning, news.reason,
                  fmt::format("epoch {}: {}", o.epoch, news.text)});
}

}  // namespace

void tell_operations(const World& w, const Memory& memory, Decision& d) {
  const auto& status = w.object->status;
  // The last one ended before the present one began.
  if (const auto& last = status.lastOperation; last && w.wall - last->finishedAt.at < kNews)
    tell_once(w, kEnded, *last, end_of(*last), memory.told_ended, d);
  if (!status.operation) return;
  if (const auto news = beginning_of(*status.operation))
    tell_once(w, kBegun, *status.operation, *news, memory.told_begun, d);
}

void remember_told(const EffectResult& r, Memory& memory) {
  if (r.failed) return;
  if (r.key.starts_with(kBegun)) memory.told_begun = r.key.substr(kBegun.size());
  if (r.key.starts_with(kEnded)) memory.told_ended = r.key.substr(kEnded.size());
}

}  // namespace troupe::actors::mysqlreplication
