#include "k8s/client/watcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "k8s/client/query.hpp"

namespace troupe::k8s {
namespace {

// A stream that lived this long was a good one, even if it brought nothing.
constexpr Duration kHealthyLife = std::chrono::seconds(5);
// 504 says that the server has not seen our version yet. After so many times it never will: it was
// restored from an older backup.
constexpr std::uint32_t kMaxTooNew = 10;

// 500 is what a server says whose etcd (before 3.5) cannot tell it how far a watch has come.
bool means_no_streaming(int status) { return status == 400 || status == 422 || status == 500; }

}  // namespace

std::string_view to_string(WatchPhase phase) {
  switch (phase) {
    case WatchPhase::Idle:
      return "idle";
    case WatchPhase::Listing:
      return "listing";
    case WatchPhase::StreamingList:
      return "streaming-list";
    case WatchPhase::Opening:
      return "opening";
    case WatchPhase::Watching:
      return "watching";
    case WatchPhase::BackingOff:
      return "backing-off";
    case WatchPhase::Absent:
      return "absent";
    case WatchPhase::Denied:
      return "denied";
  }
  return "idle";
}

Watcher::Watcher(WatchTarget target, WatcherOptions options)
    : target_(std::move(target)),
      options_(std::move(options)),
      streaming_offered_(options_.streaming_list) {}

void Watcher::step(std::uint64_t request, watch::Input input, TimePoint now, std::uint64_t random,
                   Outputs& out) {
  const bool of_no_request = std::holds_alternative<watch::Start>(input) ||
                             std::holds_alternative<watch::Woken>(input) ||
                             std::holds_alternative<watch::Probe>(input);
  if (!of_no_request) {
    if (request != request_ || request_ == 0) {
      ++counters_.stale_inputs;
      return;
    }
    heard_at_ = now;
  }
  Moment moment{now, random, out};
  std::visit([&](auto& each) { on(each, moment); }, input);
}

void Watcher::on(const watch::Start&, Moment& m) {
  if (phase_ == WatchPhase::Idle) relist(m);
}

void Watcher::on(watch::Item& item, Moment& m) {
  if (!item.object) {
    ++counters_.undecodable;
    relist_complete_ = false;
    return;
  }
  m.out.push_back(watch::Upsert{std::move(item.object)});
}

void Watcher::on(const watch::Page& page, Moment& m) {
  if (phase_ != WatchPhase::Listing) return;
  if (!list_version_) list_version_ = page.version;
  if (!page.continue_token.empty()) return list_page(page.continue_token, m);
  end_relist(list_version_, m);
  open(m);
}

void Watcher::on(const watch::Opened&, Moment& m) {
  opened_at_ = m.now;
  if (phase_ == WatchPhase::Opening) {
    phase_ = WatchPhase::Watching;
    trouble_.clear();
    probes_ = 0;
  }
  m.out.push_back(watch::WakeAt{m.now + options_.silence});
}

void Watcher::on(watch::Changed& changed, Moment& m) {
  if (!streaming()) return;
  if (phase_ == WatchPhase::Watching) failures_ = 0;
  version_ = std::max(version_, changed.version);
  ++counters_.events;
  if (!changed.object) {
    ++counters_.undecodable;
    relist_complete_ = false;
  } else if (changed.deleted) {
    m.out.push_back(watch::Remove{std::move(changed.object)});
  } else {
    m.out.push_back(watch::Upsert{std::move(changed.object)});
  }
}

void Watcher::on(const watch::Bookmark& bookmark, Moment& m) {
  if (phase_ == WatchPhase::StreamingList) {
    // An ordinary bookmark before the end of the list: the server ignored the wish for one.
    if (!bookmark.initial_events_end) return without_streaming(m);
    end_relist(bookmark.version, m);
    phase_ = WatchPhase::Watching;
    trouble_.clear();
    probes_ = 0;
  } else if (phase_ == WatchPhase::Watching) {
    failures_ = 0;
    version_ = std::max(version_, bookmark.version);
  }
}

void Watcher::on(const watch::Heard&, Moment&) {}

void Watcher::on(const watch::Refused& refused, Moment& m) {
  if (phase_ == WatchPhase::StreamingList && means_no_streaming(refused.status))
    return without_streaming(m);
  switch (refused.status) {
    case 410:
      return expired(m);
    case 404:
      return probe_later(WatchPhase::Absent,
                         fmt::format("{}: not served; is its CRD installed?", target_.what), m);
    case 401:
      return probe_later(WatchPhase::Denied,
                         fmt::format("the API server refuses the credentials: {}", refused.message),
                         m);
    case 403:
      return probe_later(
          WatchPhase::Denied,
          fmt::format("{}: grant the verbs list and watch: {}", target_.what, refused.message), m);
    case 504:
      if (++too_new_ > kMaxTooNew) must_relist_ = true;
      [[fallthrough]];
    default:
      return back_off(fmt::format("{}: HTTP {}: {}", target_.what, refused.status, refused.message),
                      refused.retry_after, m);
  }
}

void Watcher::on(const watch::Ended& ended, Moment& m) {
  const bool was_open = streaming();
  if (was_open && m.now - opened_at_ >= kHealthyLife) failures_ = 0;
  if (phase_ == WatchPhase::Watching && !ended.error && failures_ == 0) return open(m);
  back_off(fmt::format("{}: {}", target_.what,
                       ended.error ? ended.error->message : "the server ended the stream at once"),
           std::nullopt, m);
}

void Watcher::on(const watch::Woken&, Moment& m) {
  switch (phase_) {
    case WatchPhase::Watching:
    case WatchPhase::StreamingList:
      if (m.now - heard_at_ < options_.silence) {
        m.out.push_back(watch::WakeAt{heard_at_ + options_.silence});
        return;
      }
      ++counters_.silent;
      m.out.push_back(watch::Cancel{});
      if (phase_ == WatchPhase::StreamingList) return without_streaming(m);
      return resume(m);
    case WatchPhase::BackingOff:
    case WatchPhase::Absent:
    case WatchPhase::Denied:
      return resume(m);
    default:
      return;  // a wake-up from before the last transition
  }
}

void Watcher::on(const watch::Probe&, Moment& m) {
  if (phase_ == WatchPhase::Absent || phase_ == WatchPhase::Denied) resume(m);
}

void Watcher::relist(Moment& m) {
  ++counters_.relists;
  must_relist_ = true;
  relist_complete_ = true;
  list_version_ = {};
  m.out.push_back(watch::BeginRelist{});
  if (!streaming_offered_) return list_page({}, m);
  phase_ = WatchPhase::StreamingList;
  m.out.push_back(
      watch::Open{++request_,
                  query(fmt::format("watch=true&allowWatchBookmarks=true&sendInitialEvents=true"
                                    "&resourceVersionMatch=NotOlderThan&timeoutSeconds={}",
                                    watch_seconds(m))),
                  options_.open_timeout});
}

void Watcher::list_page(std::string_view continue_token, Moment& m) {
  phase_ = WatchPhase::Listing;
  auto rest = fmt::format("limit={}", options_.page_size);
  if (!continue_token.empty()) rest += "&continue=" + percent_encoded(continue_token);
  m.out.push_back(watch::List{++request_, query(rest), options_.list_timeout});
}

void Watcher::open(Moment& m) {
  phase_ = WatchPhase::Opening;
  if (std::exchange(opened_once_, true)) ++counters_.reconnects;
  m.out.push_back(watch::Open{
      ++request_,
      query(fmt::format("watch=true&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}",
                        version_.value, watch_seconds(m))),
      options_.open_timeout});
}

void Watcher::end_relist(ResourceVersion version, Moment& m) {
  version_ = version;
  must_relist_ = false;
  too_new_ = 0;
  synced_ = true;
  m.out.push_back(watch::EndRelist{version, relist_complete_});
}

// 410: the place in history that we asked for is gone. Once at once, then with backoff.
void Watcher::expired(Moment& m) {
  ++counters_.expired;
  must_relist_ = true;
  m.out.push_back(watch::Cancel{});
  if (failures_++ == 0) return relist(m);
  wait(WatchPhase::BackingOff, options_.backoff.delay(failures_ - 1, m.random),
       target_.what + ": the server forgets faster than we list", m);
}

void Watcher::without_streaming(Moment& m) {
  streaming_offered_ = false;
  m.out.push_back(watch::Cancel{});
  relist(m);
}

void Watcher::resume(Moment& m) { must_relist_ ? relist(m) : open(m); }

void Watcher::wait(WatchPhase phase, Duration delay, std::string trouble, Moment& m) {
  phase_ = phase;
  trouble_ = std::move(trouble);
  request_ += 1;  // whatever still comes of the last request is stale
  m.out.push_back(watch::WakeAt{m.now + delay});
}

void Watcher::back_off(std::string trouble, std::optional<Duration> retry_after, Moment& m) {
  ++failures_;
  m.out.push_back(watch::Cancel{});
  const auto delay = options_.backoff.delay(failures_, m.random);
  wait(WatchPhase::BackingOff, std::max(delay, retry_after.value_or(Duration::zero())),
       std::move(trouble), m);
}

// What the store has stays there: a server that is just starting answers 404 for kinds that it has
// not loaded yet, and taking that for the death of every object would be worse than being late.
void Watcher::probe_later(WatchPhase phase, std::string trouble, Moment& m) {
  must_relist_ = true;
  m.out.push_back(watch::Cancel{});
  wait(phase, options_.probe.delay(++probes_, m.random), std::move(trouble), m);
}

std::string Watcher::query(std::string_view rest) const {
  auto target = fmt::format("{}?{}", target_.path, rest);
  if (!target_.label_selector.empty()) {
    target += "&labelSelector=" + percent_encoded(target_.label_selector);
  }
  if (!target_.field_selector.empty()) {
    target += "&fieldSelector=" + percent_encoded(target_.field_selector);
  }
  return target;
}

std::uint64_t Watcher::watch_seconds(const Moment& m) const {
  const auto base = static_cast<std::uint64_t>(options_.watch_timeout.count());
  return base + m.random % (base + 1);
}

}  // namespace troupe::k8s
