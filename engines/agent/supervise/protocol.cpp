#include "engines/agent/supervise/protocol.hpp"

#include "runtime/model/big_endian.hpp"

namespace troupe::agent::supervise {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kHeadBytes = 5;  // kind and id

class Writer {
 public:
  void field(std::uint64_t value) { put_big_endian(out_, value, 8); }
  void field(bool value) { field(std::uint64_t{value}); }
  void field(State value) { field(static_cast<std::uint64_t>(value)); }
  void field(std::string_view value) {
    field(std::uint64_t{value.size()});
    out_.append(value);
  }
  void field(const std::string& value) { field(std::string_view(value)); }
  void field(const std::vector<std::string>& values) {
    field(std::uint64_t{values.size()});
    for (const auto& value : values) field(value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  void field(std::uint64_t& value) { value = get_big_endian(take(8)); }
  void field(bool& value) {
    std::uint64_t number = 0;
    field(number);
    value = number != 0;
  }
  void field(State& value) {
    std::uint64_t number = 0;
    field(number);
    if (number > static_cast<std::uint64_t>(State::Fatal)) failed_ = true;
    value = static_cast<State>(number);
  }
  void field(std::string& value) {
    std::uint64_t size = 0;
    field(size);
    value = take(size);
  }
  void field(std::vector<std::string>& values) {
    std::uint64_t count = 0;
    field(count);
    if (count > kMaxListItems) failed_ = true;
    for (std::uint64_t i = 0; i < count && !failed_; ++i) field(values.emplace_back());
  }
  bool complete() const { return !failed_ && in_.empty(); }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > in_.size()) {
      failed_ = true;
      in_ = {};
      return {};
    }
    const auto taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }

  std::string_view in_;
  bool failed_ = false;
};

// One list of fields a message, for both directions.
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, Hello> {
  io.field(m.version);
  io.field(m.pid);
  io.field(m.uid);
  io.field(m.instance);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, SpawnSpec> {
  io.field(m.argv);
  io.field(m.env);
  io.field(m.cwd);
  io.field(m.uid);
  io.field(m.gid);
  io.field(m.restart_code);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, StopOrder> {
  io.field(m.signal);
  io.field(m.grace_ms);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, KillOrder> {
  io.field(m.stay_stopped);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, RunOrder> {
  fields(io, m.spawn);
  io.field(m.timeout_ms);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, RunOutcome> {
  io.field(m.exit_code);
  io.field(m.signal);
  io.field(m.output);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, ReleaseOrder> {
  io.field(m.graceful);
}
template <class Io, class M>
void fields(Io& io, M& m) requires std::is_same_v<std::remove_const_t<M>, ProcessReport> {
  io.field(m.state);
  io.field(m.pid);
  io.field(m.started_us);
  io.field(m.ended);
  io.field(m.exit_code);
  io.field(m.exit_signal);
  io.field(m.restarts);
  io.field(m.dying);
  io.field(m.paused);
  io.field(m.terminating_ms);
  io.field(m.message);
}
template <class Io, class M>
void fields(Io& io,
            M& m) requires std::is_same_v<std::remove_const_t<M>, std::vector<std::string>> ||
    std::is_same_v<std::remove_const_t<M>, std::string> {
  io.field(m);
}

template <class M>
std::string written(const M& value) {
  Writer writer;
  fields(writer, value);
  return writer.take();
}

}  // namespace

std::string encode(const Hello& value) { return written(value); }
std::string encode(const SpawnSpec& value) { return written(value); }
std::string encode(const StopOrder& value) { return written(value); }
std::string encode(const KillOrder& value) { return written(value); }
std::string encode(const RunOrder& value) { return written(value); }
std::string encode(const RunOutcome& value) { return written(value); }
std::string encode(const ReleaseOrder& value) { return written(value); }
std::string encode(const ProcessReport& value) { return written(value); }
std::string encode(const std::vector<std::string>& value) { return written(value); }
std::string encode(std::string_view text) { return written(std::string(text)); }

template <class T>
std::optional<T> decode(std::string_view body) {
  Reader reader(body);
  T value;
  fields(reader, value);
  if (!reader.complete()) return std::nullopt;
  return value;
}
template std::optional<Hello> decode(std::string_view);
template std::optional<SpawnSpec> decode(std::string_view);
template std::optional<StopOrder> decode(std::string_view);
template std::optional<KillOrder> decode(std::string_view);
template std::optional<RunOrder> decode(std::string_view);
template std::optional<RunOutcome> decode(std::string_view);
template std::optional<ReleaseOrder> decode(std::string_view);
template std::optional<ProcessReport> decode(std::string_view);
template std::optional<std::vector<std::string>> decode(std::string_view);
template std::optional<std::string> decode(std::string_view);

std::string to_bytes(const Frame& frame) {
  std::string out;
  out.reserve(kLengthBytes + kHeadBytes + frame.body.size());
  put_big_endian(out, kHeadBytes + frame.body.size(), kLengthBytes);
  out.push_back(static_cast<char>(frame.kind));
  put_big_endian(out, frame.id, 4);
  out.append(frame.body);
  return out;
}

std::optional<Frame> FrameReader::next() {
  if (broken_ || buffer_.size() < kLengthBytes) return std::nullopt;
  const std::string_view view = buffer_;
  const auto length = get_big_endian(view.substr(0, kLengthBytes));
  if (length < kHeadBytes || length > kMaxFrameBytes) {
    broken_ = true;
    return std::nullopt;
  }
  if (view.size() < kLengthBytes + length) return std::nullopt;
  Frame frame;
  frame.kind = static_cast<Kind>(view[kLengthBytes]);
  frame.id = static_cast<std::uint32_t>(get_big_endian(view.substr(kLengthBytes + 1, 4)));
  frame.body = view.substr(kLengthBytes + kHeadBytes, length - kHeadBytes);
  buffer_.erase(0, kLengthBytes + length);
  return frame;
}

}  // namespace troupe::agent::supervise
