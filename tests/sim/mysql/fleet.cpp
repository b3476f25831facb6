#include "tests/sim/mysql/fleet.hpp"

#include <algorithm>
#include <utility>

#include "engines/mysql/model/error_number.hpp"
#include "tests/sim/mysql/group.hpp"

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTurnMin = milliseconds(5);
constexpr Duration kTurnMax = milliseconds(45);
constexpr Duration kAckDelayMax = milliseconds(12);
// What a source's socket takes while nothing is heard from the other side.
constexpr std::size_t kWindow = 8;
constexpr Duration kCloseGrace = seconds(2);
constexpr Duration kCloneMin = milliseconds(60);
constexpr Duration kCloneMax = milliseconds(600);
constexpr std::uint16_t kPort = 3306;

mysql::GtidSource source_of(int origin) { return {uuid_of(origin), {}}; }

void mark(std::vector<bool>& writes, std::size_t write) {
  if (writes.size() <= write) writes.resize(write + 64);
  writes[write] = true;
}

bool has(const std::vector<bool>& writes, std::size_t write) {
  return write < writes.size() && writes[write];
}

Reply done(const Server& s) { return {.executed = s.executed, .received = s.received}; }
Reply refused(Code code, std::string why) { return {.failed = Error{code, std::move(why)}}; }

bool needs_server(Verb verb) { return verb != Verb::Close && verb != Verb::Clone; }

// Done in memory alone.
bool needs_disk(Verb verb) { return verb != Verb::Open && verb != Verb::Close; }

}  // namespace

namespace {

// Of its own transactions.
std::uint64_t last_number(const Server& s) {
  for (const auto& e : s.flushed.entries())
    if (e.source == source_of(s.identity)) return e.intervals.back().last;
  return 0;
}

}  // namespace

mysql::Uuid uuid_of(int identity) {
  mysql::Uuid id{};
  id.data[14] = static_cast<std::uint8_t>((identity + 1) >> 8);
  id.data[15] = static_cast<std::uint8_t>(identity + 1);
  return id;
}

Fleet::Fleet(Timeline& timeline, Rules rules, int count, Upkeep upkeep)
    : timeline_(timeline), rules_(rules), upkeep_(upkeep), members_(count) {
  cut_.assign(static_cast<std::size_t>(count), std::vector<bool>(static_cast<std::size_t>(count)));
  for (int i = 0; i < count; ++i) {
    Server s;
    s.index = i;
    s.name = fmt::format("db-{}", i);
    take_new_name(s);
    s.acknowledged.resize(static_cast<std::size_t>(count));
    s.acks_until.resize(static_cast<std::size_t>(count));
    if (upkeep_ == Upkeep::OnOrder)
      s.pod = s.agent_up = s.wanted = s.running = s.initialised = s.accounts = false;
    servers_.push_back(std::move(s));
  }
  if (upkeep_ == Upkeep::ByItself)
    for (int i = 0; i < count; ++i) live(i);
}

Fleet::~Fleet() = default;

int Fleet::add_outside(int writes) {
  const int i = size();
  for (auto& row : cut_) row.push_back(false);
  cut_.emplace_back(cut_.size() + 1);
  Server s;
  s.index = i;
  s.name = "outside";
  s.agent_up = s.read_only = s.super_read_only = s.offline = s.accounts = false;
  take_new_name(s);
  servers_.push_back(std::move(s));
  for (auto& one : servers_) {
    one.acknowledged.resize(servers_.size());
    one.acks_until.resize(servers_.size());
  }
  while (writes-- > 0) write(i);
  live(i);
  return i;
}

int Fleet::index_of(std::string_view name) const {
  for (const auto& s : servers_)
    if (s.name == name) return s.index;
  return -1;
}

// --- faults --------------------------------------------------------------------------------------

