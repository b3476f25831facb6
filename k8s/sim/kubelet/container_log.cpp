#include "k8s/sim/kubelet/container_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

// A longer line is written in parts, marked P but for the last.
constexpr std::size_t kMaxLine = 16 * 1024;
// What one turn sends before others get theirs.
constexpr std::size_t kChunk = 64 * 1024;

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

fs::path old_part(const fs::path& path) { return path.string() + ".old"; }

class LogWriter : public std::enable_shared_from_this<LogWriter> {
 public:
  LogWriter(asio::io_context& io, Pipe& out, Pipe& err, Fd file, std::shared_ptr<LogState> state)
      : streams_{Stream{{io, out.read.release()}, "stdout", {}, {}},
                 Stream{{io, err.read.release()}, "stderr", {}, {}}},
        file_(std::move(file)),
        state_(std::move(state)) {}

  void start() {
    for (Stream& stream : streams_) read(stream);
  }

 private:
  struct Stream {
    asio::posix::stream_descriptor pipe;
    std::string_view name;
    std::string partial;
    std::array<char, kMaxLine> buffer;
  };

  void read(Stream& stream) {
    stream.pipe.async_read_some(asio::buffer(stream.buffer),
                                [self = shared_from_this(), &stream](
                                    const boost::system::error_code& ended, std::size_t n) {
                                  if (ended) return self->finish(stream);
                                  self->take(stream, {stream.buffer.data(), n});
                                  self->read(stream);
                                });
  }

  void take(Stream& stream, std::string_view bytes) {
    const std::string time = to_rfc3339_micro(wall_now());
    std::string lines;
    while (!bytes.empty()) {
      const auto newline = bytes.find('\n');
      stream.partial.append(bytes.substr(0, newline));
      bytes.remove_prefix(newline == bytes.npos ? bytes.size() : newline + 1);
      const bool full = newline != bytes.npos;
      if (!full && stream.partial.size() < kMaxLine) break;
      lines += fmt::format("{} {} {} {}\n", time, stream.name, full ? 'F' : 'P', stream.partial);
      stream.partial.clear();
    }
    append(lines);
  }

  void append(const std::string& lines) {
    if (lines.empty()) return;
    if (written_ + static_cast<std::int64_t>(lines.size()) > kMaxLogBytes) rotate();
    const ssize_t n = write(file_.get(), lines.data(), lines.size());
    if (n > 0) written_ += n;  // a full disk loses output, it never stops the container
  }

  void rotate() {
    std::error_code ignored;
    fs::rename(state_->path, old_part(state_->path), ignored);
    Fd fresh(open(state_->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640));
    if (!fresh) return;
    file_ = std::move(fresh);
    written_ = 0;
  }

  void finish(Stream& stream) {
    if (!stream.partial.empty()) take(stream, "\n");
    stream.pipe.close();
    if (--open_streams_ > 0) return;
    state_->complete = true;
    file_.reset();  // followers see the close
  }

  std::array<Stream, 2> streams_;
  Fd file_;
  std::shared_ptr<LogState> state_;
  std::int64_t written_ = 0;
  int open_streams_ = 2;
};

// "TIME STREAM TAG text": where the text begins, or npos.
std::size_t text_offset(std::string_view line) {
  std::size_t at = 0;
  for (int i = 0; i < 3; ++i) {
    at = line.find(' ', at);
    if (at == line.npos) return at;
    ++at;
  }
  return at;
}

bool is_partial(std::string_view line, std::size_t text_at) {
  return text_at >= 2 && line[text_at - 2] == 'P';
}

// One run of LogOptions over the lines of a file.
class LineFilter {
 public:
  explicit LineFilter(const LogOptions& options)
      : timestamps_(options.timestamps), bytes_left_(options.limit_bytes) {
    if (options.since) since_ = to_rfc3339_micro(*options.since);
  }

