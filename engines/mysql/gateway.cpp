#include "engines/mysql/gateway.hpp"

#include <boost/asio/post.hpp>
#include <map>
#include <set>
#include <utility>

#include "engines/mysql/control.hpp"
#include "engines/mysql/monitor.hpp"

namespace troupe::mysql {
namespace {

using internal::Monitor;
using internal::Surroundings;

// Beyond this many new endpoints at once each begins in its slot: a fleet that is taken over must
// not become a burst of handshakes.
constexpr std::size_t kMaxImmediate = 100;

ServerError refusal(std::string message) { return {0, Reachability::Unknown, std::move(message)}; }

}  // namespace

class Gateway::Impl : public std::enable_shared_from_this<Gateway::Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, const Clock& clock, GatewayOptions options, Sink sink)
      : around_(new Surroundings{std::move(executor), clock, options, std::move(sink), {}, {}}) {}

  // Runs `work` on the executor, unless the gateway has gone by then.
  template <class Work>
  void post(Work work) {
    boost::asio::post(around_->executor,
                      [weak = weak_from_this(), work = std::move(work)]() mutable {
                        if (const auto self = weak.lock(); self && !self->stopped_) work(*self);
                      });
  }

  void stop() {
    stopped_ = true;
    monitors_.clear();
  }

  void set_members(std::vector<Endpoint> endpoints) {
    std::set<EndpointId> wanted;
    for (const auto& endpoint : endpoints) wanted.insert(endpoint.id);
    std::erase_if(monitors_, [&](const auto& entry) { return !wanted.contains(entry.first); });
    const auto when = endpoints.size() > monitors_.size() + kMaxImmediate ? Monitor::Begin::InSlot
                                                                          : Monitor::Begin::Now;
    for (auto& endpoint : endpoints) watch(std::move(endpoint), when);
  }

  void watch(Endpoint endpoint, Monitor::Begin when) {
    const auto found = monitors_.find(endpoint.id);
    if (found == monitors_.end()) {
      auto id = endpoint.id;
      auto monitor = std::make_shared<Monitor>(around_, std::move(endpoint));
      monitors_.emplace(std::move(id), monitor);
      monitor->begin(when);
    } else if (found->second->endpoint() != endpoint) {
      found->second->change(std::move(endpoint));
    }
  }

  void unwatch(const EndpointId& id) { monitors_.erase(id); }

  void probe_now(const EndpointId& id, OnProbed done) {
    const auto monitor = find(id);
    if (monitor) return monitor->probe_now(std::move(done));
    if (done) done();
  }

  // The request is over; a gateway that has gone answers nobody.
  template <class Done>
  auto settle(const std::shared_ptr<Monitor>& monitor, Done done) {
    return [weak = weak_from_this(), watched = std::weak_ptr(monitor),
            done = std::move(done)](const auto& outcome) {
      if (const auto still = watched.lock()) --still->controls_under_way;
      if (!weak.expired()) done(outcome);
    };
  }

  void close_member(const EndpointId& id, CloseMember what, OnClosed done) {
    const auto monitor = admit(id);
    if (!monitor) return done(CloseOutcome{{}, {}, refused_});
    internal::close_member(around_, monitor->endpoint(), what, settle(monitor, std::move(done)));
  }

  void kill_connections(const EndpointId& id, std::vector<std::string> keep_users, OnKilled done) {
    const auto monitor = admit(id);
    if (!monitor) return done(refused_);
    internal::kill_connections(around_, monitor->endpoint(), std::move(keep_users),
                               {monitor->session_id()}, settle(monitor, std::move(done)));
  }

  GatewayMetrics metrics() const {
    const auto& from = around_->counters;
    return {from.members,           from.connected,
            from.probes_ok,         from.probes_failed,
            from.probes_timed_out,  from.hangups,
            from.connects,          from.controls,
            from.controls_rejected, around_->resolver.pending(),
            Resolver::kMaxPending,  around_->resolver.refused()};
  }

 private:
  std::shared_ptr<Monitor> find(const EndpointId& id) const {
    const auto found = monitors_.find(id);
    return found == monitors_.end() ? nullptr : found->second;
  }

  // The monitor of a member that may be given one more control request; null: see refused_.
  std::shared_ptr<Monitor> admit(const EndpointId& id) {
    auto monitor = find(id);
    if (!monitor) {
      refused_ = refusal("no such endpoint is watched");
      return nullptr;
    }
    if (monitor->controls_under_way >= static_cast<int>(kMaxControlsPerMember)) {
      around_->counters.controls_rejected.fetch_add(1);
      refused_ = refusal("too many control requests are under way for this endpoint");
      return nullptr;
    }
    around_->counters.controls.fetch_add(1);
    ++monitor->controls_under_way;
    return monitor;
  }

  internal::SharedSurroundings around_;
  bool stopped_ = false;
  std::map<EndpointId, std::shared_ptr<Monitor>> monitors_;
  ServerError refused_;
};

Gateway::Gateway(boost::asio::any_io_executor executor, const Clock& clock, GatewayOptions options,
                 Sink sink)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, options, std::move(sink))) {}

Gateway::~Gateway() { impl_->stop(); }

void Gateway::set_members(std::vector<Endpoint> endpoints) {
  impl_->post([endpoints = std::move(endpoints)](Impl& impl) mutable {
    impl.set_members(std::move(endpoints));
  });
}

void Gateway::watch(Endpoint endpoint) {
  impl_->post([endpoint = std::move(endpoint)](Impl& impl) mutable {
    impl.watch(std::move(endpoint), Monitor::Begin::Now);
  });
}

void Gateway::unwatch(EndpointId id) {
  impl_->post([id = std::move(id)](Impl& impl) { impl.unwatch(id); });
}

void Gateway::probe_now(EndpointId id, OnProbed done) {
  impl_->post([id = std::move(id), done = std::move(done)](Impl& impl) mutable {
    impl.probe_now(id, std::move(done));
  });
}

void Gateway::close_member(EndpointId id, CloseMember what, OnClosed done) {
  impl_->post([id = std::move(id), what, done = std::move(done)](Impl& impl) mutable {
    impl.close_member(id, what, std::move(done));
  });
}

void Gateway::kill_connections(EndpointId id, std::vector<std::string> keep_users, OnKilled done) {
  impl_->post([id = std::move(id), keep_users = std::move(keep_users),
               done = std::move(done)](Impl& impl) mutable {
    impl.kill_connections(id, std::move(keep_users), std::move(done));
  });
}

GatewayMetrics Gateway::metrics() const { return impl_->metrics(); }

}  // namespace troupe::mysql
