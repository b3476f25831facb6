// What a watch event costs from the socket on: CPU of the receiving thread, per event.
//
//   simdjson   the same bytes off a bare socket, the same fields picked by simdjson alone
//   transport  HTTP, chunks and lines taken apart, nothing decoded
//   decode     and each line decoded into a snapshot
//   watch      all of it: watcher, store, routing, one wake of each object's actor
//
// Events are UnitSets of 2.5 KB, 1 KB of that managedFields, one chunk each, as an API server sends
// them. The server is a thread of this process; its CPU is not counted.
//
//   watch_bench [EVENTS] [OBJECTS]
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "k8s/api/decode.hpp"
#include "k8s/api/unitset.hpp"
#include "k8s/client/http.hpp"
#include "k8s/client/multiplexer.hpp"
#include "runtime/clock.hpp"

namespace troupe::k8s {
namespace {

constexpr std::size_t kSendBuffer = std::size_t{64} << 10;

// ---- The events --------------------------------------------------------------------------------

// Members in the order of an API server: sorted, as it keeps custom resources in maps. #NAME and
// #VERS stand for numbers of six and twelve digits.
constexpr std::string_view kObject =
    R"({"apiVersion":"upm.syntropycloud.io/v1alpha2","kind":"UnitSet","metadata":{)"
    R"("creationTimestamp":"2026-01-31T12:00:00Z","finalizers":["upm.io/unit-delete",)"
    R"("upm.io/configmap-delete"],"generation":2,"labels":{"app.kubernetes.io/part-of":"shop",)"
    R"("upm.api/service-group.name":"mysql-#NAME!","upm.api/service-group.type":"mysql-sg"},)"
    R"("managedFields":[{"apiVersion":"upm.syntropycloud.io/v1alpha2","fieldsType":"FieldsV1",)"
    R"("fieldsV1":{"f:spec":{".":{},"f:edition":{},"f:env":{".":{},"k:{\"name\":\"ADM_USER\"}":)"
    R"({".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"ARCH_MODE\"}":{".":{},"f:name":{},)"
    R"("f:value":{}}},"f:resources":{"f:limits":{"f:cpu":{},"f:memory":{}},"f:requests":{)"
    R"("f:cpu":{},"f:memory":{}}},"f:secret":{"f:mountPath":{},"f:name":{}},)"
    R"("f:sharedConfigName":{},"f:storages":{".":{},"k:{\"name\":\"data\"}":{".":{},)"
    R"("f:mountPath":{},"f:name":{},"f:size":{},"f:storageClassName":{}}},"f:type":{},)"
    R"("f:units":{},"f:version":{}}},"manager":"kubectl","operation":"Apply",)"
    R"("time":"2026-01-31T12:00:00Z"},{"apiVersion":"upm.syntropycloud.io/v1alpha2",)"
    R"("fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{)"
    R"("k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}},"f:inUpdate":{},)"
    R"("f:readyUnits":{},"f:units":{}}},"manager":"troupe-unitset","operation":"Apply",)"
    R"("subresource":"status","time":"2026-01-31T12:00:01Z"}],"name":"mysql-#NAME!",)"
    R"("namespace":"tenant","resourceVersion":"#VERSION!!!!",)"
    R"("uid":"3f2c8a54-7a60-4b1e-9d3e-000000#NAME!"},"spec":{"edition":"community","env":[)"
    R"({"name":"ARCH_MODE","value":"rpl_semi_sync"},{"name":"ADM_USER","value":"root"}],)"
    R"("persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},)"
    R"("resources":{"limits":{"cpu":"2","memory":"4Gi"},"requests":{"cpu":"1","memory":"2Gi"}},)"
    R"("secret":{"mountPath":"/SECRET_MOUNT","name":"mysql-secret"},)"
    R"("sharedConfigName":"mysql-config","storages":[{"mountPath":"/DATA_MOUNT","name":"data",)"
    R"("size":"100Gi","storageClassName":"standard"}],"type":"mysql","units":3,)"
    R"("updateStrategy":{"rollingUpdate":{"maxUnavailable":1,"partition":0},)"
    R"("type":"RollingUpdate"},"version":"8.0.41"},"status":{"conditions":[)"
    R"({"lastTransitionTime":"2026-01-31T12:00:05Z","message":"all Units are ready",)"
    R"("observedGeneration":2,"reason":"AllReady","status":"True","type":"Ready"}],)"
    R"("inUpdate":"false","observedGeneration":2,"readyUnits":3,"unitImageSynced":"Synced",)"
    R"("unitPVCSynced":"Synced","unitResourceSynced":"Synced","units":3}})";