  void add(std::string_view line, std::string& output) {
    const std::size_t at = text_offset(line);
    if (at == line.npos || done()) return;
    if (line.substr(0, since_.size()) < since_) return;
    std::string text;
    if (timestamps_ && !continues_) text = fmt::format("{} ", line.substr(0, line.find(' ')));
    text += line.substr(at);
    continues_ = is_partial(line, at);
    if (!continues_) text += '\n';
    if (bytes_left_) {
      text.resize(std::min<std::size_t>(text.size(), static_cast<std::size_t>(*bytes_left_)));
      *bytes_left_ -= static_cast<std::int64_t>(text.size());
    }
    output += text;
  }

  bool done() const { return bytes_left_ && *bytes_left_ <= 0; }

 private:
  const bool timestamps_;
  std::string since_;
  std::optional<std::int64_t> bytes_left_;
  bool continues_ = false;
};

// Where the last `count` lines of the file begin.
off_t offset_of_tail(int fd, std::int64_t count) {
  struct stat info;
  if (fstat(fd, &info) != 0) return 0;
  off_t at = info.st_size;
  std::array<char, kChunk> buffer;
  std::int64_t newlines = 0;
  while (at > 0) {
    const auto size = std::min<off_t>(at, kChunk);
    at -= size;
    if (pread(fd, buffer.data(), static_cast<std::size_t>(size), at) != size) return 0;
    for (off_t i = size; i-- > 0;) {
      if (buffer[static_cast<std::size_t>(i)] != '\n') continue;
      if (++newlines > count) return at + i + 1;
    }
  }
  return 0;
}

class LogReader : public std::enable_shared_from_this<LogReader> {
 public:
  LogReader(asio::io_context& io, std::shared_ptr<const LogState> log, const LogOptions& options,
            std::shared_ptr<LogSink> sink)
      : io_(io),
        log_(std::move(log)),
        options_(options),
        sink_(std::move(sink)),
        filter_(options),
        changes_(io) {}

  void start() {
    watch();
    if (fs::exists(old_part(log_->path))) parts_.push_back(old_part(log_->path));
    parts_.push_back(log_->path);
    // A tail begins in the newer part; the old one is read only when everything is wanted.
    if (options_.tail_lines) parts_.erase(parts_.begin(), std::prev(parts_.end()));
    open_next_part();
    if (options_.tail_lines) offset_ = offset_of_tail(file_.get(), *options_.tail_lines);
    schedule();
  }

  void resume() {
    blocked_ = false;
    schedule();
  }

  void stop() {
    sink_.reset();
    changes_.close();
  }

 private:
  // The turn is posted, so that the sink is never called from inside a call to the session.
  void schedule() {
    if (scheduled_ || sink_ == nullptr) return;
    scheduled_ = true;
    asio::post(io_, [self = shared_from_this()] {
      self->scheduled_ = false;
      self->take_turn();
    });
  }

  void take_turn() {
    if (sink_ == nullptr || blocked_) return;
    // Read before the file: what is written after is seen by the next look.
    const bool complete = log_->complete || !options_.follow;
    const std::size_t got = read_some();
    if (filter_.done()) return finish();
    if (got > 0) return schedule();
    if (!parts_.empty()) {
      open_next_part();
      return schedule();
    }
    if (complete) finish();
  }

  std::size_t read_some() {
    std::array<char, kChunk> buffer;
    const ssize_t n = pread(file_.get(), buffer.data(), buffer.size(), offset_);
    if (n <= 0) return 0;
    offset_ += n;
    partial_.append(buffer.data(), static_cast<std::size_t>(n));
    std::string output;
    std::string_view rest = partial_;
    for (auto newline = rest.find('\n'); newline != rest.npos; newline = rest.find('\n')) {
      filter_.add(rest.substr(0, newline), output);
      rest.remove_prefix(newline + 1);
    }
    partial_.erase(0, partial_.size() - rest.size());
    if (!output.empty() && !sink_->write(output)) blocked_ = true;
    return static_cast<std::size_t>(n);
  }

