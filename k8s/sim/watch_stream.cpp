// Watches and logs: a body in chunks that grows as long as the client listens.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "k8s/sim/http_session.hpp"

namespace troupe::sim {
namespace {

// Bytes that wait for a client: above the first the producer pauses, and a producer that cannot
// pause loses the client at the second.
constexpr std::size_t kHighWater = 1 << 20;
constexpr std::size_t kLowWater = kHighWater / 4;
constexpr std::size_t kMaxQueued = 16 << 20;
constexpr std::size_t kMaxChunk = 256 * 1024;

// Bytes on their way to one client.
class ChunkQueue {
 public:
  explicit ChunkQueue(const asio::any_io_executor& executor) : signal_(executor) {}

  // False: the client is behind.
  bool push(std::shared_ptr<const std::string> bytes) {
    queued_ += bytes->size();
    parts_.push_back(std::move(bytes));
    if (queued_ > kMaxQueued) closed_ = true;
    signal_.raise();
    full_ = queued_ >= kHighWater;
    return !full_;
  }
  void finish() {
    finished_ = true;
    signal_.raise();
  }
  // The client is gone.
  void close() {
    closed_ = true;
    signal_.raise();
  }

  // Writes until the end; `resume` is called when a full queue has drained.
  Task<> drain(Transport& transport, const std::function<void()>& resume) {
    while (!closed_ && !(finished_ && parts_.empty())) {
      if (parts_.empty()) {
        co_await signal_.wait();
        continue;
      }
      std::string chunk;
      while (!parts_.empty() && chunk.size() < kMaxChunk) {
        chunk += *parts_.front();
        queued_ -= parts_.front()->size();
        parts_.pop_front();
      }
      co_await write_chunk(transport, chunk);
      if (full_ && queued_ < kLowWater) {
        full_ = false;
        resume();
      }
    }
    if (!closed_) co_await write_last_chunk(transport);
  }

 private:
  std::deque<std::shared_ptr<const std::string>> parts_;
  std::size_t queued_ = 0;
  Signal signal_;
  bool full_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

class QueueSink : public WatchSink {
 public:
  explicit QueueSink(std::shared_ptr<ChunkQueue> queue) : queue_(std::move(queue)) {}
  bool line(std::shared_ptr<const std::string> line) override {
    return queue_->push(std::move(line));
  }
  void closed() override { queue_->finish(); }

 private:
  std::shared_ptr<ChunkQueue> queue_;
};

class LogQueueSink : public LogSink {
 public:
  explicit LogQueueSink(std::shared_ptr<ChunkQueue> queue) : queue_(std::move(queue)) {}
  bool write(std::string_view bytes) override {
    return queue_->push(std::make_shared<std::string>(bytes));
  }
  void finished(Result<void> outcome) override {
    if (!outcome) queue_->push(std::make_shared<std::string>(outcome.error().message + "\n"));
    queue_->finish();
  }

 private:
  std::shared_ptr<ChunkQueue> queue_;
};

void close_queue_when_client_leaves(const std::shared_ptr<Transport>& transport,
                                    const std::shared_ptr<ChunkQueue>& queue) {
  asio::co_spawn(
      transport->get_executor(),
      [transport, queue]() -> Task<> {
        co_await wait_for_close(*transport);
        queue->close();
      },
      asio::detached);
}

}  // namespace

Task<> serve_watch(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                   const HttpRequest& http_request, const Request& request) {
  const auto queue = std::make_shared<ChunkQueue>(transport->get_executor());
  auto opened =
      context->api.open_watch(request, std::make_shared<QueueSink>(queue), context->clock.wall());
  if (auto* refusal = std::get_if<Response>(&opened)) {
    co_await write_response(*transport, http_request, std::move(*refusal), false);
    co_return;
  }
  const auto session = std::move(std::get<std::unique_ptr<WatchSession>>(opened));
  co_await write_stream_header(*transport, "application/json");
  close_queue_when_client_leaves(transport, queue);
  co_await queue->drain(*transport, [&] { session->resume(); });
}

Task<> serve_logs(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                  const HttpRequest& http_request, const NodeCall& call) {
  const auto queue = std::make_shared<ChunkQueue>(transport->get_executor());
  auto session =
      context->node->logs(call.container, call.logs, std::make_shared<LogQueueSink>(queue));
  if (!session) {
    const auto error = bad_request(session.error().message);
    co_await refuse(*transport, http_request, error);
    co_return;
  }
  co_await write_stream_header(*transport, "text/plain");
  close_queue_when_client_leaves(transport, queue);
  co_await queue->drain(*transport, [&] { (*session)->resume(); });
}

}  // namespace troupe::sim