constexpr std::string_view kBookmark =
    R"({"type":"BOOKMARK","object":{"apiVersion":"upm.syntropycloud.io/v1alpha2","kind":"UnitSet",)"
    R"("metadata":{"annotations":{"k8s.io/initial-events-end":"true"},)"
    R"("resourceVersion":"100000000000"}}})";

// A line whose numbers are written in place.
class EventLine {
 public:
  explicit EventLine(std::string_view type)
      : text_(fmt::format(R"({{"type":"{}","object":{}}})", type, kObject) + "\n") {
    for (auto at = text_.find("#NAME!"); at != std::string::npos; at = text_.find("#NAME!", at + 1))
      names_.push_back(at);
    version_ = text_.find("#VERSION!!!!");
  }
  std::string_view set(std::uint64_t object, std::uint64_t version) {
    for (const auto at : names_) digits(at, 6, object);
    digits(version_, 12, version);
    return text_;
  }

 private:
  void digits(std::size_t at, std::size_t count, std::uint64_t value) {
    while (count-- > 0) {
      text_[at + count] = static_cast<char>('0' + value % 10);
      value /= 10;
    }
  }
  std::string text_;
  std::vector<std::size_t> names_;
  std::size_t version_;
};

// ---- The server --------------------------------------------------------------------------------

struct Load {
  std::uint64_t events = 200'000;
  std::uint64_t objects = 50'000;
};

