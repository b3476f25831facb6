// get, list and watch: selectors, chunks, resourceVersion rules and representations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/request_info.hpp"
#include "k8s/sim/api/status.hpp"

namespace troupe::sim {

// Where the lines of a watch go: one JSON object each, with its newline.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // False: the client's buffer is full; WatchSession::resume() when there is room again.
  virtual bool line(std::shared_ptr<const std::string> line) = 0;
  // The watch ended: its time is up, it was cut, or its kind is gone.
  virtual void closed() = 0;
};

// What a continue token says.
struct Continue {
  std::int64_t revision = 0;  // -1: whatever is newest
  std::string start;          // the last key that was shown
  std::int64_t left = -1;     // objects after `start`; -1: unknown
};

struct Selection {
  std::string ns;
  LabelSelector labels;
  FieldSelector fields;
  bool matches(const json::object& object) const {
    return fields.matches(object) && labels.matches_object(object);
  }
  bool empty() const { return labels.empty() && fields.empty(); }
};

ApiResult<Selection> parse_selection(const ResourceType& type, const RequestInfo& info);

class Reader {
 public:
  explicit Reader(Core& core) : core_(core) {}

  ApiResult<ObjectPtr> find(const TypePtr& type, const RequestInfo& info) const;
  ApiResult<Response> get(const TypePtr& type, const RequestInfo& info, Representation as,
                          WallTime now) const;
  ApiResult<Response> list(const TypePtr& type, const RequestInfo& info, Representation as,
                           WallTime now) const;
  ApiResult<std::unique_ptr<WatchSession>> watch(const TypePtr& type, const RequestInfo& info,
                                                 Representation as, std::shared_ptr<WatchSink> sink,
                                                 WallTime now);

  // One object in the wanted representation, as the body of an answer.
  static std::string body(const ResourceType& type, const ObjectPtr& viewed, Representation as,
                          const RequestInfo& info, WallTime now);

 private:
  struct Page;
  ApiResult<Continue> page_start(const RequestInfo& info, std::size_t limit) const;
  ApiResult<Page> page(const TypePtr& type, const RequestInfo& info) const;

  Core& core_;
};

}  // namespace troupe::sim
