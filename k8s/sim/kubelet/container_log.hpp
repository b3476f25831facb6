// The output of containers, in files of the form that real kubelets write (CRI):
//
//   2026-01-31T12:00:00.123456Z stdout F the line
//
// A full file moves to NAME.old once; so at most two of kMaxLogBytes are kept for an instance.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "k8s/sim/kubelet/process.hpp"
#include "k8s/sim/node_api.hpp"

namespace troupe::sim {

constexpr std::int64_t kMaxLogBytes = 16 << 20;

// Set by the writer when the last process that held the output has closed it.
struct LogState {
  std::filesystem::path path;
  std::atomic<bool> complete = false;
};

struct OpenedLog {
  Fd out, err;  // to be given to the container
  std::shared_ptr<const LogState> state;
};

// Reads both streams on `io`'s thread until they are closed.
Result<OpenedLog> open_container_log(boost::asio::io_context& io,
                                     const std::filesystem::path& path);

// Sends a log to a sink on `io`'s thread: see LogOptions.
std::unique_ptr<NodeSession> read_container_log(boost::asio::io_context& io,
                                                std::shared_ptr<const LogState> log,
                                                const LogOptions& options,
                                                std::shared_ptr<LogSink> sink);

// The newest lines, at most `max_bytes` of them, without times: for termination messages.
std::string tail_of_log(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace troupe::sim