// Serves one connection: a chunked watch, or the lines alone.
class EventServer {
 public:
  EventServer(Load load, bool bare, bool with_list)
      : load_(load), bare_(bare), with_list_(with_list) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 1) != 0) {
      std::perror("watch_bench: cannot listen");
      std::exit(1);
    }
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EventServer() {
    thread_.join();
    ::close(client_);
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  void go() { go_.set_value(); }

 private:
  void serve() {
    client_ = ::accept(listener_, nullptr, nullptr);
    if (!bare_) {
      char request[4096];
      if (::recv(client_, request, sizeof request, 0) <= 0) return;
      out_ =
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n";
    }
    if (with_list_) {
      EventLine added("ADDED");
      for (std::uint64_t i = 0; i < load_.objects; ++i) put(added.set(i, 1 + i));
      put(std::string(kBookmark) + "\n");
    }
    flush();
    go_.get_future().wait();
    EventLine modified("MODIFIED");
    for (std::uint64_t i = 0; i < load_.events; ++i) {
      put(modified.set(i * 7919 % load_.objects, 100'000'000'001 + i));
    }
    flush();
  }
  void put(std::string_view line) {
    if (!bare_) fmt::format_to(std::back_inserter(out_), "{:x}\r\n", line.size());
    out_ += line;
    if (!bare_) out_ += "\r\n";
    if (out_.size() >= kSendBuffer) flush();
  }
  void flush() {
    std::string_view rest = out_;
    while (!rest.empty()) {
      const auto sent = ::send(client_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    out_.clear();
  }

  const Load load_;
  const bool bare_, with_list_;
  int listener_ = -1, client_ = -1;
  std::uint16_t port_ = 0;
  std::string out_;
  std::promise<void> go_;
  std::thread thread_;
};

// ---- Measuring ---------------------------------------------------------------------------------

double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Usage {
  double cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);  // of the calling thread
  double wall = seconds_of(CLOCK_MONOTONIC);
};

struct Figure {
  double cpu_us;
  double wall_us;
};

Figure per_event(const Usage& from, const Usage& to, std::uint64_t events) {
  const auto n = static_cast<double>(events);
  return {(to.cpu - from.cpu) / n * 1e6, (to.wall - from.wall) / n * 1e6};
}

// ---- simdjson alone ----------------------------------------------------------------------------

namespace od = simdjson::ondemand;

std::uint64_t read_all(od::value value) {
  std::uint64_t sum = 0;
  switch (value.type()) {
    case od::json_type::object:
      for (auto field : value.get_object()) {
        sum += std::string_view(field.unescaped_key()).size() + read_all(field.value());
      }
      return sum;
    case od::json_type::array:
      for (auto item : value.get_array()) sum += read_all(item.value());
      return sum;
    case od::json_type::string:
      return std::string_view(value.get_string()).size();
    case od::json_type::number:
      return static_cast<std::uint64_t>(value.get_int64());
    case od::json_type::boolean:
      return value.get_bool() ? 1 : 0;
    default:
      return 0;
  }
}

// What the decoder reads: all but apiVersion, kind and managedFields.
std::uint64_t pick(od::parser& parser, std::string_view line) {
  auto document = parser.iterate(line.data(), line.size(), line.size() + kJsonPadding);
  std::uint64_t sum = std::string_view(document["type"]).size();
  for (auto part : document["object"].get_object()) {
    const od::raw_json_string key = part.key();
    if (key == "metadata") {
      for (auto field : part.value().get_object()) {
        if (field.key() != "managedFields") sum += read_all(field.value());
      }
    } else if (key == "spec" || key == "status") {
      sum += read_all(part.value());
    }
  }
  return sum;
}

Figure simdjson_alone(Load load) {
  EventServer server(load, true, false);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(server.port());
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::exit(1);
  server.go();
  std::vector<char> buffer(kSendBuffer + kJsonPadding);
  od::parser parser;
  std::size_t filled = 0;
  std::uint64_t seen = 0, sum = 0;
  const Usage from;
  while (seen < load.events) {
    const auto got = ::recv(fd, buffer.data() + filled, kSendBuffer - filled, 0);
    if (got <= 0) std::exit(1);
    filled += static_cast<std::size_t>(got);
    std::string_view rest(buffer.data(), filled);
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      sum += pick(parser, rest.substr(0, end));
      rest.remove_prefix(end + 1);
      ++seen;
    }
    std::memmove(buffer.data(), rest.data(), filled = rest.size());
  }
  const Usage to;
  ::close(fd);
  if (sum == 0) std::exit(1);  // and nothing is optimized away
  return per_event(from, to, load.events);
}

// ---- Ours --------------------------------------------------------------------------------------

ClientConfig config_of(std::uint16_t port) {
  ClientConfig config;
  config.host = "127.0.0.1";
  config.port = port;
  config.tls = false;
  return config;
}

class LineCounter final : public StreamHandler {
 public:
  LineCounter(std::uint64_t events, bool decode) : events_(events), decode_(decode) {}
  void on_open() override { from_.emplace(); }
  void on_lines(std::span<const std::string_view> lines, std::size_t) override {
    if (decode_) {
      for (const auto line : lines) {
        const auto event =
            decoder_.watch_event(kind_info<UnitSet>(), {line, line.size() + kJsonPadding});
        if (!event || !event->object) std::exit(1);
      }
    }
    seen_ += lines.size();
    if (seen_ == events_) done_.set_value(per_event(*from_, Usage{}, events_));
  }
  void on_refused(const Response&) override { std::exit(1); }
  void on_end(std::optional<Error>) override {}
  Figure wait() { return done_.get_future().get(); }

 private:
  const std::uint64_t events_;
  const bool decode_;
  Decoder decoder_;
  std::uint64_t seen_ = 0;
  std::optional<Usage> from_;
  std::promise<Figure> done_;
};

Figure through_transport(Load load, bool decode) {
  EventServer server(load, false, false);
  SystemClock clock;
  LoopThread loop(clock);
  const auto counter = std::make_shared<LineCounter>(load.events, decode);
  std::unique_ptr<HttpTransport> transport;
  loop.run([&] {
    transport = HttpTransport::make(loop.loop(), config_of(server.port())).value();
    transport->stream({.target = "/watch"}, counter);
  });
  server.go();
  const auto figure = counter->wait();
  loop.run([&] { transport.reset(); });
  return figure;
}

class CountingSink final : public WakeSink {
 public:
  explicit CountingSink(std::uint64_t events) : events_(events) {}
  void wake(std::span<const Wake> wakes) override {
    ++batches;
    woken_ += wakes.size();
    if (counting_from_ && woken_ >= events_)
      done_.set_value(per_event(*counting_from_, Usage{}, woken_));
  }
  CausalId next_causal_id() override { return CausalId{++ids_}; }
  // On the loop, when the list is there.
  void begin() {
    woken_ = batches = 0;
    counting_from_.emplace();
  }
  Figure wait() { return done_.get_future().get(); }

  std::uint64_t batches = 0;

 private:
  const std::uint64_t events_;
  std::uint64_t woken_ = 0, ids_ = 0;
  std::optional<Usage> counting_from_;
  std::promise<Figure> done_;
};

Figure whole_watch(Load load, double& events_a_batch) {
  EventServer server(load, false, true);
  SystemClock clock;
  LoopThread loop(clock);
  Store store(StoreOptions{{"upm.api/service-group.name"}});
  Router router(store);
  for (std::uint32_t i = 0; i < load.objects; ++i) {
    router.add_actor(ActorId{i}, kKindId<UnitSet>, "tenant", fmt::format("mysql-{:06}", i));
  }
  CountingSink sink(load.events);
  std::unique_ptr<HttpTransport> transport;
  std::unique_ptr<Multiplexer> multiplexer;
  loop.run([&] {
    transport = HttpTransport::make(loop.loop(), config_of(server.port())).value();
    multiplexer =
        std::make_unique<Multiplexer>(loop.loop(), *transport, store, router, sink,
                                      std::vector<WatchedKind>{{.kind = &kind_info<UnitSet>()}});
    multiplexer->start([&] {
      // The wakes of the list's last batch go out after this call.
      loop.loop().post([&] {
        sink.begin();
        server.go();
      });
    });
  });
  const auto figure = sink.wait();
  events_a_batch = static_cast<double>(load.events) / static_cast<double>(sink.batches);
  loop.run([&] {
    multiplexer.reset();
    transport.reset();
  });
  return figure;
}

void print(std::string_view what, Figure figure, Figure base) {
  fmt::print("{:<10} {:6.2f} us CPU/event  {:6.2f} us wall/event  {:5.2f}x\n", what, figure.cpu_us,
             figure.wall_us, figure.cpu_us / base.cpu_us);
  std::fflush(stdout);
}

}  // namespace
}  // namespace troupe::k8s

int main(int argc, char** argv) {
  using namespace troupe::k8s;
  Load load;
  if (argc > 1) load.events = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2) load.objects = std::strtoull(argv[2], nullptr, 10);
  fmt::print("{} events of {} bytes over {} objects\n", load.events,
             EventLine("MODIFIED").set(0, 0).size(), load.objects);
  double events_a_batch = 0;
  const auto base = simdjson_alone(load);
  print("simdjson", base, base);
  print("transport", through_transport(load, false), base);
  print("decode", through_transport(load, true), base);
  const auto whole = whole_watch(load, events_a_batch);
  print("watch", whole, base);
  fmt::print("{:.1f} events a batch\n", events_a_batch);
  return 0;
}
