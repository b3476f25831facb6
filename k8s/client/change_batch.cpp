#include "k8s/client/change_batch.hpp"

#include <fmt/format.h>

#include <utility>

#include "k8s/api/kinds.hpp"

namespace troupe::k8s {
namespace {

std::string_view text_of(ChangeType type) {
  switch (type) {
    case ChangeType::Added:
      return "added";
    case ChangeType::Modified:
      return "modified";
    case ChangeType::Deleted:
      return "deleted";
  }
  return "changed";
}

std::string describe_cause(const Cause& cause) {
  return describe(*static_cast<const Change*>(cause.subject.get()));
}

}  // namespace

std::string describe(const Change& change) {
  const auto& object = change.any();
  const auto* kind = find_kind(object.kind());
  return fmt::format("{} {} {}{}{}{} at {}", text_of(change.type), kind ? kind->name() : "object",
                     object.ns(), object.ns().empty() ? "" : "/", object.name(),
                     change.type == ChangeType::Deleted ? ", last seen" : "",
                     object.version().value);
}

std::size_t ChangeBatch::flush(TimePoint now, CauseType type, CausalId id, ActorId except) {
  if (changes_.empty()) return 0;
  const auto batch = std::make_shared<const std::vector<Change>>(std::move(changes_));
  changes_.clear();
  changes_.reserve(batch->size());
  wakes_.clear();
  sink_.changed(*batch);
  for (const Change& change : *batch) {
    routed_.clear();
    router_.route(change, routed_);
    if (routed_.empty()) continue;
    Cause cause;
    cause.type = type;
    cause.id = id ? id : sink_.chain_of(change);
    cause.at = now;
    cause.version = change.any().version().value;
    cause.subject = std::shared_ptr<const void>(batch, &change);
    cause.describe = &describe_cause;
    for (const ActorId actor : routed_) {
      if (actor != except) wakes_.push_back({actor, cause});
    }
  }
  if (!wakes_.empty()) sink_.wake(wakes_);
  return wakes_.size();
}

}  // namespace troupe::k8s
