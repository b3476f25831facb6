// What the API server asks of the node a pod runs on: logs, exec, attach, port-forward.
//
// The kubelet implements NodeApi; the socket shell calls it and implements the sinks. All calls, in
// both directions, happen on the API server's thread: whoever works on another thread posts. A
// session lives until its owner destroys it (the client went away) or has called its sink's
// finished(), after which neither side calls the other again.
//
// Flow control: write() answers false when the client's buffer is full (the bytes are taken all the
// same). The producer then stops until resume() is called on its session; one that goes on anyway
// has its client cut off.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

struct ContainerRef {
  std::string ns;
  std::string pod;
  std::string pod_uid;
  std::string node;       // spec.nodeName
  std::string container;  // never empty: the server has chosen the default container
};

struct LogOptions {
  bool follow = false;
  bool previous = false;    // the instance before the last restart
  bool timestamps = false;  // each line begins with an RFC 3339 time
  std::optional<std::int64_t> tail_lines;
  std::optional<std::int64_t> limit_bytes;
  std::optional<WallTime> since;
};

struct ExecOptions {
  std::vector<std::string> argv;  // empty: attach to the container's own process
  bool tty = false;
  bool use_stdin = false;
  bool use_stdout = true;
  bool use_stderr = true;
};

// A running logs, exec, attach or port-forward. Destroying it ends the work on the node.
class NodeSession {
 public:
  virtual ~NodeSession() = default;
  // The sink that answered false has room again.
  virtual void resume() = 0;
};

class ExecSession : public NodeSession {
 public:
  // Bytes for the process; `consumed` is called once they are written, and only then come more.
  virtual void write_stdin(std::string bytes, std::function<void()> consumed) = 0;
  virtual void close_stdin() = 0;
  virtual void resize_terminal(std::uint16_t columns, std::uint16_t rows) = 0;
};

class PortSession : public NodeSession {
 public:
  virtual void write(std::string bytes, std::function<void()> consumed) = 0;
  virtual void close_write() = 0;
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool write(std::string_view bytes) = 0;
  // The log ended (or, without follow, was sent). An error before the first byte is shown as such.
  virtual void finished(Result<void> outcome) = 0;
};

class ExecSink {
 public:
  virtual ~ExecSink() = default;
  virtual bool write_stdout(std::string_view bytes) = 0;
  virtual bool write_stderr(std::string_view bytes) = 0;
  // The process ended with this status (128 + signal when killed), or could not be started.
  virtual void finished(Result<int> exit_status) = 0;
};

class PortSink {
 public:
  virtual ~PortSink() = default;
  virtual bool write(std::string_view bytes) = 0;
  virtual void finished(Result<void> outcome) = 0;
};

// A refusal that is known at once (no such container, not started yet) is the returned error.
class NodeApi {
 public:
  virtual ~NodeApi() = default;
  virtual Result<std::unique_ptr<NodeSession>> logs(const ContainerRef& container,
                                                    const LogOptions& options,
                                                    std::shared_ptr<LogSink> sink) = 0;
  virtual Result<std::unique_ptr<ExecSession>> exec(const ContainerRef& container,
                                                    const ExecOptions& options,
                                                    std::shared_ptr<ExecSink> sink) = 0;
  virtual Result<std::unique_ptr<PortSession>> port_forward(const ContainerRef& pod,
                                                            std::uint16_t port,
                                                            std::shared_ptr<PortSink> sink) = 0;
};

}  // namespace troupe::sim