  void finish() {
    const std::shared_ptr<LogSink> sink = std::move(sink_);
    stop();
    sink->finished({});
  }

  void open_next_part() {
    file_ = Fd(open(parts_.front().c_str(), O_RDONLY | O_CLOEXEC));
    parts_.pop_front();
    offset_ = 0;
    partial_.clear();
  }

  void watch() {
    if (!options_.follow) return;
    const int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notify < 0) return;
    // The directory: a rotated log is another file of the same name.
    inotify_add_watch(notify, log_->path.parent_path().c_str(),
                      IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE);
    changes_.assign(notify);
    wait_for_change();
  }

  void wait_for_change() {
    changes_.async_read_some(
        asio::buffer(change_buffer_),
        [self = shared_from_this()](const boost::system::error_code& ended, std::size_t n) {
          if (ended || self->sink_ == nullptr) return;
          self->note_rotation({self->change_buffer_.data(), n});
          self->schedule();
          self->wait_for_change();
        });
  }

  void note_rotation(std::string_view events) {
    while (events.size() >= sizeof(inotify_event)) {
      inotify_event event;
      std::memcpy(&event, events.data(), sizeof(event));
      const std::string_view name = events.data() + sizeof(event);
      if ((event.mask & IN_CREATE) != 0 && name == log_->path.filename().string()) {
        parts_.push_back(log_->path);
      }
      events.remove_prefix(std::min(events.size(), sizeof(event) + event.len));
    }
  }

  asio::io_context& io_;
  std::shared_ptr<const LogState> log_;
  const LogOptions options_;
  std::shared_ptr<LogSink> sink_;
  LineFilter filter_;
  asio::posix::stream_descriptor changes_;
  std::array<char, 4096> change_buffer_;
  std::deque<fs::path> parts_;  // still to be read
  Fd file_;
  off_t offset_ = 0;
  std::string partial_;
  bool blocked_ = false;
  bool scheduled_ = false;
};

class LogSession final : public NodeSession {
 public:
  explicit LogSession(std::shared_ptr<LogReader> reader) : reader_(std::move(reader)) {}
  ~LogSession() override { reader_->stop(); }
  void resume() override { reader_->resume(); }

 private:
  std::shared_ptr<LogReader> reader_;
};

}  // namespace

Result<OpenedLog> open_container_log(asio::io_context& io, const fs::path& path) {
  auto out = make_pipe();
  if (!out) return out.error();
  auto err = make_pipe();
  if (!err) return err.error();
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640));
  if (!file) {
    return error(Code::Fatal,
                 fmt::format("cannot make {}: {}", path.string(), std::strerror(errno)));
  }
  auto state = std::make_shared<LogState>();
  state->path = path;
  auto writer = std::make_shared<LogWriter>(io, *out, *err, std::move(file), state);
  asio::post(io, [writer] { writer->start(); });
  return OpenedLog{std::move(out->write), std::move(err->write), state};
}

std::unique_ptr<NodeSession> read_container_log(asio::io_context& io,
                                                std::shared_ptr<const LogState> log,
                                                const LogOptions& options,
                                                std::shared_ptr<LogSink> sink) {
  auto reader = std::make_shared<LogReader>(io, std::move(log), options, std::move(sink));
  reader->start();
  return std::make_unique<LogSession>(std::move(reader));
}

std::string tail_of_log(const fs::path& path, std::size_t max_bytes) {
  std::ifstream file(path);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  LineFilter filter{LogOptions{}};
  std::string text;
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto newline = rest.find('\n');
    filter.add(rest.substr(0, newline), text);
    rest.remove_prefix(newline == rest.npos ? rest.size() : newline + 1);
  }
  if (text.size() > max_bytes) text.erase(0, text.size() - max_bytes);
  return text;
}

}  // namespace troupe::sim
