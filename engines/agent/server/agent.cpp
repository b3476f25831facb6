#include "engines/agent/server/agent.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <fstream>
#include <thread>

#include "engines/agent/server/certificate_files.hpp"
#include "engines/agent/server/configuration.hpp"
#include "engines/agent/server/data_directory.hpp"
#include "engines/agent/server/epoch_store.hpp"
#include "engines/agent/server/external_source.hpp"
#include "engines/agent/server/fence_mark.hpp"
#include "engines/agent/server/fence_watch.hpp"
#include "engines/agent/server/mysql_clone.hpp"
#include "engines/agent/server/mysql_member.hpp"
#include "engines/agent/supervise/process.hpp"

#ifndef TROUPE_VERSION
#define TROUPE_VERSION "0.1.0"
#endif

namespace troupe::agent {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kHousekeeping{1000};
constexpr seconds kMeasureDataEvery{10};  // data grows slowly, against what a clone of it takes
constexpr seconds kOrderLimit{10};        // for an order to the supervisor
constexpr seconds kToLetGo{3};            // of a source, before the server is shut down
constexpr seconds kReloadLimit{5};
constexpr milliseconds kCloseAtEnd{5000};  // of the grace period, for closing without the operator
constexpr milliseconds kEndPoll{50};
constexpr seconds kFenceGrace{5};        // for closing without a kill; then SIGKILL
constexpr seconds kFenceLimit{30};       // with the kill of a server whose memory is large
constexpr milliseconds kHandOver{8000};  // that the operator has for a switchover before that

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/uuid") >> id;
  return id;
}

ProcessState state_of(supervise::State state, bool serving) {
  if (state == supervise::State::Running) {
    return serving ? ProcessState::Running : ProcessState::Starting;
  }
  return static_cast<ProcessState>(state);
}

}  // namespace

