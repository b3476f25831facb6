#include "k8s/sim/api/api_server.hpp"

#include <fmt/format.h>

#include "k8s/sim/api/api_server_impl.hpp"
#include "k8s/sim/api/body.hpp"
#include "k8s/sim/api/bootstrap.hpp"
#include "k8s/sim/api/custom_types.hpp"
#include "k8s/sim/api/discovery.hpp"
#include "k8s/sim/api/namespace_keeper.hpp"
#include "k8s/sim/api/owner_graph.hpp"
#include "k8s/sim/api/render.hpp"
#include "k8s/sim/api/tokens.hpp"

namespace troupe::sim {
namespace {

// Objects that the collector looks at before requests get their turn again.
constexpr std::size_t kCollectAtOnce = 2'000;
constexpr std::size_t kMaxFieldManager = 128;

// kubectl/v1.32.4 (linux/amd64) -> kubectl
std::string manager_of(const Request& request, const RequestInfo& info) {
  const auto named = info.param("fieldManager");
  if (!named.empty()) return std::string(named);
  const auto agent = std::string_view(request.user_agent);
  return std::string(agent.substr(0, agent.find('/')));
}

ApiResult<FieldValidation> field_validation(const RequestInfo& info) {
  const auto text = info.param("fieldValidation");
  if (text.empty() || text == "Warn") return FieldValidation::Warn;
  if (text == "Strict") return FieldValidation::Strict;
  if (text == "Ignore") return FieldValidation::Ignore;
  return invalid_object("meta.k8s.io", "CreateOptions", "",
                        {not_supported("fieldValidation", fmt::format("\"{}\"", text),
                                       {"Ignore", "Strict", "Warn"})});
}

ApiResult<WriteRequest> write_request(const Request& request, const RequestInfo& info,
                                      const TypePtr& type, std::string user, WallTime now) {
  const auto validation = field_validation(info);
  if (!validation) return validation.error();
  const auto dry_run = info.param("dryRun");
  if (!dry_run.empty() && dry_run != "All") {
    return invalid_object("meta.k8s.io", "UpdateOptions", "",
                          {not_supported("dryRun", fmt::format("\"{}\"", dry_run), {"All"})});
  }
  auto manager = manager_of(request, info);
  if (manager.size() > kMaxFieldManager) {
    return bad_request(fmt::format("fieldManager may not be more than {} bytes", kMaxFieldManager));
  }
  return WriteRequest{.type = type,
                      .ns = info.ns,
                      .name = info.name,
                      .subresource = info.subresource,
                      .manager = std::move(manager),
                      .user = std::move(user),
                      .dry_run = !dry_run.empty(),
                      .validation = *validation,
                      .now = now};
}

void add_warnings(Response& response, const std::vector<std::string>& warnings) {
  for (const auto& text : warnings) {
    response.headers.emplace_back("Warning",
                                  fmt::format("299 - {}", json::serialize(json::string(text))));
  }
}

Response written_response(const WriteRequest& write, const WriteResult& result, Representation as,
                          const RequestInfo& info) {
  Response response{.status = result.created ? 201 : 200,
                    .body = Reader::body(*write.type, result.object, as, info, write.now)};
  add_warnings(response, result.warnings);
  return response;
}

bool lists(const RequestInfo& info) { return info.name.empty(); }

std::string_view verb_of(const Request& request, const RequestInfo& info) {
  const auto& method = request.method;
  if (method == "GET" || method == "HEAD") {
    return info.watch ? "watch" : lists(info) ? "list" : "get";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return lists(info) ? "deletecollection" : "delete";
  return "";
}

}  // namespace

Response error_response(const ApiError& error) {
  Response response{.status = error.code, .body = json::serialize(to_status(error))};
  if (error.retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
  }
  return response;
}

ApiServer::Impl::Impl(ApiServerOptions options)
    : core(std::move(options)), writer(core), reader(core) {}

void ApiServer::Impl::begin(WallTime now) {
  core.now = now;
  if (!std::exchange(bootstrapped_, true)) {
    bootstrap_cluster(core, writer, now);
    settle(now);
  }
}

void ApiServer::Impl::settle(WallTime now) {
  if (std::exchange(settling_, true)) return;
  std::size_t budget = kCollectAtOnce;
  while (has_work() && budget > 0) {
    core.definitions->work(writer, now);
    core.namespaces->work(writer, now);
    const auto share = std::min<std::size_t>(budget, 100);
    core.owners->work(writer, now, share);
    budget -= share;
  }
  settling_ = false;
  core.hub.deliver();
}

bool ApiServer::Impl::has_work() const {
  return core.definitions->has_work() || core.namespaces->has_work() || core.owners->has_work();
}

std::optional<ApiError> ApiServer::Impl::injected_fault(const Request& request) {
  const auto& faults = core.options.faults;
  if (core.random.chance(faults.error)) {
    switch (core.random.below(3)) {
      case 0:
        return too_many_requests("too many requests, please try again later", 1);
      case 1:
        return internal_error("etcdserver: leader changed");
      default:
        return ApiError{
            .code = 503, .reason = "ServiceUnavailable", .message = "apiserver is busy"};
    }
  }
  const bool updates = request.method == "PUT" || request.method == "PATCH";
  if (updates && request.body.find("\"resourceVersion\"") != std::string::npos &&
      core.random.chance(faults.conflict)) {
    return ApiError{.code = 409,
                    .reason = "Conflict",
                    .message =
                        "Operation cannot be fulfilled: the object has been modified; please "
                        "apply your changes to the latest version and try again"};
  }
  return std::nullopt;
}

Response ApiServer::Impl::handle(const Request& request, WallTime now) {
  begin(now);
  const auto& faults = core.options.faults;
  Response response;
  if (const auto fault = injected_fault(request)) {
    response = error_response(*fault);
  } else {
    auto answer = route(request, now);
    settle(now);
    response = answer ? std::move(*answer) : error_response(answer.error());
    if (request.method != "GET" && core.random.chance(faults.lost_answer)) {
      response = error_response({.code = 504,
                                 .reason = "Timeout",
                                 .message = "Timeout: request did not complete within the allotted "
                                            "timeout"});
    }
  }
  if (core.random.chance(faults.latency)) {
    response.delay = Duration(static_cast<std::int64_t>(
        core.random.below(static_cast<std::uint64_t>(faults.max_latency.count()) + 1)));
  }
  return response;
}

ApiResult<std::string> ApiServer::Impl::authenticate(const Request& request, WallTime now) const {
  const auto identity = core.tokens->authenticate(request.authorization, now);
  if (!identity) return unauthorized();
  return identity->user;
}

ApiResult<Response> ApiServer::Impl::route(const Request& request, WallTime now) {
  if (request.body.size() > kMaxBodyBytes) return request_too_large();
  auto info = parse_request(request);
  if (!info) return info.error();
  const bool health = info->path == "/healthz" || info->path.starts_with("/livez") ||
                      info->path.starts_with("/readyz");
  if (health) return Response{.content_type = "text/plain; charset=utf-8", .body = "ok"};
  const auto user = authenticate(request, now);
  if (!user) return user.error();
  if (info->resource_request) return serve_resource(request, *info, *user, now);
  return serve_document(request, *info);
}

ApiResult<Response> ApiServer::Impl::serve_document(const Request& request,
                                                    const RequestInfo& info) {
  if (info.path == "/version") return json_response(200, json::value(server_version()));
  if (info.path.starts_with("/openapi/v3")) return serve_openapi(info);
  if (info.path == "/openapi/v2") return serve_swagger(request);
  const bool core_list = info.path == "/api" || info.path == "/api/";
  const bool group_list = info.path == "/apis" || info.path == "/apis/";
  if (core_list || group_list) {
    if (wants_aggregated_discovery(request.accept)) {
      auto response =
          json_response(200, json::value(aggregated_discovery(core.registry, core_list)));
      response.content_type =
          "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
      return response;
    }
    const auto address =
        fmt::format("{}:{}", core.options.advertise_address, core.options.advertise_port);
    return json_response(
        200, json::value(core_list ? api_versions(address) : api_groups(core.registry)));
  }
  std::optional<json::object> document;
  if (info.version.empty() && !info.group.empty()) {
    document = api_group(core.registry, info.group);
  } else if (!info.version.empty()) {
    document = api_resources(core.registry, info.group, info.version);
  } else if (info.path == "/") {
    document =
        json::object{{"paths", json::array{"/api", "/apis", "/healthz", "/livez", "/openapi/v2",
                                           "/openapi/v3", "/readyz", "/version"}}};
  }
  if (!document) return unknown_path();
  return json_response(200, json::value(std::move(*document)));
}

const std::vector<OpenApiDocument>& ApiServer::Impl::openapi() {
  if (openapi_.empty() || openapi_generation_ != core.registry.generation()) {
    std::vector<OpenApiResource> resources;
    for (const auto& type : core.registry.types()) {
      resources.push_back({type->group, type->version, type->kind, type->plural, type->singular,
                           type->namespaced, type->open_api_schema, type->has_status,
                           type->scale.has_value()});
    }
    openapi_ = openapi_documents(resources);
    openapi_generation_ = core.registry.generation();
    swagger_.reset();
  }
  return openapi_;
}

ApiResult<Response> ApiServer::Impl::serve_swagger(const Request& request) {
  const auto form = parse_swagger_accept(request.accept);
  if (!form) return form.error();
  const auto& parts = openapi();
  if (!swagger_) swagger_ = swagger_document(parts);
  Response response;
  response.headers.emplace_back("Etag", fmt::format("\"{}\"", swagger_->hash));
  response.headers.emplace_back("Vary", "Accept");
  if (*form == SwaggerForm::Json) {
    response.body = swagger_->json;
  } else {
    response.content_type = kSwaggerProtobuf;
    response.body = swagger_->protobuf;
  }
  return response;
}

ApiResult<Response> ApiServer::Impl::serve_openapi(const RequestInfo& info) {
  const auto& documents = openapi();
  constexpr std::string_view kRoot = "/openapi/v3";
  if (info.path == kRoot) return json_response(200, json::value(openapi_root(documents)));
  const auto wanted = std::string_view(info.path).substr(kRoot.size() + 1);
  for (const auto& document : documents) {
    if (document.path != wanted) continue;
    Response response{.body = document.body};
    response.headers.emplace_back("Etag", fmt::format("\"{}\"", document.hash));
    return response;
  }
  return unknown_path();
}

ApiResult<Response> ApiServer::Impl::serve_resource(const Request& request, const RequestInfo& info,
                                                    const std::string& user, WallTime now) {
  const auto type = core.registry.find(info.group, info.version, info.resource);
  if (type == nullptr) return unknown_path();
  if (!type->namespaced && !info.ns.empty()) return unknown_path();
  auto write = write_request(request, info, type, user, now);
  if (!write) return write.error();
  if (!info.subresource.empty() && info.subresource != "status") {
    return serve_subresource(request, info, type, std::move(*write));
  }
  if (info.subresource == "status" && !type->has_status) return unknown_path();
  const auto verb = verb_of(request, info);
  const bool needs_namespace = type->namespaced && info.ns.empty();
  const bool allowed = type->allows(verb) &&
                       !(needs_namespace && verb != "list" && verb != "watch") &&
                       !(verb == "create" && !info.name.empty());
  if (!allowed || verb.empty()) return method_not_supported(type->name(), verb);
  return serve_object(request, info, type, std::move(*write), now);
}

ApiResult<Response> ApiServer::Impl::serve_object(const Request& request, const RequestInfo& info,
                                                  const TypePtr& type, WriteRequest write,
                                                  WallTime now) {
  const auto verb = verb_of(request, info);
  const auto as = parse_accept(request.accept);
  if (!as) return as.error();
  if (verb == "get") return reader.get(type, info, *as, now);
  if (verb == "list") return reader.list(type, info, *as, now);
  if (verb == "delete") return serve_delete(request, info, write);
  if (verb == "deletecollection") return delete_collection(request, info, write, *as);
  if (verb == "patch") return serve_patch(request, info, write, *as);
  if (verb == "create" && core.terminating.contains(type->collection)) {
    auto error = method_not_supported(type->name(), "create");
    error.message = "create not allowed while custom resource definition is terminating";
    return error;
  }
  auto body = parse_body(request.content_type, request.body);
  if (!body) return body.error();
  const auto result = verb == "create" ? writer.create(write, std::move(*body))
                                       : writer.replace(write, std::move(*body));
  if (!result) return result.error();
  return written_response(write, *result, *as, info);
}

ApiResult<Response> ApiServer::Impl::serve_patch(const Request& request, const RequestInfo& info,
                                                 const WriteRequest& write, Representation as) {
  const auto media = std::string_view(request.content_type)
                         .substr(0, std::string_view(request.content_type).find(';'));
  const auto& type = *write.type;
  const bool strategic = media == "application/strategic-merge-patch+json" && !type.custom;
  const bool known = media == "application/json-patch+json" ||
                     media == "application/merge-patch+json" ||
                     media == "application/apply-patch+yaml" || strategic;
  if (!known) {
    return unsupported_media_type(
        type.custom ? "application/json-patch+json, application/merge-patch+json, "
                      "application/apply-patch+yaml"
                    : "application/json-patch+json, application/merge-patch+json, "
                      "application/strategic-merge-patch+json, application/apply-patch+yaml");
  }
  auto body = parse_body(media, request.body);
  if (!body) return body.error();
  if (media == "application/apply-patch+yaml") {
    if (info.param("fieldManager").empty()) {
      return invalid_object("meta.k8s.io", "PatchOptions", "",
                            {required("fieldManager", "is required for apply patch")});
    }
    const auto result = writer.apply(write, *body, info.flag("force"));
    if (!result) return result.error();
    return written_response(write, *result, as, info);
  }
  if (info.query.contains("force")) {
    return invalid_object("meta.k8s.io", "PatchOptions", "",
                          {forbidden("force", "may not be specified for non-apply patch")});
  }
  const auto kind = strategic                                ? PatchKind::Strategic
                    : media == "application/json-patch+json" ? PatchKind::Json
                                                             : PatchKind::Merge;
  const auto result = writer.patch(write, kind, *body);
  if (!result) return result.error();
  return written_response(write, *result, as, info);
}

namespace {

ApiResult<DeleteRequest> delete_request(const Request& request, const RequestInfo& info) {
  DeleteRequest options;
  if (!request.body.empty()) {
    const auto body = parse_body(request.content_type, request.body);
    if (!body) return body.error();
    if (body->is_object()) options = parse_delete_options(body->get_object());
  }
  if (const auto grace = info.number("gracePeriodSeconds")) options.grace_period_seconds = grace;
  if (const auto policy = info.param("propagationPolicy"); !policy.empty()) {
    options.propagation = policy;
  }
  const auto& p = options.propagation;
  if (!p.empty() && p != "Background" && p != "Foreground" && p != "Orphan") {
    return invalid_object("meta.k8s.io", "DeleteOptions", "",
                          {not_supported("propagationPolicy", fmt::format("\"{}\"", p),
                                         {"Background", "Foreground", "Orphan"})});
  }
  return options;
}

}  // namespace

ApiResult<Response> ApiServer::Impl::serve_delete(const Request& request, const RequestInfo& info,
                                                  const WriteRequest& write) {
  const auto options = delete_request(request, info);
  if (!options) return options.error();
  const auto result = writer.remove(write, *options);
  if (!result) return result.error();
  const auto& type = *write.type;
  if (!result->gone || type.returns_deleted) {
    return Response{.body = object_text(type, view(write.type, result->object))};
  }
  auto status = success_status(200);
  status.erase("code");
  status["details"] = json::object{{"name", write.name},
                                   {"group", type.group},
                                   {"kind", type.plural},
                                   {"uid", uid_of(result->object->object())}};
  return json_response(200, json::value(std::move(status)));
}

ApiResult<Response> ApiServer::Impl::delete_collection(const Request& request,
                                                       const RequestInfo& info,
                                                       const WriteRequest& write,
                                                       Representation as) {
  const auto options = delete_request(request, info);
  if (!options) return options.error();
  const auto selection = parse_selection(*write.type, info);
  if (!selection) return selection.error();
  auto answer = reader.list(write.type, info, as, write.now);
  if (!answer) return answer.error();
  const auto& collection = core.store.collection(write.type->collection);
  const auto listed = collection.snapshot(info.ns, "", core.store.revision());
  for (const auto& object : *listed) {
    const auto viewed = view(write.type, object);
    if (!selection->matches(viewed->object())) continue;
    WriteRequest one = write;
    one.ns = namespace_of(object->object());
    one.name = name_of(object->object());
    if (const auto gone = writer.remove(one, *options); !gone && gone.error().code != 404) {
      return gone.error();
    }
  }
  return answer;
}

ApiResult<Response> ApiServer::Impl::serve_subresource(const Request& request,
                                                       const RequestInfo& info, const TypePtr& type,
                                                       WriteRequest write) {
  const auto* subresource = type->find_subresource(info.subresource);
  if (subresource == nullptr) return unknown_path();
  const auto verb = verb_of(request, info);
  const auto& verbs = subresource->verbs;
  if (std::find(verbs.begin(), verbs.end(), verb) == verbs.end()) {
    return method_not_supported({type->group, type->plural + "/" + info.subresource}, verb);
  }
  SubresourceCall call{core, writer, request, info, std::move(write), {}};
  if (verb != "get") {
    auto body = parse_body(request.content_type, request.body);
    if (!body) return body.error();
    call.body = std::move(*body);
  }
  if (subresource->handle) return subresource->handle(call);
  if (info.subresource == "scale") return handle_scale(call);
  return unknown_path();
}

ApiResult<std::unique_ptr<WatchSession>> ApiServer::Impl::open_watch(
    const Request& request, std::shared_ptr<WatchSink> sink, WallTime now) {
  begin(now);
  const auto info = parse_request(request);
  if (!info) return info.error();
  const auto user = authenticate(request, now);
  if (!user) return user.error();
  if (const auto fault = injected_fault(request)) return *fault;
  const auto type = core.registry.find(info->group, info->version, info->resource);
  if (type == nullptr || !type->allows("watch")) return unknown_path();
  const auto as = parse_accept(request.accept);
  if (!as) return as.error();
  return reader.watch(type, *info, *as, std::move(sink), now);
}

ApiResult<NodeCall> ApiServer::Impl::node_call(const Request& request, WallTime now) {
  begin(now);
  const auto info = parse_request(request);
  if (!info) return info.error();
  const auto user = authenticate(request, now);
  if (!user) return user.error();
  return parse_node_call(core, *info, now);
}

void ApiServer::Impl::tick(WallTime now) {
  begin(now);
  const auto& faults = core.options.faults;
  if (now - last_second_ >= std::chrono::seconds(1)) {
    last_second_ = now;
    if (core.random.chance(faults.compaction)) core.store.compact(core.store.revision());
    core.hub.cut_some(core.random, faults.watch_cut);
  }
  settle(now);
  core.hub.tick(now);
}

void ApiServer::Impl::advertise(const std::string& address, std::uint16_t port, WallTime now) {
  begin(now);
  core.options.advertise_address = address;
  core.options.advertise_port = port;
  publish_endpoint(core, writer, now);
  settle(now);
}

ApiServer::ApiServer(ApiServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
ApiServer::~ApiServer() = default;

RequestKind ApiServer::classify(const Request& request) const {
  const auto info = parse_request(request);
  if (!info || !info->resource_request) return RequestKind::Plain;
  if (is_node_call(*info)) return RequestKind::Node;
  const bool watch = info->watch && request.method == "GET" && info->subresource.empty();
  return watch ? RequestKind::Watch : RequestKind::Plain;
}

Response ApiServer::handle(const Request& request, WallTime now) {
  return impl_->handle(request, now);
}

std::variant<Response, std::unique_ptr<WatchSession>> ApiServer::open_watch(
    const Request& request, std::shared_ptr<WatchSink> sink, WallTime now) {
  auto session = impl_->open_watch(request, std::move(sink), now);
  if (!session) return error_response(session.error());
  impl_->core.hub.deliver();
  return std::move(*session);
}

std::variant<Response, NodeCall> ApiServer::node_call(const Request& request, WallTime now) {
  auto call = impl_->node_call(request, now);
  if (!call) return error_response(call.error());
  return std::move(*call);
}

void ApiServer::tick(WallTime now) { impl_->tick(now); }
bool ApiServer::has_work() const { return impl_->has_work(); }
void ApiServer::compact() { impl_->core.store.compact(impl_->core.store.revision()); }
std::uint64_t ApiServer::revision() const { return impl_->core.store.revision(); }
std::size_t ApiServer::watch_count() const { return impl_->core.hub.size(); }

Result<Secret> ApiServer::issue_token(const std::string& ns, const std::string& service_account,
                                      const std::vector<std::string>& audiences,
                                      std::chrono::seconds lifetime, WallTime now) {
  auto token = sim::issue_token(impl_->core, ns, service_account, audiences, lifetime, now);
  if (!token) return to_error(token.error());
  return std::move(*token);
}

Result<void> ApiServer::bind_pod(const std::string& ns, const std::string& pod,
                                 const std::string& node, WallTime now) {
  const auto bound = assign_pod(impl_->core, ns, pod, node, now);
  impl_->settle(now);
  if (!bound) return to_error(bound.error());
  return {};
}

void ApiServer::advertise(const std::string& address, std::uint16_t port, WallTime now) {
  impl_->advertise(address, port, now);
}

}  // namespace troupe::sim
