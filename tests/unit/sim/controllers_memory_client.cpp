#include "tests/unit/sim/controllers_memory_client.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

void merge(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  json::object& object = target.as_object();
  for (const auto& [key, value] : patch.as_object()) {
    if (value.is_null()) {
      object.erase(key);
    } else {
      merge(object[key], value);
    }
  }
}

bool has_finalizers(const json::value& object) {
  return !items(object, {"metadata", "finalizers"}).empty();
}

std::string resource_of_kind(const json::value& object) {
  std::string plural(text(object, {"kind"}));
  for (char& c : plural) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (plural.ends_with("class")) {
    plural += "es";
  } else if (plural != "endpoints") {
    plural += "s";
  }
  const std::string_view version = text(object, {"apiVersion"});
  const auto slash = version.find('/');
  if (slash != version.npos) plural += "." + std::string(version.substr(0, slash));
  return plural;
}

}  // namespace

struct MemoryClient::Watch final : LocalWatch {
  Watch(MemoryClient& c, int i) : client(c), id(i) {}
  ~Watch() override { client.watchers_.erase(id); }
  MemoryClient& client;
  int id;
};

Result<json::value> MemoryClient::get(std::string_view resource, std::string_view ns,
                                      std::string_view name) {
  const Value* found = peek(resource, ns, name);
  if (found == nullptr) return error(Code::NotFound, std::string(name) + " not found");
  return *found;
}

Result<json::array> MemoryClient::list(std::string_view resource, std::string_view ns,
                                       std::string_view) {
  json::array found;
  for (const auto& [at, object] : objects_) {
    if (std::get<0>(at) == resource && (ns.empty() || std::get<1>(at) == ns)) {
      found.push_back(object);
    }
  }
  return found;
}

Result<json::value> MemoryClient::create(std::string_view resource, std::string_view ns,
                                         Value object) {
  json::object& metadata = object.as_object()["metadata"].as_object();
  if (!metadata.contains("name")) {
    metadata["name"] =
        std::string(text(object, {"metadata", "generateName"})) + std::to_string(version_ + 1);
  }
  if (!ns.empty()) metadata["namespace"] = ns;
  const Key at = key(resource, ns, name_of(object));
  if (objects_.contains(at)) return error(Code::Exists, "exists");
  metadata["uid"] = "uid-" + std::to_string(version_ + 1) + "-0000";
  metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
  return store(resource, at, std::move(object), WatchEventType::Added);
}

Result<json::value> MemoryClient::update(std::string_view resource, std::string_view ns,
                                         Value object) {
  return replace(resource, ns, std::move(object));
}

Result<json::value> MemoryClient::update_status(std::string_view resource, std::string_view ns,
                                                Value object) {
  return replace(resource, ns, std::move(object));
}

Result<json::value> MemoryClient::replace(std::string_view resource, std::string_view ns,
                                          Value object) {
  const Key at = key(resource, ns, name_of(object));
  const auto found = objects_.find(at);
  if (found == objects_.end()) return error(Code::NotFound, "not found");
  const std::string_view version = text(object, {"metadata", "resourceVersion"});
  if (!version.empty() && version != text(found->second, {"metadata", "resourceVersion"})) {
    return error(Code::Conflict, "the object has been modified");
  }
  return store(resource, at, std::move(object), WatchEventType::Modified);
}

Result<json::value> MemoryClient::merge_patch(std::string_view resource, std::string_view ns,
                                              std::string_view name, std::string_view,
                                              Value patch) {
  const Key at = key(resource, ns, name);
  const auto found = objects_.find(at);
  if (found == objects_.end()) return error(Code::NotFound, "not found");
  const std::string_view uid = text(patch, {"metadata", "uid"});
  if (!uid.empty() && uid != uid_of(found->second)) return error(Code::Conflict, "another uid");
  Value object = found->second;
  merge(object, patch);
  if (object == found->second) return object;
  return store(resource, at, std::move(object), WatchEventType::Modified);
}

Result<void> MemoryClient::remove(std::string_view resource, std::string_view ns,
                                  std::string_view name, DeleteOptions options) {
  const Key at = key(resource, ns, name);
  const auto found = objects_.find(at);
  if (found == objects_.end()) return error(Code::NotFound, "not found");
  if (!options.uid.empty() && options.uid != uid_of(found->second)) {
    return error(Code::Conflict, "another uid");
  }
  const bool graceful = resource == "pods" && !text(found->second, {"spec", "nodeName"}).empty() &&
                        options.grace_period_seconds != 0;
  Value object = found->second;
  if (graceful || has_finalizers(object)) {
    if (is_deleting(object)) return {};
    json::object& metadata = object.as_object()["metadata"].as_object();
    metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    metadata["deletionGracePeriodSeconds"] = options.grace_period_seconds.value_or(
        number(object, {"spec", "terminationGracePeriodSeconds"}, 30));
    store(resource, at, std::move(object), WatchEventType::Modified);
    return {};
  }
  objects_.erase(found);
  ++writes_[std::string(resource)];
  tell(resource, WatchEventType::Deleted, object);
  return {};
}

std::unique_ptr<LocalWatch> MemoryClient::watch(std::string_view resource, std::string_view ns,
                                                WatchSink sink) {
  const int id = ++next_watcher_;
  auto watcher =
      std::make_shared<Watcher>(Watcher{std::string(resource), std::string(ns), std::move(sink)});
  watchers_[id] = watcher;
  for (const json::value& object : *list(resource, ns)) {
    watcher->sink(WatchEventType::Added, object);
  }
  return std::make_unique<Watch>(*this, id);
}

std::size_t MemoryClient::writes(std::string_view resource) const {
  const auto found = writes_.find(resource);
  return found == writes_.end() ? 0 : found->second;
}

const json::value* MemoryClient::peek(std::string_view resource, std::string_view ns,
                                      std::string_view name) const {
  const auto found = objects_.find(key(resource, ns, name));
  return found == objects_.end() ? nullptr : &found->second;
}

json::value MemoryClient::apply(std::string_view text) {
  json::value object = json::parse(text);
  const std::string resource = resource_of_kind(object);
  const std::string ns(namespace_of(object));
  auto created = create(resource, ns, object);
  if (created) return *created;
  const std::string name(name_of(object));
  return *merge_patch(resource, ns, name, "", object);
}

json::value& MemoryClient::store(std::string_view resource, const Key& at, Value object,
                                 WatchEventType type) {
  object.as_object()["metadata"].as_object()["resourceVersion"] = std::to_string(++version_);
  ++writes_[std::string(resource)];
  const bool finished = is_deleting(object) && !has_finalizers(object) &&
                        type == WatchEventType::Modified && resource != "pods";
  Value& stored = objects_.insert_or_assign(at, std::move(object)).first->second;
  const Value copy = stored;
  if (!finished) {
    tell(resource, type, copy);
    return objects_[at];
  }
  objects_.erase(at);
  tell(resource, WatchEventType::Deleted, copy);
  static Value gone;
  return gone = copy;
}

void MemoryClient::tell(std::string_view resource, WatchEventType type, const Value& object) {
  std::vector<std::shared_ptr<Watcher>> all;
  for (const auto& [id, watcher] : watchers_) all.push_back(watcher);
  for (const auto& watcher : all) {
    if (watcher->resource != resource) continue;
    if (!watcher->ns.empty() && watcher->ns != namespace_of(object)) continue;
    watcher->sink(type, object);
  }
}

}  // namespace troupe::sim
