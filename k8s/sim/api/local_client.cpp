#include "k8s/sim/local_client.hpp"

#include <fmt/format.h>

#include <limits>

#include "k8s/sim/api/api_server_impl.hpp"
#include "k8s/sim/api/body.hpp"
#include "k8s/sim/api/render.hpp"

namespace troupe::sim {
namespace {

// Numbers as a parser gives them: unsigned only where they have to be.
void normalize_numbers(json::value& value) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) normalize_numbers(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) normalize_numbers(member.value());
  } else if (const auto* number = value.if_uint64()) {
    if (*number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      value = static_cast<std::int64_t>(*number);
    }
  }
}

class Callback : public Watcher {
 public:
  explicit Callback(LocalClient::WatchSink sink) : sink_(std::move(sink)) {}

  bool notice(const WatchNotice& notice) override {
    switch (notice.kind) {
      case WatchNotice::Kind::Added:
        sink_(WatchEventType::Added, notice.object->value);
        break;
      case WatchNotice::Kind::Modified:
        sink_(WatchEventType::Modified, notice.object->value);
        break;
      case WatchNotice::Kind::Deleted:
        sink_(WatchEventType::Deleted, notice.object->value);
        break;
      case WatchNotice::Kind::Bookmark:
      case WatchNotice::Kind::Expired:
        break;
    }
    return true;
  }
  void closed() override {}

 private:
  LocalClient::WatchSink sink_;
};

class SessionWatch : public LocalWatch {
 public:
  explicit SessionWatch(std::unique_ptr<WatchSession> session) : session_(std::move(session)) {}

 private:
  std::unique_ptr<WatchSession> session_;
};

}  // namespace

class InProcessClient : public LocalClient {
 public:
  InProcessClient(ApiServer::Impl& server, std::string manager, std::function<WallTime()> wall)
      : server_(server), manager_(std::move(manager)), wall_(std::move(wall)) {}

  Result<Value> get(std::string_view resource, std::string_view ns,
                    std::string_view name) override {
    const auto type = find(resource);
    if (!type) return type.error();
    const auto found = view(*type, server_.core.find((*type)->collection, ns, name));
    if (found == nullptr) return to_error(not_found((*type)->name(), name));
    return found->value;
  }

  Result<json::array> list(std::string_view resource, std::string_view ns,
                           std::string_view label_selector) override {
    const auto type = find(resource);
    if (!type) return type.error();
    const auto selector = LabelSelector::parse(label_selector);
    if (!selector) return to_error(selector.error());
    const auto& collection = server_.core.store.collection((*type)->collection);
    const auto objects = collection.snapshot(ns, "", server_.core.store.revision());
    json::array result;
    for (const auto& object : *objects) {
      const auto seen = view(*type, object);
      if (selector->matches_object(seen->object())) result.push_back(seen->value);
    }
    return result;
  }

  Result<Value> create(std::string_view resource, std::string_view ns, Value object) override {
    normalize_numbers(object);
    return write(resource, ns, "", "", [&](const WriteRequest& request) {
      return server_.writer.create(request, std::move(object));
    });
  }

  Result<Value> update(std::string_view resource, std::string_view ns, Value object) override {
    return replace(resource, ns, "", std::move(object));
  }

  Result<Value> update_status(std::string_view resource, std::string_view ns,
                              Value object) override {
    return replace(resource, ns, "status", std::move(object));
  }

  Result<Value> merge_patch(std::string_view resource, std::string_view ns, std::string_view name,
                            std::string_view subresource, Value patch) override {
    normalize_numbers(patch);
    return write(resource, ns, name, subresource, [&](const WriteRequest& request) {
      return server_.writer.patch(request, PatchKind::Merge, patch);
    });
  }

  Result<void> remove(std::string_view resource, std::string_view ns, std::string_view name,
                      DeleteOptions options) override {
    const auto type = find(resource);
    if (!type) return type.error();
    const auto request = request_for(*type, ns, name, "");
    const auto gone = server_.writer.remove(
        request, {options.grace_period_seconds, options.uid, options.resource_version, ""});
    server_.settle(request.now);
    if (!gone) return to_error(gone.error());
    return {};
  }

  std::unique_ptr<LocalWatch> watch(std::string_view resource, std::string_view ns,
                                    WatchSink sink) override {
    const auto type = find(resource);
    if (!type) throw_exception_from_error(type.error(), BOOST_CURRENT_LOCATION);
    auto session = server_.core.hub.open({.type = *type, .ns = std::string(ns)},
                                         std::make_shared<Callback>(std::move(sink)), wall_());
    server_.core.hub.deliver();
    return std::make_unique<SessionWatch>(std::move(session));
  }

 private:
  Result<TypePtr> find(std::string_view resource) {
    server_.begin(wall_());
    auto type = server_.core.registry.find_resource(resource);
    if (type == nullptr) {
      return error(Code::NotFound, fmt::format("the server has no resource {}", resource));
    }
    return type;
  }

  WriteRequest request_for(const TypePtr& type, std::string_view ns, std::string_view name,
                           std::string_view subresource) const {
    return {.type = type,
            .ns = std::string(ns),
            .name = std::string(name),
            .subresource = std::string(subresource),
            .manager = manager_,
            .user = "system:" + manager_,
            .now = wall_()};
  }

  Result<Value> replace(std::string_view resource, std::string_view ns,
                        std::string_view subresource, Value object) {
    normalize_numbers(object);
    const std::string name(string_at(object, "metadata.name"));
    return write(resource, ns, name, subresource, [&](const WriteRequest& request) {
      return server_.writer.replace(request, std::move(object));
    });
  }

  template <class Action>
  Result<Value> write(std::string_view resource, std::string_view ns, std::string_view name,
                      std::string_view subresource, Action action) {
    const auto type = find(resource);
    if (!type) return type.error();
    const auto request = request_for(*type, ns, name, subresource);
    const ApiResult<WriteResult> written = action(request);
    server_.settle(request.now);
    if (!written) return to_error(written.error());
    return written->object->value;
  }

  ApiServer::Impl& server_;
  std::string manager_;
  std::function<WallTime()> wall_;
};

std::unique_ptr<LocalClient> ApiServer::local_client(std::string manager,
                                                     std::function<WallTime()> wall) {
  return std::make_unique<InProcessClient>(*impl_, std::move(manager), std::move(wall));
}

}  // namespace troupe::sim
