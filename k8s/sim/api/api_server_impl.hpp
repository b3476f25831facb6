// The parts of the server behind its interface; for api_server.cpp and local_client.cpp only.
#pragma once

#include <optional>
#include <string>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/openapi.hpp"
#include "k8s/sim/api/openapi_v2.hpp"
#include "k8s/sim/api/reader.hpp"
#include "k8s/sim/api/subresources.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

class ApiServer::Impl {
 public:
  explicit Impl(ApiServerOptions options);

  Response handle(const Request& request, WallTime now);
  ApiResult<std::unique_ptr<WatchSession>> open_watch(const Request& request,
                                                      std::shared_ptr<WatchSink> sink,
                                                      WallTime now);
  ApiResult<NodeCall> node_call(const Request& request, WallTime now);
  void tick(WallTime now);
  bool has_work() const;
  void advertise(const std::string& address, std::uint16_t port, WallTime now);

  // Runs what a change has brought about, and tells the watchers.
  void settle(WallTime now);
  void begin(WallTime now);

  Core core;
  Writer writer;
  Reader reader;

 private:
  ApiResult<Response> route(const Request& request, WallTime now);
  ApiResult<Response> serve_resource(const Request& request, const RequestInfo& info,
                                     const std::string& user, WallTime now);
  ApiResult<Response> serve_object(const Request& request, const RequestInfo& info,
                                   const TypePtr& type, WriteRequest write, WallTime now);
  ApiResult<Response> serve_subresource(const Request& request, const RequestInfo& info,
                                        const TypePtr& type, WriteRequest write);
  ApiResult<Response> serve_patch(const Request& request, const RequestInfo& info,
                                  const WriteRequest& write, Representation as);
  ApiResult<Response> serve_delete(const Request& request, const RequestInfo& info,
                                   const WriteRequest& write);
  ApiResult<Response> delete_collection(const Request& request, const RequestInfo& info,
                                        const WriteRequest& write, Representation as);
  ApiResult<Response> serve_document(const Request& request, const RequestInfo& info);
  ApiResult<Response> serve_openapi(const RequestInfo& info);
  ApiResult<Response> serve_swagger(const Request& request);
  const std::vector<OpenApiDocument>& openapi();
  ApiResult<std::string> authenticate(const Request& request, WallTime now) const;
  std::optional<ApiError> injected_fault(const Request& request);

  bool bootstrapped_ = false;
  bool settling_ = false;
  WallTime last_second_{};
  std::uint64_t openapi_generation_ = 0;
  std::vector<OpenApiDocument> openapi_;
  std::optional<SwaggerDocument> swagger_;  // of openapi_; none: nobody has asked yet
};

}  // namespace troupe::sim
