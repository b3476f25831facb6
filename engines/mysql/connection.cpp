#include "engines/mysql/connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

namespace troupe::mysql {
namespace {

using boost::system::error_code;
using Descriptor = boost::asio::posix::stream_descriptor;

// Methods that prove knowledge of the password without giving it away in clear text.
constexpr const char* kAuthMethods = "caching_sha2_password,mysql_native_password";
// The connecting fiber only calls the library, which works on a stack of its own.
constexpr std::size_t kConnectStackBytes = 64 * 1024;
// Letting an abandoned call fail takes a few turns: every wait in it fails at once.
constexpr int kMaxUnwindTurns = 64;

// MYSQL_CLIENT_AUTHENTICATION_PLUGIN; Debian's package lacks a file that its header includes.
constexpr int kAuthenticationPlugin = 2;

ServerError failure(Reachability reachability, std::string message) {
  return {0, reachability, std::move(message)};
}

// The library reports every failure to connect alike and puts errno into the text: "... (111)".
int system_error_in(std::string_view message) {
  const auto open = message.rfind('(');
  const auto close = message.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return 0;
  const auto number = parse_number(message.substr(open + 1, close - open - 1));
  return number ? static_cast<int>(*number) : 0;
}

// A server that refuses before TLS is up (too many connections, shutting down) is reported under
// the library's number, with the server's in the text: "... cannot be verified: 1040 - Too many
// ...".
unsigned early_error_in(std::string_view message) {
  constexpr std::string_view kMark = "cannot be verified: ";
  const auto at = message.find(kMark);
  if (at == std::string_view::npos) return 0;
  const auto rest = message.substr(at + kMark.size());
  const auto number = parse_number(rest.substr(0, rest.find(' ')));
  return number ? static_cast<unsigned>(*number) : 0;
}

Reachability connect_evidence(int system_error) {
  switch (system_error) {
    case ECONNREFUSED:
    case ENOENT:  // no Unix socket
      return Reachability::Refused;
    case ETIMEDOUT:
      return Reachability::Timeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
      return Reachability::Unreachable;
    default:
      return Reachability::Reset;
  }
}

// The library's own numbers: the connection is of no more use.
bool is_client_error(unsigned number) {
  return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
}

// For an account that it does not have a server makes up a method, each with an equal chance, so
// that nobody learns which accounts there are. The library names that method by bytes of the
// handshake that are not its name.
std::string text_of(unsigned number, std::string_view message) {
  if (number != error_number::kAuthMethodNotUsed) return sanitize(message);
  return fmt::format(
      "the server asked for an authentication method other than {}: there may be no such account, "
      "or it was created with another method",
      kAuthMethods);
}

bool is_loopback(const std::string& address) {
  error_code failed;
  const auto parsed = boost::asio::ip::make_address(address, failed);
  return !failed && parsed.is_loopback();
}

bool is_socket_path(const std::string& address) { return address.starts_with('/'); }

std::optional<ServerError> refuse(const Login& login) {
  if (!is_socket_path(login.address)) {
    error_code failed;
    boost::asio::ip::make_address(login.address, failed);
    if (failed) {
      return failure(
          Reachability::Failed,
          fmt::format("expected an IP address or the path of a socket, found {:?}", login.address));
    }
  }
  if (login.tls && !login.tls->anchors) {
    return failure(Reachability::TlsFailed, "TLS without certificates of authorities to trust");
  }
  const bool local = is_socket_path(login.address) || is_loopback(login.address);
  if (!login.tls && !local && !login.allow_plain) {
    return failure(Reachability::TlsFailed,
                   fmt::format("{} is not this machine: expected TLS", login.address));
  }
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const TrustAnchors>> TrustAnchors::from_pem(std::string_view pem) {
  const int fd = memfd_create("trust-anchors", MFD_CLOEXEC);
  if (fd < 0) return error(Code::Fatal, "memfd_create: " + std::system_category().message(errno));
  std::shared_ptr<const TrustAnchors> anchors(new TrustAnchors(fd));
  while (!pem.empty()) {
    const auto written = ::write(fd, pem.data(), pem.size());
    if (written <= 0) return error(Code::Fatal, "memfd: " + std::system_category().message(errno));
    pem.remove_prefix(static_cast<std::size_t>(written));
  }
  return anchors;
}

TrustAnchors::TrustAnchors(int fd) : fd_(fd), path_(fmt::format("/proc/self/fd/{}", fd)) {}
TrustAnchors::~TrustAnchors() { ::close(fd_); }

// Drives one MYSQL handle. At any time one library call is under way (phase_), or none.
//
// Connecting runs in a fiber. The library's calls suspend themselves, but not in a TLS handshake:
// there it waits through a hook (MARIADB_OPT_IO_WAIT), and the hook suspends the fiber.
class Connection::Impl : public std::enable_shared_from_this<Connection::Impl> {
 public:
  explicit Impl(boost::asio::any_io_executor executor)
      : executor_(executor), socket_(executor), timer_(executor) {}
  ~Impl() { discard(); }

  void connect(const Login& login, Duration timeout, OnConnected done) {
    close();
    connected_ = std::move(done);
    if (auto refused = refuse(login)) return fail(*refused);
    prepare_library();
    login_ = login;
    handshake_prepared_ = false;
    open_handle();
    arm_deadline(timeout);
    phase_ = Phase::Connecting;
    fiber_ = Fiber(std::allocator_arg, boost::context::fixedsize_stack(kConnectStackBytes),
                   [this](Fiber&& caller) { return run_connect(std::move(caller)); });
    advance(resume(0));
  }

  void execute(std::vector<Statement> statements, Duration timeout, OnAnswers done) {
    if (phase_ != Phase::Idle) {
      const auto refused = handle_ ? failure(Reachability::Failed, "another request is under way")
                                   : failure(Reachability::Reset, "not connected");
      boost::asio::post(executor_, [done = std::move(done), refused] { done(refused); });
      return;
    }
    answered_ = std::move(done);
    arm_deadline(timeout);
    run(std::move(statements));
  }

  void on_hangup(OnHangup callback) {
    hangup_ = std::move(callback);
    if (phase_ == Phase::Idle) watch_readable();
  }

  void close() {
    if (phase_ == Phase::Closed) return;
    hangup_ = nullptr;
    if (phase_ == Phase::Idle) return discard();
    fail(failure(Reachability::Reset, "closed while a request was under way"));
  }

  // Leaves nothing behind that could call back.
  void abandon() {
    hangup_ = nullptr;
    connected_ = nullptr;
    answered_ = nullptr;
    discard();
  }

  bool is_open() const { return handle_ && !connected_; }
  std::uint64_t session_id() const { return is_open() ? mysql_thread_id(handle_) : 0; }
  bool is_busy() const { return phase_ != Phase::Idle && phase_ != Phase::Closed; }

 private:
  enum class Phase { Closed, Connecting, Idle, Querying, Fetching };

  void open_handle() {
    handle_ = mysql_init(nullptr);
    if (!handle_) throw std::bad_alloc();
    const my_bool no = 0, yes = 1;
    const unsigned int never = 0;
    std::size_t max_packet = kMaxAnswerBytes;
    mysql_options(handle_, MYSQL_OPT_NONBLOCK, nullptr);  // stack of the library's default size
    mysql_options(handle_, MYSQL_OPT_RECONNECT, &no);
    mysql_options(handle_, MYSQL_OPT_LOCAL_INFILE, &never);  // no server reads our files
    mysql_options(handle_, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
    mysql_options(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(handle_, MARIADB_OPT_IO_WAIT, &Impl::io_wait);
    mysql_optionsv(handle_, MARIADB_OPT_RESTRICTED_AUTH, kAuthMethods);
    mysql_optionsv(handle_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "troupe");
    if (!login_.tls) return;
    mysql_options(handle_, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(handle_, MYSQL_OPT_SSL_CA, login_.tls->anchors->path().c_str());
    mysql_options(handle_, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
    if (!login_.tls->fingerprint.empty()) {
      mysql_optionsv(handle_, MARIADB_OPT_TLS_PEER_FP, login_.tls->fingerprint.c_str());
    }
  }

  // --- Connecting ---

  using Fiber = boost::context::fiber;

  Fiber run_connect(Fiber&& caller) {
    caller_ = std::move(caller);
    // The library copies none of these before it needs them: login_ outlives the call.
    const bool local = is_socket_path(login_.address);
    const char* address = login_.address.c_str();
    int waiting =
        mysql_real_connect_start(&connect_result_, handle_, local ? nullptr : address,
                                 login_.user.c_str(), login_.password.reveal().data(), nullptr,
                                 local ? 0 : login_.port, local ? address : nullptr, 0);
    while (waiting != 0) {
      waiting = mysql_real_connect_cont(&connect_result_, handle_, suspend(waiting));
    }
    connect_waits_for_ = 0;
    return std::move(caller_);
  }

  // Back to whoever resumed the fiber; answers what became ready.
  int suspend(int waiting) {
    connect_waits_for_ = waiting;
    caller_ = std::move(caller_).resume();
    return connect_ready_;
  }

  int resume_connect(int ready) {
    connect_ready_ = ready;
    connecting_ = this;
    fiber_ = std::move(fiber_).resume();
    connecting_ = nullptr;
    return connect_waits_for_;
  }

  // Where the library would block, in a handshake or a good-bye. Positive: go on; 0: timed out.
  static int io_wait(my_socket, my_bool is_read, int) {
    if (!connecting_) return 0;
    const int ready = connecting_->suspend(is_read ? MYSQL_WAIT_READ : MYSQL_WAIT_WRITE);
    return ready & MYSQL_WAIT_TIMEOUT ? 0 : 1;
  }

  // Called by OpenSSL for each session that anybody creates; ours is about to shake hands.
  static void on_new_session(void* session, void*, CRYPTO_EX_DATA*, int, long, void*) {
    if (connecting_) connecting_->prepare_handshake(static_cast<SSL*>(session));
  }

  // The library has put the socket back into blocking mode, and it would compare the certificate's
  // names only after a handshake that verified nothing but the chain.
  void prepare_handshake(SSL* session) {
    const int raw = static_cast<int>(mysql_get_socket(handle_));
    const int flags = ::fcntl(raw, F_GETFL);
    if (flags < 0 || ::fcntl(raw, F_SETFL, flags | O_NONBLOCK) < 0) return;
    auto* parameters = SSL_get0_param(session);
    const auto& trust = *login_.tls;
    if (!trust.name.empty()) {
      handshake_prepared_ = X509_VERIFY_PARAM_set1_host(parameters, trust.name.c_str(), 0) == 1;
    } else if (trust.fingerprint.empty()) {
      handshake_prepared_ = X509_VERIFY_PARAM_set1_ip_asc(parameters, login_.address.c_str()) == 1;
    } else {
      handshake_prepared_ = true;
    }
  }

  // Loads the library and its authentication plugin once, on an ordinary stack: both read files.
  static void prepare_library() {
    static std::once_flag once;
    std::call_once(once, [] {
      mysql_library_init(0, nullptr, nullptr);
      SSL_get_ex_new_index(0, nullptr, &Impl::on_new_session, nullptr, nullptr);
      if (MYSQL* handle = mysql_init(nullptr)) {
        mysql_client_find_plugin(handle, "caching_sha2_password", kAuthenticationPlugin);
        mysql_close(handle);
      }
    });
  }

  // --- Statements ---

  // `waiting` is what the last library call waits for; zero means that it is done.
  void advance(int waiting) {
    while (waiting == 0) {
      const auto next = step();
      if (!next) return;
      waiting = *next;
    }
    wait_for(waiting);
  }

  // Handles the end of a call and starts the next one; nullopt: the request is answered.
  std::optional<int> step() {
    switch (phase_) {
      case Phase::Connecting:
        if (!connect_result_) return fail_with_library_error();
        if (login_.tls && !handshake_prepared_) {
          fail(failure(Reachability::TlsFailed, "the peer's certificate was not bound to it"));
          return std::nullopt;
        }
        return start({session_setup()});
      case Phase::Querying:
        return query_result_ == 0 ? read_result() : fail_with_library_error();
      case Phase::Fetching:
        return row_ ? take_row() : end_result();
      case Phase::Idle:
      case Phase::Closed:
        return std::nullopt;
    }
    return std::nullopt;
  }

  int resume(int ready) {
    // One queue of errors for all sessions of a thread: what another one left there, a refused
    // certificate for example, would be read as the end of this one.
    ERR_clear_error();
    switch (phase_) {
      case Phase::Connecting:
        return resume_connect(ready);
      case Phase::Querying:
        return mysql_real_query_cont(&query_result_, handle_, ready);
      case Phase::Fetching:
        return mysql_fetch_row_cont(&row_, result_, ready);
      case Phase::Idle:
      case Phase::Closed:
        return 0;
    }
    return 0;
  }

  std::optional<int> start(std::vector<Statement> statements) {
    ERR_clear_error();
    statements_ = std::move(statements);
    answers_.clear();
    answer_bytes_ = answer_rows_ = 0;
    return next_statement();
  }

  void run(std::vector<Statement> statements) {
    if (const auto waiting = start(std::move(statements))) advance(*waiting);
  }

  std::optional<int> next_statement() {
    if (answers_.size() == statements_.size()) {
      succeed();
      return std::nullopt;
    }
    const auto text = statements_[answers_.size()].text();
    phase_ = Phase::Querying;
    return mysql_real_query_start(&query_result_, handle_, text.data(), text.size());
  }

  std::optional<int> read_result() {
    result_ = mysql_use_result(handle_);
    if (!result_) {
      if (mysql_field_count(handle_) != 0) return fail_with_library_error();
      answers_.emplace_back().affected_rows = mysql_affected_rows(handle_);
      return next_statement();
    }
    const auto count = mysql_num_fields(result_);
    const auto* fields = mysql_fetch_fields(result_);
    std::vector<std::string> columns;
    columns.reserve(count);
    for (unsigned i = 0; i < count; ++i)
      columns.emplace_back(fields[i].name, fields[i].name_length);
    answers_.emplace_back(std::move(columns));
    return fetch();
  }

  std::optional<int> fetch() {
    phase_ = Phase::Fetching;
    return mysql_fetch_row_start(&row_, result_);
  }

  std::optional<int> take_row() {
    const auto* lengths = mysql_fetch_lengths(result_);
    const auto count = mysql_num_fields(result_);
    for (unsigned i = 0; i < count; ++i) {
      answer_bytes_ += row_[i] ? lengths[i] : 0;
      answers_.back().add(row_[i] ? std::optional(std::string_view(row_[i], lengths[i]))
                                  : std::nullopt);
    }
    if (++answer_rows_ > kMaxAnswerRows || answer_bytes_ > kMaxAnswerBytes) {
      fail(failure(Reachability::Failed, "the answer is larger than its bound"));
      return std::nullopt;
    }
    return fetch();
  }

  std::optional<int> end_result() {
    if (mysql_errno(handle_) != 0) return fail_with_library_error();
    mysql_free_result(std::exchange(result_, nullptr));
    return next_statement();
  }

  std::optional<int> fail_with_library_error() {
    const std::string message = mysql_error(handle_);
    const unsigned early = early_error_in(message);
    const unsigned number = early != 0 ? early : mysql_errno(handle_);
    ServerError lost{number, reachability_of(number), text_of(number, message)};
    const bool connecting = phase_ == Phase::Connecting;
    if (number == error_number::kNoSocket || number == error_number::kConnectFailed) {
      lost.reachability = connect_evidence(system_error_in(message));
    }
    if (connecting || connected_ || is_client_error(number)) {
      fail(lost);
    } else {
      release_result();
      phase_ = Phase::Idle;
      answer(lost);
    }
    return std::nullopt;
  }

  // --- Ends of requests ---

  void succeed() {
    phase_ = Phase::Idle;
    statements_.clear();
    if (connected_) {
      post_answer(std::exchange(connected_, nullptr), Outcome<void>(boost::system::in_place_value));
    } else {
      post_answer(std::exchange(answered_, nullptr),
                  Outcome<std::vector<ResultSet>>(std::move(answers_)));
    }
    answers_.clear();
    if (hangup_) watch_readable();
  }

  // A statement failed; the session goes on.
  void answer(const ServerError& error) {
    statements_.clear();
    answers_.clear();
    post_answer(std::exchange(answered_, nullptr), Outcome<std::vector<ResultSet>>(error));
    if (hangup_) watch_readable();
  }

  // The session is over.
  void fail(const ServerError& error) {
    discard();
    if (connected_) post_answer(std::exchange(connected_, nullptr), Outcome<void>(error));
    if (answered_) {
      post_answer(std::exchange(answered_, nullptr), Outcome<std::vector<ResultSet>>(error));
    }
  }

  template <class Callback, class Value>
  void post_answer(Callback callback, Value value) {
    if (!callback) return;
    boost::asio::post(executor_, [weak = weak_from_this(), callback = std::move(callback),
                                  value = std::move(value)]() mutable {
      if (!weak.expired()) callback(std::move(value));
    });
  }

  // Closes everything, whatever is under way. Good-bye is said only where it cannot block: when
  // nothing has been sent that was not answered.
  void discard() {
    const bool idle = phase_ == Phase::Idle;
    if (socket_.is_open() && !idle) ::shutdown(socket_.native_handle(), SHUT_RDWR);
    unwind();
    phase_ = Phase::Closed;
    release_result();
    if (handle_) mysql_close(std::exchange(handle_, nullptr));
    error_code ignored;
    socket_.close(ignored);
    raw_socket_ = -1;
    timer_.cancel();
    timer_armed_ = false;
    statements_.clear();
    answers_.clear();
  }

  // Lets the library's call under way fail, so that its stack ends as it should.
  void unwind() {
    if (!suspended_) return;
    suspended_ = false;
    for (int turn = 0; turn < kMaxUnwindTurns; ++turn) {
      if (resume(MYSQL_WAIT_TIMEOUT) == 0) return;
    }
  }

  // Without its handle the library frees a result and does not try to read the rest of it.
  void release_result() {
    if (!result_) return;
    result_->handle = nullptr;
    mysql_free_result(std::exchange(result_, nullptr));
  }

  // --- Readiness ---

  void wait_for(int waiting) {
    suspended_ = true;
    wanted_ = waiting;
    if (!adopt_socket()) return fail(failure(Reachability::Failed, "no socket to wait for"));
    if (waiting & MYSQL_WAIT_READ) watch_readable();
    if (waiting & MYSQL_WAIT_WRITE) watch_writable();
  }

  // The library may close its descriptor at any time and the number may be used again by others, so
  // the reactor is given a descriptor of our own for the same socket.
  bool adopt_socket() {
    const int raw = static_cast<int>(mysql_get_socket(handle_));
    if (raw < 0) return false;
    if (raw == raw_socket_) return true;
    const int own = ::fcntl(raw, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return false;
    error_code failed;
    socket_.close(failed);
    read_watched_ = write_watched_ = false;
    ++socket_generation_;
    socket_.assign(own, failed);
    if (failed) {
      ::close(own);
      return false;
    }
    raw_socket_ = raw;
    return true;
  }

  auto on_ready(int what) {
    return [weak = weak_from_this(), generation = socket_generation_, what](error_code failed) {
      const auto self = weak.lock();
      if (!self || generation != self->socket_generation_) return;
      (what == MYSQL_WAIT_READ ? self->read_watched_ : self->write_watched_) = false;
      if (failed || self->phase_ == Phase::Closed) return;
      self->ready(what);
    };
  }

  // One wait for reading stays armed between requests; it is what sees a hang-up.
  void watch_readable() {
    if (std::exchange(read_watched_, true)) return;
    socket_.async_wait(Descriptor::wait_read, on_ready(MYSQL_WAIT_READ));
  }

  void watch_writable() {
    if (std::exchange(write_watched_, true)) return;
    socket_.async_wait(Descriptor::wait_write, on_ready(MYSQL_WAIT_WRITE));
  }

  void ready(int what) {
    if (phase_ == Phase::Idle) {
      if (what == MYSQL_WAIT_READ && hangup_) check_hangup();
      return;
    }
    if (!suspended_ || !(wanted_ & what)) return;
    suspended_ = false;
    advance(resume(what));
  }

  // Readable while idle: the server has closed the session, or said so and is about to.
  void check_hangup() {
    char byte;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const int cause = errno;
    if (got < 0 && (cause == EAGAIN || cause == EWOULDBLOCK)) return watch_readable();
    auto lost = failure(Reachability::Reset, "the server closed the connection");
    if (got < 0) lost.message = "connection lost: " + std::system_category().message(cause);
    if (got > 0) lost.message = "the server ended the session";
    const auto callback = std::exchange(hangup_, nullptr);
    discard();
    callback(lost);
  }

  // --- Deadline ---

  // The timer is not moved for each request but looks for the current deadline when it fires.
  void arm_deadline(Duration timeout) {
    deadline_ = std::chrono::steady_clock::now() + timeout;
    if (timer_armed_ && timer_.expiry() <= deadline_) return;
    watch_deadline();
  }

  void watch_deadline() {
    timer_armed_ = true;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = weak_from_this()](error_code failed) {
      const auto self = weak.lock();
      if (failed || !self) return;
      self->timer_armed_ = false;
      if (!self->is_busy()) return;
      if (std::chrono::steady_clock::now() < self->deadline_) return self->watch_deadline();
      self->fail(failure(Reachability::Timeout, "no answer before the deadline"));
    });
  }

  boost::asio::any_io_executor executor_;
  Descriptor socket_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point deadline_;
  bool timer_armed_ = false;

  static inline thread_local Impl* connecting_ = nullptr;  // whose fiber runs on this thread
  Fiber fiber_;
  Fiber caller_;
  int connect_waits_for_ = 0;
  int connect_ready_ = 0;
  bool handshake_prepared_ = false;

  Login login_;
  MYSQL* handle_ = nullptr;
  MYSQL* connect_result_ = nullptr;
  int query_result_ = 0;
  MYSQL_RES* result_ = nullptr;
  MYSQL_ROW row_ = nullptr;

  Phase phase_ = Phase::Closed;
  bool suspended_ = false;  // a library call waits for `wanted_`
  int wanted_ = 0;
  int raw_socket_ = -1;
  std::uint64_t socket_generation_ = 0;
  bool read_watched_ = false;
  bool write_watched_ = false;

  std::vector<Statement> statements_;
  std::vector<ResultSet> answers_;
  std::size_t answer_bytes_ = 0;
  std::size_t answer_rows_ = 0;

  OnConnected connected_;
  OnAnswers answered_;
  OnHangup hangup_;
};

Connection::Connection(boost::asio::any_io_executor executor)
    : impl_(std::make_shared<Impl>(std::move(executor))) {}
Connection::~Connection() { impl_->abandon(); }

void Connection::connect(const Login& login, Duration timeout, OnConnected done) {
  impl_->connect(login, timeout, std::move(done));
}
void Connection::execute(std::vector<Statement> statements, Duration timeout, OnAnswers done) {
  impl_->execute(std::move(statements), timeout, std::move(done));
}
void Connection::on_hangup(OnHangup callback) { impl_->on_hangup(std::move(callback)); }
void Connection::close() { impl_->close(); }
bool Connection::is_open() const { return impl_->is_open(); }
std::uint64_t Connection::session_id() const { return impl_->session_id(); }
bool Connection::is_busy() const { return impl_->is_busy(); }

}  // namespace troupe::mysql