void Fleet::kill(int i, Duration down) {
  auto& s = (*this)[i];
  if (s.running) timeline_.tell("{} dies, {} commits hang", s.name, s.binlog.size() - s.committed);
  s.running = s.connected = s.paused = false;
  s.sessions.clear();
  s.seat.reset();
  s.starts_at = timeline_.now() + down;
  if (s.job && s.job->command.verb == Verb::Clone && s.job->phase > 0) s.partial = true;
  if (s.job && (s.partial || needs_server(s.job->command.verb)))
    fail(i, Code::Retry, "the server has gone");
}

void Fleet::delete_pod(int i, Duration away) {
  auto& s = (*this)[i];
  timeline_.tell("the Pod of {} goes", s.name);
  kill(i, away);
  s.pod = s.agent_up = false;
  s.wanted = upkeep_ == Upkeep::ByItself;
  s.job.reset();  // nobody is left to answer
  s.queue.clear();
}

void Fleet::restart_agent(int i) {
  auto& s = (*this)[i];
  timeline_.tell("the agent of {} restarts", s.name);
  ++s.agent_boot;
  if (s.job && s.job->command.verb == Verb::Clone && s.job->phase > 0) {
    s.partial = true;
    kill(i, milliseconds(100));
  }
  s.job.reset();
  s.queue.clear();
}

void Fleet::cut(int from, int to) {
  if (from == to || !reaches(from, to)) return;
  timeline_.tell("{} is not heard by {} any more", (*this)[from].name, (*this)[to].name);
  cut_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] = true;
}

void Fleet::part(int a, int b, Cut which) {
  if (which != Cut::Back) cut(a, b);
  if (which != Cut::There) cut(b, a);
}

void Fleet::reconnect(int a, int b) {
  const auto x = static_cast<std::size_t>(a), y = static_cast<std::size_t>(b);
  if (cut_[x][y] || cut_[y][x])
    timeline_.tell("{} and {} are connected again", (*this)[a].name, (*this)[b].name);
  cut_[x][y] = cut_[y][x] = false;
}

void Fleet::heal() {
  for (auto& row : cut_) std::fill(row.begin(), row.end(), false);
}

