// A few threads for what can only block: mounts, file copies, runc and ip. A job runs on one of
// them and returns what is to run afterwards on the API server's thread.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

class WorkerPool {
 public:
  using Completion = std::function<void()>;
  using Job = std::function<Completion()>;

  WorkerPool(boost::asio::io_context& home, int threads);
  ~WorkerPool();  // waits for the jobs that have begun, drops the others
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Jobs are bounded by their owners: a pod has at most a few under way.
  void submit(Job job);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::sim
