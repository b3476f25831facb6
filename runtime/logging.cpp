#include "runtime/logging.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>

namespace troupe::log {
namespace {

constexpr std::size_t kQueue = 8192;  // lines: some 2 MiB when all wait
constexpr char kRendered = '\x1e';    // first of a payload that write() made; never shown

std::atomic<Format> current_format{Format::Text};
std::atomic<bool> set_up{false};

// Keeps a value on its line and in its pair, whatever it holds.
void append_quoted_if_needed(std::string& out, std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos &&
                     std::none_of(value.begin(), value.end(),
                                  [](unsigned char c) { return c < 0x20 || c == 127; });
  if (plain) {
    out += value;
    return;
  }
  out += '"';
  for (const unsigned char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 127) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

// %* in the pattern: what write() rendered, or the message of a bare spdlog call.
class Payload final : public spdlog::custom_flag_formatter {
 public:
  explicit Payload(Format format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string_view text(message.payload.data(), message.payload.size());
    if (text.starts_with(kRendered)) {
      text.remove_prefix(1);
      out.append(text.data(), text.data() + text.size());
      return;
    }
    const auto rendered = format_ == Format::Json ? render_json(text, {}) : render_text(text, {});
    out.append(rendered.data(), rendered.data() + rendered.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<Payload>(format_);
  }

 private:
  Format format_;
};

std::unique_ptr<spdlog::formatter> make_formatter(Format format) {
  auto formatter =
      std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
  formatter->add_flag<Payload>('*', format);
  formatter->set_pattern(format == Format::Json
                             ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%*})"
                             : "ts=%Y-%m-%dT%H:%M:%S.%fZ level=%l %*");
  return formatter;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::Debug;
  if (text == "info") return Level::Info;
  if (text == "warn") return Level::Warn;
  if (text == "error") return Level::Error;
  return troupe::error(Code::Invalid, fmt::format("expected debug, info, warn or error as the log "
                                                  "level, found \"{}\"",
                                                  text));
}

Result<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::Text;
  if (text == "json") return Format::Json;
  return troupe::error(Code::Invalid,
                       fmt::format("expected text or json as the log format, found \"{}\"", text));
}

std::string Field::render(std::int64_t value) { return fmt::format("{}", value); }
std::string Field::render(std::uint64_t value) { return fmt::format("{}", value); }
// JSON knows neither NaN nor infinity.
std::string Field::render(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

struct Logging::Impl {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
  std::shared_ptr<spdlog::logger> before;
};

Logging::Logging(const Options& options) : impl_(std::make_unique<Impl>()) {
  spdlog::sink_ptr sink;
  if (options.file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
  }
  impl_->pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
  impl_->logger = std::make_shared<spdlog::async_logger>(
      "troupe", std::move(sink), impl_->pool, spdlog::async_overflow_policy::overrun_oldest);
  impl_->logger->set_formatter(make_formatter(options.format));
  impl_->logger->set_level(to_spdlog(options.level));
  impl_->logger->flush_on(spdlog::level::warn);
  impl_->before = spdlog::default_logger();
  current_format = options.format;
  set_up = true;
  spdlog::set_default_logger(impl_->logger);
}

Logging::~Logging() {
  impl_->logger->flush();
  spdlog::set_default_logger(impl_->before);
  current_format = Format::Text;
  set_up = false;
}

std::uint64_t Logging::dropped() const { return impl_->pool->overrun_counter(); }

bool enabled(Level level) { return spdlog::should_log(to_spdlog(level)); }

void write(Level level, Message message, Fields fields) {
  if (!enabled(level)) return;
  auto line = current_format == Format::Json ? render_json(message.text(), fields)
                                             : render_text(message.text(), fields);
  if (set_up) line.insert(line.begin(), kRendered);
  spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line));
}

std::string render_text(std::string_view message, Fields fields) {
  std::string out = "msg=";
  append_quoted_if_needed(out, message);
  for (const auto& f : fields) {
    out += ' ';
    out += f.key();
    out += '=';
    append_quoted_if_needed(out, f.value());
  }
  return out;
}

std::string render_json(std::string_view message, Fields fields) {
  std::string out = "\"msg\":" + json_string(message);
  for (const auto& f : fields) {
    out += ',';
    out += json_string(f.key());
    out += ':';
    out += f.literal() ? f.value() : json_string(f.value());
  }
  return out;
}

}  // namespace troupe::log