bool Fleet::reaches(int from, int to) const {
  return !cut_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

void Fleet::fill_disk(int i) {
  timeline_.tell("the disk of {} is full", (*this)[i].name);
  (*this)[i].full = true;
}

void Fleet::free_disk(int i) {
  if (std::exchange((*this)[i].full, false))
    timeline_.tell("the disk of {} has room again", (*this)[i].name);
}

void Fleet::purge(int i) {
  auto& s = (*this)[i];
  timeline_.tell("{}: binary logs are purged", s.name);
  s.purged = s.executed;
}

void Fleet::mend() {
  heal();
  for (auto& s : servers_) {
    free_disk(s.index);
    if (!s.running) s.starts_at = timeline_.now();
  }
}

void Fleet::lose_volume(int i) {
  auto& s = (*this)[i];
  timeline_.tell("the volume of {} goes", s.name);
  s.initialised = s.full = false;
  s.epoch = {};
}

void Fleet::delete_pod_and_volume(int i, Duration away) {
  delete_pod(i, away);
  lose_volume(i);
  initialise(i);
}

void Fleet::pause(int i, bool paused) {
  auto& s = (*this)[i];
  timeline_.tell("{} is {}", s.name, paused ? "paused" : "resumed");
  s.paused = paused;
}

void Fleet::write_by_hand(int i) {
  auto& s = (*this)[i];
  timeline_.tell("somebody writes on {}", s.name);
  add(s, {s.identity, last_number(s) + 1, writes_++});
  s.committed = s.binlog.size();
  s.executed = s.flushed;
}

// --- upkeep on order -----------------------------------------------------------------------------

void Fleet::place_pod(int i) {
  auto& s = (*this)[i];
  timeline_.tell("{} has a Pod", s.name);
  s.pod = s.agent_up = true;
  ++s.life;
  ++s.agent_boot;
  if (!std::exchange(s.lives, true)) live(i);
}

void Fleet::initialise(int i) {
  auto& s = (*this)[i];
  if (s.initialised && !s.partial) return;
  timeline_.tell("{} is initialised", s.name);
  s.binlog.clear();
  s.committed = 0;
  s.flushed = s.executed = s.purged = {};
  s.writes.clear();
  s.source.reset();
  s.relay.clear();
  s.received = {};
  s.partial = s.accounts = false;
  s.initialised = true;
  take_new_name(s);
}

void Fleet::start(int i) {
  auto& s = (*this)[i];
  if (s.wanted) return;
  s.wanted = true;
  s.starts_at = timeline_.now();
}

void Fleet::stop(int i) {
  if ((*this)[i].seat) groups().leave((*this)[i]);
  kill(i, {});
  (*this)[i].wanted = false;
}

// --- a server's threads --------------------------------------------------------------------------

void Fleet::live(int i) {
  timeline_.after(timeline_.chance.between(kTurnMin, kTurnMax), [this, i] {
    turn(i);
    if (on_turn_) on_turn_(i);
    live(i);
  });
}

void Fleet::turn(int i) {
  auto& s = (*this)[i];
  // A Unit initialises again what an interrupted clone has left, unless another clone comes first.
  if (upkeep_ == Upkeep::ByItself && s.pod && s.partial && !s.job && !s.full &&
      timeline_.chance.percent(1))
    initialise(i);
  const bool may_start =
      upkeep_ == Upkeep::ByItself || is_outside(i) || (s.pod && s.wanted && s.initialised);
  if (!s.running && may_start && timeline_.now() >= s.starts_at) boot(i);
  if (s.running && !s.paused) {
    receive(i);
    apply(i);
    commit(i);
    if (s.seat) groups().turn(s);
  }
  work(i);
}

void Fleet::boot(int i) {
  auto& s = (*this)[i];
  if (!s.pod) {
    s.pod = s.agent_up = true;
    ++s.life;
  }
  if (s.partial || s.full) return;  // there is nothing to start on, or no room
  ++s.boot;
  s.wanted = true;
  s.running = true;
  // Crash recovery commits whatever is in the binary log.
  s.committed = s.binlog.size();
  s.executed = s.flushed;
  s.read_only = s.super_read_only = s.offline = rules_.boot_closed && !is_outside(i);
  s.receiver = s.applier = s.connected = s.waits = s.acknowledges = false;
  s.heard = {};
  s.acknowledged_commits = 0;
  s.cursor = 0;
  if (!rules_.keep_relay_logs) drop_relay_log(s);
  std::fill(s.acknowledged.begin(), s.acknowledged.end(), 0);
  timeline_.tell("{} boots with {}", s.name, s.executed.count());
}

void Fleet::drop_relay_log(Server& s) {
  for (const auto& t : s.relay) s.writes[t.write] = false;
  s.relay.clear();
  s.received = {};
}

void Fleet::add(Server& s, const Transaction& t) {
  s.binlog.push_back(t);
  s.flushed.add(source_of(t.origin), {t.number, t.number});
  mark(s.writes, t.write);
}

bool Fleet::connect(Server& s, const Server& from) const {
  if (!from.listens() || from.paused || !reaches(from.index, s.index)) return false;
  const bool heard = reaches(s.index, from.index);
  if (!s.connected) {
    if (!heard) return false;
    // It has binary logs from its last clone on.
    if (!unite(s.executed, s.received).contains(from.purged)) {
      s.receiver = false;
      s.purged_at_source = true;
      return false;
    }
    s.cursor = 0;
    s.acks_lost = false;
  }
  if (heard) s.window = from.binlog.size() + kWindow;
  return true;
}

void Fleet::receive(int i) {
  auto& s = (*this)[i];
  if (!s.receiver || !s.source) {
    s.connected = false;
    return;
  }
  auto& from = (*this)[*s.source];
  s.connected = connect(s, from);
  if (s.connected) s.heard = timeline_.now();
  if (!s.connected || s.full) return;
  const auto end = std::min(from.binlog.size(), s.window);
  for (int n = 1 + timeline_.chance.pick(4); n > 0 && s.cursor < end; ++s.cursor) {
    const auto t = from.binlog[s.cursor];
    if (s.flushed.contains(source_of(t.origin), t.number) ||
        s.received.contains(source_of(t.origin), t.number))
      continue;
    s.relay.push_back(t);
    s.received.add(source_of(t.origin), {t.number, t.number});
    mark(s.writes, t.write);
    --n;
  }
  if (s.acknowledges && !s.acks_lost && from.waits) acknowledge(s, from);
}

// The acknowledgement is on its way, whatever becomes of who sent it.
void Fleet::acknowledge(Server& s, Server& from) {
  const auto r = static_cast<std::size_t>(s.index);
  if (from.acknowledged[r] >= s.cursor) return;
  from.acks_until[r] = timeline_.now() + kAckDelayMax;
  timeline_.after(timeline_.chance.between({}, kAckDelayMax),
                  [this, r, f = from.index, upto = s.cursor, boot = from.boot] {
                    auto& to = (*this)[f];
                    if (!to.running || to.boot != boot || !reaches(static_cast<int>(r), f)) return;
                    to.acknowledged[r] = std::max(to.acknowledged[r], upto);
                    commit(f);
                  });
}

void Fleet::apply(int i) {
  auto& s = (*this)[i];
  if (!s.applier || s.applier_held || s.full) return;
  for (int n = timeline_.chance.pick(4); n > 0 && !s.relay.empty(); --n) {
    const auto t = s.relay.front();
    s.relay.pop_front();
    if (s.flushed.contains(source_of(t.origin), t.number)) continue;
    add(s, t);
  }
}

void Fleet::commit(int i) {
  auto& s = (*this)[i];
  while (s.running && !s.paused && s.committed < s.binlog.size()) {
    const auto position = s.committed + 1;
    const auto have = std::count_if(s.acknowledged.begin(), s.acknowledged.end(),
                                    [position](std::size_t upto) { return upto >= position; });
    if (s.waits && static_cast<std::uint32_t>(have) < s.acks) return;
    const auto& t = s.binlog[s.committed++];
    s.executed.add(source_of(t.origin), {t.number, t.number});
    if (s.waits) ++s.acknowledged_commits;
    const auto session = std::find(s.sessions.begin(), s.sessions.end(), t.write);
    if (session == s.sessions.end()) continue;
    s.sessions.erase(session);
    acked_.push_back(t.write);
    timeline_.tell("{} acknowledges write {}", s.name, t.write);
    for (const auto& o : servers_)
      if (!o.read_only && o.running && o.opened > s.opened && !has(o.writes, t.write))
        broken(Invariant::NoAcknowledgedWriteIsLost,
               fmt::format("{} acknowledged write {}, which {} lacks, open since epoch {}", s.name,
                           t.write, o.name, o.opened.value));
  }
}

// --- clients -------------------------------------------------------------------------------------

void Fleet::write_somewhere() { write(timeline_.chance.pick(static_cast<int>(servers_.size()))); }

void Fleet::write(int i) {
  auto& s = (*this)[i];
  if (!s.running || s.paused || s.offline || s.full) return;
  if (s.seat && groups().holds(s)) {
    ++s.seat->held;
    return;
  }
  if (s.read_only) return;
  if (s.seat) return groups().propose(s, writes_++);
  const Transaction t{s.identity, last_number(s) + 1, writes_++};
  add(s, t);
  if (is_outside(i)) return commit(i);
  s.sessions.push_back(t.write);
  if (!rules_.acknowledge_after_replicas) {
    s.sessions.pop_back();
    acked_.push_back(t.write);
  }
  commit(s.index);
}

bool Fleet::has_all_acknowledged(int i) const {
  const auto has_all = [&s = (*this)[i]](const std::vector<std::size_t>& writes) {
    return std::all_of(writes.begin(), writes.end(),
                       [&s](std::size_t write) { return has(s.writes, write); });
  };
  return has_all(acked_) && has_all(taken_over_);
}

void Fleet::take_over(const Server& s) {
  if (!outside()) return;
  taken_over_.clear();
  for (const auto& t : s.binlog)
    if (t.origin == servers_.back().identity) taken_over_.push_back(t.write);
}

bool Fleet::holds_the_same(int a, int b) const {
  const auto &x = (*this)[a], &y = (*this)[b];
  if (x.executed != y.executed) return false;
  for (std::size_t write = 0; write < writes_; ++write)
    if (has(x.writes, write) != has(y.writes, write)) return false;
  return true;
}

// --- invariants ----------------------------------------------------------------------------------

void Fleet::broken(Invariant invariant, std::string what) {
  timeline_.tell("VIOLATION: {}", what);
  if (!violation_) violation_ = {invariant, std::move(what)};
}

// Whether a write that begins now could ever be acknowledged: partitions may heal.
bool Fleet::can_acknowledge(const Server& s) const {
  if (!s.running || s.read_only || s.offline) return false;
  if (s.seat) return groups_->can_acknowledge(s);
  if (!s.waits) return true;
  const auto ackers = std::count_if(servers_.begin(), servers_.end(), [&s](const Server& r) {
    return r.running && r.receiver && r.source == s.index && r.acknowledges;
  });
  return static_cast<std::uint32_t>(ackers) >= s.acks;
}

void Fleet::check_writers() {
  if (groups_)
    if (const auto two = groups_->violation()) return broken(two->of, two->text);
  const Server* first = nullptr;
  for (const auto& s : servers_) {
    if (is_outside(s.index) || !can_acknowledge(s)) continue;
    if (first)
      return broken(Invariant::OneCanAcknowledge,
                    fmt::format("{} and {} can both acknowledge writes", first->name, s.name));
    first = &s;
  }
}

void Fleet::check_that_nobody_writes() {
  for (const auto& s : servers_)
    if (!is_outside(s.index) && can_acknowledge(s))
      return broken(
          Invariant::OneCanAcknowledge,
          fmt::format("{} can acknowledge writes while all data come from outside", s.name));
}

// --- the agent -----------------------------------------------------------------------------------

void Fleet::command(int i, Job job) {
  auto& s = (*this)[i];
  if (job.command.verb == Verb::InspectSource) return job.answer(inspect(s));  // whatever the epoch
  const auto epoch = job.command.epoch;
  if (rules_.refuse_old_epochs && epoch < s.epoch)
    return job.answer(refused(Code::Stale, "an older epoch"));
  // The agent keeps the epoch before it obeys.
  if (s.full && epoch > s.epoch) return job.answer(refused(Code::Retry, "no space left"));
  s.epoch = std::max(s.epoch, epoch);
  if (s.job && (epoch > s.job->command.epoch || job.command.verb == Verb::Close)) {
    if (s.job->command.verb == Verb::Clone && s.job->phase > 0) {
      s.partial = true;
      kill(i, milliseconds(100));  // answers the job
    } else {
      fail(i, Code::Stale, "cut short");
    }
  }
  s.queue.push_back(std::move(job));
}

void Fleet::work(int i) {
  auto& s = (*this)[i];
  if (!s.agent_up) return;
  if (!s.job) {
    if (s.queue.empty()) return;
    s.job = std::move(s.queue.front());
    s.queue.pop_front();
    if (rules_.refuse_old_epochs && s.job->command.epoch < s.epoch)
      return fail(i, Code::Stale, "an older epoch");
  }
  if (!s.running && needs_server(s.job->command.verb))
    return fail(i, Code::Retry, "the server does not run");
  const auto& verb = s.job->command.verb;
  const bool silent = s.running && !answers(i);
  const bool waits = (s.full && needs_disk(verb)) || (silent && verb != Verb::Close);
  auto reply = waits ? std::nullopt : advance(i, *s.job);
  if (!reply && timeline_.now() >= s.job->deadline) reply = refused(Code::Timeout, "too late");
  if (reply) finish(i, std::move(*reply));
}

void Fleet::finish(int i, Reply reply) {
  auto& s = (*this)[i];
  auto job = std::move(*s.job);
  s.job.reset();
  timeline_.tell("{}: {} {} (epoch {}): {}", s.name, to_string(job.command.verb), job.command.peer,
                 job.command.epoch.value, reply.failed ? reply.failed->message : "done");
  job.answer(reply);
}

void Fleet::fail(int i, Code code, std::string why) { finish(i, refused(code, std::move(why))); }

std::optional<Reply> Fleet::advance(int i, Job& job) {
  auto& s = (*this)[i];
  const auto& c = job.command;
  switch (c.verb) {
    case Verb::EnsureAccounts:
      return done(s);
    case Verb::StopReceiver:
      return stop_receiver(s);
    case Verb::Drain:
      return drain(s, c.gtids);
    case Verb::Promote:
      return promote(s, c);
    case Verb::Open:
      return open(s, c);
    case Verb::Follow:
      return follow(s, job);
    case Verb::Close:
      return close(s, job);
    case Verb::SaveTransactions:
      return save(s, c);
    case Verb::Clone:
      return clone(s, job);
    case Verb::StartGroup:
      return groups().start(s, job);
    case Verb::StopGroup:
      return groups().stop(s, job);
    case Verb::SetGroupPrimary:
      return groups().set_primary(s, job);
    case Verb::InspectSource:
      break;  // answered when it was asked
  }
  return done(s);
}

Groups& Fleet::groups() {
  if (!groups_) groups_ = std::make_unique<Groups>(*this);
  return *groups_;
}

int Fleet::peer_of(const Command& c) const {
  return c.peer == kOutside ? size() : index_of(c.peer);
}

Reply Fleet::inspect(const Server& s) const {
  if (!outside()) return refused(Code::Retry, "no server is outside");
  const auto& other = servers_.back();
  const bool reached = reaches(s.index, other.index) && reaches(other.index, s.index);
  if (!reached || other.paused) return refused(Code::Timeout, "the server outside does not answer");
  if (!other.running) return refused(Code::Retry, "the server outside is not reached");
  const auto seen = observe(other.index);
  Reply reply;
  reply.outside = Outside{.server_uuid = mysql::to_string(seen.server_uuid),
                          .version = mysql::to_string(seen.version),
                          .executed = seen.gtid_executed,
                          .purged = seen.gtid_purged,
                          .by_gtids = true};
  return reply;
}

std::optional<Reply> Fleet::stop_receiver(Server& s) {
  s.receiver = s.connected = false;
  return done(s);
}

bool Fleet::drained(Server& s) {
  if (s.executed.contains(s.received)) return true;
  s.applier = true;
  return false;
}

std::optional<Reply> Fleet::drain(Server& s, const mysql::GtidSet& until) {
  if (until.empty() ? !drained(s) : !s.executed.contains(until)) {
    s.applier = s.source.has_value();
    return std::nullopt;
  }
  return done(s);
}

void Fleet::leave(Server& s) {
  s.receiver = s.applier = s.connected = false;
  s.source.reset();
  s.heard = {};
  drop_relay_log(s);
}

std::optional<Reply> Fleet::promote(Server& s, const Command& c) {
  if (s.source) {
    s.receiver = s.connected = false;
    if (rules_.apply_before_promotion && !drained(s)) return std::nullopt;
    s.applier = false;
  }
  if (c.acks == 0 && s.waits && s.hangs()) return refused(Code::Conflict, "commits wait");
  s.waits = c.semi_sync && c.acks > 0;
  s.acks = c.acks;
  s.acknowledges = false;
  return done(s);
}

std::optional<Reply> Fleet::open(Server& s, const Command& c) {
  if (s.receiver || s.applier) return refused(Code::Invalid, "it still replicates");
  if (c.acks > 0 && (!s.waits || s.acks != c.acks)) return refused(Code::Invalid, "not promoted");
  if (attached(s.index) < c.acks) return std::nullopt;
  leave(s);
  const auto reply = done(s);
  s.read_only = s.super_read_only = s.offline = false;
  s.opened = c.epoch;
  if (!has_all_acknowledged(s.index))
    broken(Invariant::NoAcknowledgedWriteIsLost,
           fmt::format("{} was opened in epoch {} without all acknowledged writes", s.name,
                       c.epoch.value));
  take_over(s);
  return reply;
}

std::optional<Reply> Fleet::follow(Server& s, Job& job) {
  const auto& c = job.command;
  const auto peer = peer_of(c);
  constexpr int kDrains = 2;  // first: its applier did not run
  if (job.phase != 1) {
    s.read_only = true;  // for new transactions; the statement waits for those under way
    if (s.hangs()) return std::nullopt;
    s.super_read_only = true;
    if (!unite(s.executed, s.received).contains(c.gtids))
      return refused(Code::Conflict, "purged at the source");
    if (!s.executed.contains(c.gtids)) return drain(s, c.gtids);
    const bool right =
        s.source == peer && s.connected && s.applier && s.acknowledges == c.semi_sync && !s.waits;
    if (!right) {
      s.receiver = s.connected = false;
      s.heard = {};
      if (s.source && (!s.applier || job.phase == kDrains)) {
        job.phase = kDrains;
        if (!drained(s)) return std::nullopt;
        leave(s);
      }
      s.waits = false;
      s.source = peer;
      s.acknowledges = c.semi_sync;
      s.receiver = s.applier = true;
      s.purged_at_source = false;
    }
    job.phase = 1;
  }
  if (!s.receiver) return refused(Code::Conflict, "the receiver has stopped");
  if (!s.connected) return std::nullopt;
  s.offline = false;
  return done(s);
}

std::optional<Reply> Fleet::close(Server& s, Job& job) {
  if (!s.running) return Reply{.killed = true};
  if (s.paused && job.command.kill_if_blocked) {
    kill(s.index, milliseconds(200));
    return Reply{.killed = true};
  }
  if (s.paused) return refused(Code::Timeout, "the server does not answer");
  if (job.phase == 0) {
    s.offline = true;
    s.sessions.clear();  // nobody can be told any more
    job.phase_ends = timeline_.now() + kCloseGrace;
    job.phase = 1;
  }
  if (!s.hangs()) {
    s.read_only = s.super_read_only = true;
    return done(s);
  }
  if (timeline_.now() < job.phase_ends) return std::nullopt;
  if (!job.command.kill_if_blocked) return refused(Code::Timeout, "commits wait");
  kill(s.index, milliseconds(200));
  return Reply{.killed = true};
}

std::optional<Reply> Fleet::save(Server& s, const Command& c) {
  if (!subtract(s.executed, s.purged).contains(c.gtids))
    return refused(Code::NotFound, "not in the binary logs");
  auto reply = done(s);
  reply.saved_to = "a file of " + s.name;
  return reply;
}

std::optional<Reply> Fleet::clone(Server& s, Job& job) {
  const auto donor = peer_of(job.command);
  const auto& from = (*this)[donor];
  const bool reached = from.listens() && reaches(s.index, donor) && reaches(donor, s.index);
  if (job.phase == 0) {
    if (!s.running && !s.partial) return refused(Code::Retry, "the server does not run");
    if (!s.read_only) return refused(Code::Conflict, "open for writes");
    if (s.seat) return refused(Code::Conflict, "in a group");
    if (!reached) return refused(Code::Retry, "the donor is not reached");
    leave(s);
    job.phase_ends = timeline_.now() + timeline_.chance.between(kCloneMin, kCloneMax);
    job.phase = 1;
    return std::nullopt;
  }
  if (!reached) {
    s.partial = true;
    s.running = false;
    return refused(Code::Retry, "the donor has gone");
  }
  if (timeline_.now() < job.phase_ends) return std::nullopt;
  s.binlog.assign(from.binlog.begin(),
                  from.binlog.begin() + static_cast<std::ptrdiff_t>(from.committed));
  s.committed = s.binlog.size();
  s.flushed = s.executed = s.purged = from.executed;
  s.writes.assign(from.writes.size(), false);
  for (const auto& t : s.binlog) mark(s.writes, t.write);
  s.partial = false;
  take_new_name(s);
  s.accounts = from.accounts;
  boot(s.index);
  return done(s);
}

// --- what is seen --------------------------------------------------------------------------------

bool Fleet::answers(int i) const {
  const auto& s = (*this)[i];
  return s.running && !s.paused && !(s.seat && groups_->holds(s));
}

std::uint32_t Fleet::attached(int i) const {
  return static_cast<std::uint32_t>(
      std::count_if(servers_.begin(), servers_.end(), [i](const Server& r) {
        return r.running && r.connected && r.source == i && r.acknowledges;
      }));
}

std::uint32_t Fleet::clients(int i) const {
  const auto& until = (*this)[i].acks_until;
  return static_cast<std::uint32_t>(
      std::count_if(servers_.begin(), servers_.end(), [&](const Server& r) {
        return (r.running && r.connected && r.source == i && r.acknowledges) ||
               until[static_cast<std::size_t>(r.index)] > timeline_.now();
      }));
}

mysql::MemberObservation Fleet::observe(int i) const {
  const auto& s = (*this)[i];
  mysql::MemberObservation o;
  o.server_uuid = uuid_of(s.identity);
  o.version = {9, 7, 0};
  o.gtid_executed = s.executed;
  o.gtid_purged = s.purged;
  o.read_only = s.read_only;
  o.super_read_only = s.super_read_only;
  o.offline_mode = s.offline;
  o.semi_sync_source = {.names = mysql::SemiSyncNames::New,
                        .enabled = s.waits,
                        .wait_for_replica_count = s.acks,
                        .wait_no_replica = true,
                        .wait_point = mysql::WaitPoint::AfterSync,
                        .clients = clients(i),
                        .wait_sessions = s.waits ? s.binlog.size() - s.committed : 0,
                        .yes_tx = s.acknowledged_commits};
  o.semi_sync_replica = {.names = mysql::SemiSyncNames::New, .enabled = s.acknowledges};
  if (groups_) o.group = groups_->observe(s);
  if (!s.source) return o;
  using enum mysql::ThreadState;
  using namespace mysql::error_number;
  std::optional<Duration> silence;
  if (s.heard != TimePoint{}) silence = timeline_.now() - s.heard;
  o.replica =
      mysql::ReplicaStatus{.source_host = (*this)[*s.source].name,
                           .source_port = kPort,
                           .io = !s.receiver   ? Off
                                 : s.connected ? On
                                               : Connecting,
                           .sql = s.applier ? On : Off,
                           .io_error = {s.receiver && !s.connected          ? kConnectFailed
                                        : !s.receiver && s.purged_at_source ? kCannotServeBinlog
                                                                            : 0,
                                        {}},
                           .auto_position = true,
                           .retrieved = s.received,
                           .seconds_behind = 0,
                           .heartbeat_age = silence,
                           .last_queued_age = silence};
  return o;
}

}  // namespace troupe::mysql_topology::sim