class Agent::Impl {
 public:
  Impl(AgentSettings settings, EpochStore epochs, Fd lock)
      : settings_(std::move(settings)),
        lock_(std::move(lock)),
        epochs_(std::move(epochs)),
        configuration_(settings_),
        certificates_(settings_.tls_dir),
        directory_(settings_.data_dir, settings_.keep_dir(), settings_.run_as),
        fence_mark_(settings_.fence_mark()),
        supervisor_(context_, settings_.supervise_socket()) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      if (running_) running_->cancel(error(Code::Retry, "the agent ends"));
    }
    changed_.notify_all();
    if (housekeeper_.joinable()) housekeeper_.join();
    if (fence_watch_) fence_watch_->stop();
    supervisor_.stop();
    if (database_) database_->watch(false);
    guard_.reset();
    context_.stop();
    if (io_thread_.joinable()) io_thread_.join();
  }

  Result<void> start() {
    if (auto ready = configuration_.prepare(); !ready) return ready;
    const LocalLogin login{settings_.mysql_socket(), std::string(kLocalUser),
                           configuration_.local_password()};
    database_ = std::make_unique<LocalMysql>(context_, login);
    member_ = std::make_unique<MysqlMember>(settings_, *database_, supervisor_, board_);
    clone_ = std::make_unique<MysqlClone>(
        *member_, *database_, directory_, board_,
        [this](MysqlClone::Network network, Work& work) { return starts_with(network, work); });
    outside_ = std::make_unique<ExternalSource>(context_);
    fence_watch_ = std::make_unique<FenceWatch>(
        context_, login, settings_.self_fence,
        FenceWatch::Member{.can_be_asked = [this] { return can_be_asked(); },
                           .fence = [this](const std::string& reason) { fence(reason); }});
    board_.update([this](AgentObservation& state) {
      state.agent_version = TROUPE_VERSION;
      state.boot_id = boot_id();
      state.highest_epoch = epochs_.highest();
      state.config = configuration_.status();
    });
    look_at_volume();
    look_at_fence();
    database_->on_serving([this](bool serving) { database_serves(serving); });
    io_thread_ = std::thread([this] { context_.run(); });
    supervisor_.start([this](const auto& hello) { supervisor_changed(hello); },
                      [this](const auto& report) { take(report); });
    housekeeper_ = std::thread([this] { keep_house(); });
    fence_watch_->start();
    return {};
  }

  Result<Reply> execute(const Command& command, Work& work) {
    if (command.header.unit != settings_.unit) {
      return error(Code::Invalid, fmt::format("this is the agent of {}, not of {}", settings_.unit,
                                              command.header.unit));
    }
    if (const auto* render = std::get_if<Render>(&command.action)) return run(*render);
    if (std::holds_alternative<KillProcess>(command.action)) return kill_process(work);
    auto turn = take_turn(command, work);
    if (!turn) return turn.error();
    auto reply = run_in_turn(command, work);
    finish_turn(command, reply);
    return reply;
  }

  Board& board() { return board_; }
  const AgentSettings& settings() const { return settings_; }
  void operator_connected(bool connected) { operators_ += connected ? 1 : -1; }
  void renew_lease() { fence_watch_->renew(); }

 private:
  // --- turns

  static bool cuts_short(const Command& command, const Command& running) {
    const auto& action = command.action;
    if (std::holds_alternative<StopProcess>(action)) return true;
    // The replicas that it waits for may be turned away for want of these accounts.
    if (std::holds_alternative<EnsureAccounts>(action))
      return std::holds_alternative<OpenForWrites>(running.action);
    if (!is_fenced(action)) return false;
    return command.header.epoch > running.header.epoch || std::holds_alternative<Close>(action);
  }

  Result<void> take_turn(const Command& command, Work& work) {
    const auto epoch = command.header.epoch;
    if (is_fenced(command.action)) {
      if (auto admitted = epochs_.admit(epoch); !admitted) return admitted;
      board_.update([&](AgentObservation& state) { state.highest_epoch = epochs_.highest(); });
    }
    std::unique_lock lock(mutex_);
    while (running_) {
      if (cuts_short(command, *running_command_)) {
        running_->cancel(error(Code::Stale, fmt::format("cut short by {} of epoch {}",
                                                        name_of(command.action), epoch.value)));
      }
      // Also looks now and then whether the caller has gone.
      changed_.wait_for(lock, milliseconds(50));
      if (auto go_on = work.check(); !go_on) {
        return error(Code::Retry, fmt::format("{} is under way: {}",
                                              name_of(running_command_ ? running_command_->action
                                                                       : command.action),
                                              go_on.error().message));
      }
      if (stopping_) return error(Code::Retry, "the agent ends");
    }
    // While it waited a newer decision may have come and gone.
    if (is_fenced(command.action)) {
      if (auto current = epochs_.check(epoch); !current) return current;
    }
    running_ = &work;
    running_command_ = &command;
    lock.unlock();
    board_.update([&](AgentObservation& state) {
      state.operation = OperationProgress{.id = command.header.request_id,
                                          .kind = std::string(name_of(command.action)),
                                          .started = wall_now()};
    });
    work.on_stage([this](const std::string& stage, double progress) {
      board_.update([&](AgentObservation& state) {
        if (!state.operation) return;
        state.operation->stage = stage;
        state.operation->progress = progress;
      });
    });
    return {};
  }

  void finish_turn(const Command& command, const Result<Reply>& reply) {
    look_at_fence();  // before the member may be judged again
    {
      const std::lock_guard lock(mutex_);
      running_->on_stage(nullptr);
      running_ = nullptr;
      running_command_ = nullptr;
    }
    changed_.notify_all();
    const auto kind = std::string(name_of(command.action));
    look_at_volume();
    board_.update([&](AgentObservation& state) {
      state.operation.reset();
      state.last_operation =
          OperationOutcome{.id = command.header.request_id,
                           .kind = kind,
                           .failed = reply ? std::nullopt : std::optional(reply.error().code),
                           .message = reply ? reply->message : reply.error().message,
                           .finished = wall_now()};
    });
    if (reply) {
      spdlog::info("{} {} (epoch {}): {}", kind, command.header.request_id,
                   command.header.epoch.value, reply->message);
    } else {
      spdlog::warn("{} {} (epoch {}): {}: {}", kind, command.header.request_id,
                   command.header.epoch.value, to_string(reply.error().code),
                   reply.error().message);
    }
  }

  Result<Reply> run_in_turn(const Command& command, Work& work) {
    return std::visit([&](const auto& action) { return run(action, work); }, command.action);
  }

  // --- commands

  void tell_configuration() {
    board_.update([this](AgentObservation& state) { state.config = configuration_.status(); });
  }

  Result<Reply> run(const Render& command) {
    auto rendered = configuration_.render(command);
    tell_configuration();
    if (!rendered) return rendered.error();
    auto message = rendered->changed ? "a new configuration is in place" : "nothing to change";
    return Reply{*std::move(rendered), message};
  }
  Result<Reply> run(const Render& command, Work&) { return run(command); }

  supervise::SpawnSpec spawn_spec(const std::string& options) const {
    supervise::SpawnSpec spec;
    spec.argv = settings_.mysqld;
    spec.argv.push_back(options);
    spec.argv.insert(spec.argv.end(), settings_.mysqld_args.begin(), settings_.mysqld_args.end());
    const auto hello = supervisor_.supervisor();
    if (!hello) return spec;
    // Lets RESTART and CLONE end the server for a restart instead of complaining.
    spec.env.push_back(fmt::format("MYSQLD_PARENT_PID={}", hello->pid));
    spec.restart_code = 16;  // MYSQLD_RESTART_EXIT, sql/mysqld.h
    if (hello->uid == 0) {
      spec.uid = settings_.run_as.uid;
      spec.gid = settings_.run_as.gid;
    }
    return spec;
  }

  Result<Reply> run(const EnsureInitialised&, Work& work) {
    const auto found = directory_.state();
    if (found == DataState::Initialised)
      return Reply{Initialised{false}, "there is a data directory"};
    if (found == DataState::Foreign) {
      return error(Code::Conflict, fmt::format("{} holds something that is not a MySQL data "
                                               "directory: empty it or use another volume",
                                               settings_.data_dir.string()));
    }
    if (found == DataState::ClonePartial) {
      if (auto stopped = stop(StopProcess{seconds(10)}, work); !stopped) return stopped.error();
    }
    // That of a caller who has gone, or of an agent before this one, may still be writing.
    if (auto ended = supervisor_.end_run(work); !ended) return ended.error();
    // A mark of the clone may go only once the other one says that the content is worthless.
    auto marked = directory_.set(DataDirectory::Mark::Initialising);
    if (marked) marked = directory_.clear(DataDirectory::Mark::Cloning);
    if (marked) marked = directory_.prepare_empty();
    if (!marked) return marked.error();
    const auto stock = supervisor_.stock_settings(work);
    if (!stock) return stock.error();
    auto options = configuration_.files_for_initialise(*stock);
    if (!options) return options.error();
    work.stage("mysqld --initialize");
    supervise::RunOrder order{.spawn = spawn_spec(*options),
                              .timeout_ms = static_cast<std::uint64_t>(work.left().count())};
    order.spawn.argv.push_back("--initialize-insecure");
    const auto outcome = supervisor_.run(order, work);
    // The script names passwords.
    [[maybe_unused]] const auto removed =
        remove_durably(settings_.private_dir() / "initialise.sql");
    if (!outcome) return outcome.error();
    if (outcome->exit_code != 0 || outcome->signal != 0) {
      return error(Code::Fatal,
                   fmt::format("mysqld --initialize ended with status {}, signal {}: {}",
                               outcome->exit_code, outcome->signal, last_errors(outcome->output)));
    }
    if (auto cleared = directory_.clear(DataDirectory::Mark::Initialising); !cleared)
      return cleared.error();
    return Reply{Initialised{true}, "a new data directory was made"};
  }

  // What a person needs of the log of a server that did not come up.
  static std::string last_errors(const std::string& output) {
    constexpr std::size_t kMaxShown = 600;
    std::string shown;
    std::size_t from = 0;
    while (from < output.size()) {
      const auto end = std::min(output.find('\n', from), output.size());
      const auto line = output.substr(from, end - from);
      if (line.find("[ERROR]") != std::string::npos) shown += line + " ";
      from = end + 1;
    }
    if (shown.empty()) shown = output;
    return shown.size() > kMaxShown ? shown.substr(shown.size() - kMaxShown) : shown;
  }

  Result<Reply> run(const StartProcess&, Work& work) {
    const auto found = directory_.state();
    if (found != DataState::Initialised && found != DataState::ClonePartial) {
      return error(Code::Conflict, fmt::format("{} is {}: initialise it first",
                                               settings_.data_dir.string(), to_string(found)));
    }
    auto options = configuration_.files_for_start();
    if (!options) return options.error();
    const auto before = board_.state().process.state;
    const bool runs = before == ProcessState::Running || before == ProcessState::Starting;
    auto started = supervisor_.start_database(spawn_spec(*options), work);
    if (!started) return started.error();
    if (!runs) configuration_.started();
    tell_configuration();
    return Reply{Done{}, runs ? "the database runs" : "the database is started"};
  }

  Result<Reply> run(const StopProcess& command, Work& work) {
    auto stopped = stop(command, work);
    if (!stopped) return stopped.error();
    return Reply{Done{}, "the database is stopped"};
  }

  Result<void> stop(const StopProcess& command, Work& work) {
    const auto grace = std::chrono::duration_cast<milliseconds>(command.grace);
    // On a graceful shutdown a source lets waiting commits through: nobody may be told of them. One
    // that does not answer may have them too.
    auto closed = member_->run(Close{.kill_if_blocked = true, .grace = seconds(5)}, work);
    if (!closed) return closed.error();
    let_go_of_source();
    const supervise::StopOrder order{.grace_ms = static_cast<std::uint64_t>(grace.count())};
    if (auto ordered = supervisor_.stop_database(order, work); !ordered) return ordered;
    return wait_until_stopped(work);
  }

  void let_go_of_source() {
    Work work(kToLetGo);
    if (database_->serving()) member_->let_go_of_source(work);
  }

  Result<void> wait_until_stopped(Work& work) {
    while (true) {
      const auto state = board_.state().process.state;
      if (state == ProcessState::Stopped || state == ProcessState::Fatal) return {};
      if (auto go_on = work.pause(milliseconds(5)); !go_on) return go_on;
    }
  }

  Result<Reply> kill_process(Work& work) {
    {
      const std::lock_guard lock(mutex_);
      if (running_) running_->cancel(error(Code::Stale, "cut short by KillProcess"));
    }
    if (auto killed = supervisor_.kill_database({}, work); !killed) return killed.error();
    return Reply{Done{}, "SIGKILL is sent"};
  }
  Result<Reply> run(const KillProcess&, Work& work) { return kill_process(work); }

  // One that runs takes it with its next start.
  Result<void> starts_with(MysqlClone::Network network, Work& work) {
    const auto options = configuration_.files_for_start();
    if (!options) return options.error();
    auto spec = spawn_spec(*options);
    if (network == MysqlClone::Network::Off) spec.argv.push_back("--skip-networking");
    return supervisor_.start_database(spec, work);
  }

  Result<Reply> run(const Clone& command, Work& work) {
    if (auto ready = settle(work); !ready) return ready.error();
    // Other data takes the place of what was fenced.
    if (auto ended = fence_mark_.clear(); !ended) return ended.error();
    return clone_->run(command, work);
  }

  // Ends the statements of interrupted commands. CLONE can wait for ever once it was killed; what
  // its server runs on is no database any more, so nothing is lost with the process.
  Result<void> settle(Work& work) {
    if (!directory_.is_set(DataDirectory::Mark::Cloning)) return database_->settle(work);
    constexpr seconds kLongEnough{5};
    Work attempt(work.within(kLongEnough));
    if (auto settled = database_->settle(attempt); settled) return settled;
    if (auto go_on = work.check(); !go_on) return go_on;
    if (auto killed = supervisor_.kill_database({.stay_stopped = false}, work); !killed)
      return killed;
    return error(Code::Retry, fmt::format("a clone that was cut short still ran after {} s: the "
                                          "server is restarted",
                                          kLongEnough.count()));
  }

  // A Close must not wait for a statement that cannot be killed: it kills the process if it must.
  Result<Reply> run(const Close& command, Work& work) {
    if (database_->serving()) {
      Work attempt(work.within(seconds(2)));
      auto settled = database_->settle(attempt);
      if (!settled && command.kill_if_blocked) {
        return member_->run(Close{.kill_if_blocked = true, .grace = milliseconds(1)}, work);
      }
      if (!settled) return settled.error();
    }
    return member_->run(command, work);
  }

  Result<Reply> run(const InspectSource& command, Work& work) {
    return outside_->run(command, work);
  }

  template <class Step>
  Result<Reply> run(const Step& command, Work& work) {
    if (!database_->serving()) {
      return error(Code::Retry, fmt::format("the database does not serve: it is {}",
                                            to_string(board_.state().process.state)));
    }
    if (auto ready = settle(work); !ready) return ready.error();
    return member_->run(command, work);
  }

  // --- what happens by itself

  void supervisor_changed(const std::optional<supervise::Hello>& hello) {
    spdlog::info("troupe-supervise is {}", hello ? "connected" : "lost");
    if (!hello) process_gone();
    board_.update([&](AgentObservation& state) {
      state.process.supervisor_connected = hello.has_value();
      if (hello) {
        state.container_id = hello->instance;
      } else {
        state.process.state = ProcessState::Unknown;
        state.process.dying = false;
      }
    });
  }

  void process_gone() {
    database_->watch(false);
    database_->process_ended();
    member_->process_ended();
    fence_watch_->process_ended();
  }

  // On the I/O thread.
  void take(const supervise::ProcessReport& report) {
    const bool exists = report.pid != 0 && !report.dying;
    if (static_cast<std::int64_t>(report.pid) != pid_) process_gone();
    pid_ = static_cast<std::int64_t>(report.pid);
    if (report.dying) database_->watch(false);
    board_.update([&](AgentObservation& state) {
      auto& process = state.process;
      if (!report.dying) process.state = state_of(report.state, database_->serving());
      process.pid = static_cast<std::int64_t>(report.pid);
      if (report.started_us != 0) {
        process.started = WallTime(std::chrono::microseconds(report.started_us));
      }
      if (report.ended != 0) {
        process.exit_signal.reset();
        process.exit_code.reset();
        if (report.exit_signal != 0) {
          process.exit_signal = static_cast<int>(report.exit_signal);
        } else {
          process.exit_code = static_cast<int>(report.exit_code);
        }
      }
      process.restarts = static_cast<std::uint32_t>(report.restarts);
      process.dying = report.dying;
      process.paused = report.paused;
      process.terminating = report.terminating_ms != 0;
    });
    database_->watch(exists);
    if (report.terminating_ms != 0) begin_end(milliseconds(report.terminating_ms));
  }

  // On the I/O thread.
  void database_serves(bool serving) {
    board_.update([&](AgentObservation& state) {
      auto& process = state.process.state;
      if (serving && process == ProcessState::Starting) process = ProcessState::Running;
      if (!serving && process == ProcessState::Running) process = ProcessState::Starting;
    });
    if (serving) {
      const std::lock_guard lock(mutex_);
      identify_ = true;
      changed_.notify_all();
    }
  }

  // --- the member closes itself

  // A command has the server to itself, and whoever gave it directs the member.
  bool can_be_asked() {
    if (!database_->serving() || board_.state().process.paused) return false;
    const std::lock_guard lock(mutex_);
    return running_ == nullptr && !stopping_;
  }

  // The mark comes first: an agent that takes over in the middle of it goes on.
  void fence(const std::string& reason) {
    spdlog::error("fences the member: {}", reason);
    if (!fence_mark_.read()) {
      const auto marked = fence_mark_.write({.since = wall_now(), .reason = reason});
      if (!marked) spdlog::error("the fence is not remembered: {}", marked.error().message);
    }
    Work work(kFenceLimit);
    const Command command{
        .header = {.unit = settings_.unit, .request_id = "self-fence", .epoch = epochs_.highest()},
        .action = Close{.kill_if_blocked = true, .grace = kFenceGrace}};
    const auto closed = execute(command, work);
    if (!closed) spdlog::error("the member is not fenced yet: {}", closed.error().message);
  }

  // Also what a person did to the mark.
  void look_at_fence() {
    const std::lock_guard lock(fence_mutex_);
    const auto fenced = fence_mark_.read();
    fence_watch_->set_fenced(fenced.has_value());
    board_.update([&](AgentObservation& state) { state.fenced = fenced; });
  }

  // --- the end of the container

  void begin_end(milliseconds time_left) {
    const std::lock_guard lock(mutex_);
    if (ends_) return;
    const auto now = Work::Clock::now();
    ends_ = now + time_left;
    // With an operator that can move the role away first, closing waits as long as it can.
    hand_over_until_ =
        operators_ > 0
            ? now + std::min(kHandOver, std::max(time_left - kCloseAtEnd, milliseconds(0)))
            : now;
    changed_.notify_all();
  }

  bool end_is_due(Work::Clock::time_point now) const {
    return ends_ && !released_ && now >= hand_over_until_;
  }

  // A member that is closed already has nothing to hand over.
  bool is_closed() {
    if (!database_->serving()) return true;
    Work work(seconds(1));
    const auto who = member_->identity(work);
    return who && who->super_read_only;
  }

  // Nothing may be acknowledged any more; then the supervisor may end the database.
  void close_and_release() {
    Work work(std::max(std::chrono::duration_cast<milliseconds>(*ends_ - Work::Clock::now()),
                       milliseconds(100)));
    const Command command{.header = {.unit = settings_.unit,
                                     .request_id = "container-ends",
                                     .epoch = epochs_.highest()},
                          .action = Close{.kill_if_blocked = false, .grace = kCloseAtEnd}};
    const auto closed = execute(command, work);
    let_go_of_source();
    Work order(kOrderLimit);
    const auto released = supervisor_.release({.graceful = closed.has_value()}, order);
    if (!released) spdlog::warn("the supervisor was not released: {}", released.error().message);
  }

  // --- the housekeeper

  void keep_house() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto now = Work::Clock::now();
      auto wake = now + kHousekeeping;
      if (ends_ && !released_) wake = std::min(wake, now + kEndPoll);
      if (end_is_due(now)) {
        released_ = true;
        lock.unlock();
        close_and_release();
        lock.lock();
        continue;
      }
      if (identify_ && !running_) {
        identify_ = false;
        lock.unlock();
        identify();
        lock.lock();
        continue;
      }
      changed_.wait_until(lock, wake);
      const bool ends = ends_ && !released_;
      const bool busy = running_ != nullptr;
      lock.unlock();
      const bool closed = ends && is_closed();
      look_at_volume();
      measure_data(now);
      look_at_fence();
      look_at_certificates(busy);
      look_at_configuration(busy);
      lock.lock();
      if (closed) hand_over_until_ = Work::Clock::now();
    }
  }

  void identify() {
    Work work(seconds(5));
    const auto who = member_->identity(work);
    if (!who) return;
    board_.update([&](AgentObservation& state) { state.server_uuid = who->server_uuid; });
  }

  // The files as they are for a process of the database.
  struct Reloaded {
    CertificateFiles::Digests files;
    std::int64_t pid = 0;
    std::optional<WallTime> started;
    bool operator==(const Reloaded&) const = default;
  };

  // A command has the server to itself: while one runs the server keeps what it has read.
  void look_at_certificates(bool busy) {
    const auto files = certificates_.look(Work::Clock::now());
    if (!files) return;
    const auto process = board_.state().process;
    std::string failure;
    switch (process.state) {
      case ProcessState::Running: {
        const Reloaded wanted{*files, process.pid, process.started};
        if (reloaded_ == wanted) break;
        if (busy) return;
        Work work(kReloadLimit);
        const auto done = member_->reload_certificates(work);
        if (done) {
          spdlog::info("the server has read its certificates");
          reloaded_ = wanted;
        } else {
          failure = "the server does not take the new certificates: " + done.error().message;
        }
        break;
      }
      case ProcessState::Starting:
      case ProcessState::Stopping:
        return;  // it may have read them before they changed
      default:
        break;  // it reads them when it starts
    }
    board_.update([&](AgentObservation& state) {
      state.certificates.error = failure;
      if (!failure.empty()) return;
      state.certificates.trusted = files->trusted;
      state.certificates.shown = files->shown;
    });
  }

  // What a server that runs can be told needs no restart. One that refuses is asked once a file.
  void look_at_configuration(bool busy) {
    const auto process = board_.state().process;
    if (busy || process.state != ProcessState::Running) return;
    // Its supervisor has restarted it.
    if (process.started && configuration_.runs_since(*process.started)) tell_configuration();
    const auto live = configuration_.live_changes();
    if (!live || live->hash == refused_configuration_) return;
    if (!live->changes.empty()) {
      Work work(kReloadLimit);
      const auto told = database_->query(mysql::set_global(live->changes), work);
      if (!told) {
        spdlog::info("the new configuration needs a restart: {}", told.error().message);
        const auto code = told.error().code;
        if (code != Code::Timeout && code != Code::Retry) refused_configuration_ = live->hash;
        return;
      }
      spdlog::info("the server was told {} settings of the new configuration",
                   live->changes.size());
    }
    configuration_.took_effect(live->hash);
    tell_configuration();
  }

  void look_at_volume() {
    // Free space wanders all the time; only steps of a MiB are news.
    constexpr std::uint64_t kStep = 1 << 20;
    const auto data = directory_.state();
    const auto space = directory_.space();
    board_.update([&](AgentObservation& state) {
      state.data = data;
      state.disk_free_bytes = space.free_bytes / kStep * kStep;
      state.disk_total_bytes = space.total_bytes;
    });
  }

  // On the housekeeper's thread: a directory of many tables takes its time.
  void measure_data(Work::Clock::time_point now) {
    constexpr std::uint64_t kStep = 1 << 20;  // as above
    if (now < measure_data_at_) return;
    measure_data_at_ = now + kMeasureDataEvery;
    const auto bytes = (directory_.used() + kStep - 1) / kStep * kStep;
    board_.update([bytes](AgentObservation& state) { state.data_bytes = bytes; });
  }

  const AgentSettings settings_;
  const Fd lock_;
  EpochStore epochs_;
  Board board_;
  Configuration configuration_;
  CertificateFiles certificates_;  // with the next one: on the housekeeper's thread
  std::optional<Reloaded> reloaded_;
  std::string refused_configuration_;  // likewise
  DataDirectory directory_;
  const FenceMark fence_mark_;
  std::mutex fence_mutex_;  // so that what was read last is what counts

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  SuperviseClient supervisor_;
  std::unique_ptr<LocalMysql> database_;
  std::unique_ptr<MysqlMember> member_;
  std::unique_ptr<MysqlClone> clone_;
  std::unique_ptr<ExternalSource> outside_;
  std::unique_ptr<FenceWatch> fence_watch_;
  std::int64_t pid_ = 0;  // on the I/O thread
  std::atomic<int> operators_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool identify_ = false;
  Work* running_ = nullptr;
  const Command* running_command_ = nullptr;
  std::optional<Work::Clock::time_point> ends_;
  Work::Clock::time_point hand_over_until_;
  Work::Clock::time_point measure_data_at_;  // on the housekeeper's thread
  bool released_ = false;

  std::thread io_thread_;
  std::thread housekeeper_;
};

Agent::Agent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::start(AgentSettings settings) {
  if (auto made = make_directory(settings.keep_dir(), 0755, settings.run_as); !made)
    return made.error();
  const auto lock_file = settings.keep_dir() / "lock";
  Fd lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return error(Code::Exists, fmt::format("another agent holds {}", lock_file.string()));
  }
  auto epochs = EpochStore::open(settings.keep_dir() / "epoch");
  if (!epochs) return epochs.error();
  auto impl = std::make_unique<Impl>(std::move(settings), *std::move(epochs), std::move(lock));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

Result<Reply> Agent::execute(const Command& command, Work& work) {
  return impl_->execute(command, work);
}
Board& Agent::board() { return impl_->board(); }
const AgentSettings& Agent::settings() const { return impl_->settings(); }
void Agent::operator_connected(bool connected) { impl_->operator_connected(connected); }
void Agent::renew_lease() { impl_->renew_lease(); }

}  // namespace troupe::agent
