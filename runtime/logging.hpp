// Structured log lines: a constant message and key/value pairs.
//
//   log::info("pod deleted", {{"pod", name}, {"took_ms", 12}});
//
// writes, as text (logfmt) or as JSON,
//
//   ts=2026-01-31T12:00:00.123456Z level=info msg="pod deleted" pod=default/db-0 took_ms=12
//   {"ts":"2026-01-31T12:00:00.123456Z","level":"info","msg":"pod
//   deleted","pod":"default/db-0",...}
//
// Lines are written by one background thread out of a bounded queue; when the disk or the pipe is
// too slow the oldest waiting lines are dropped and counted, and nobody waits. Messages are
// checked to be constants at compile time, and a Secret cannot be a value. For shells only: pure
// code returns what it has to say. Thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Text, Json };

Result<Level> parse_level(std::string_view text);    // debug, info, warn, error
Result<Format> parse_format(std::string_view text);  // text, json

struct Options {
  Level level = Level::Info;
  Format format = Format::Text;
  std::string file;  // empty: standard error
};

// Logging from its construction to its destruction, which writes what still waits. One a process,
// in main. Without one, lines go where spdlog puts them by default.
class Logging {
 public:
  explicit Logging(const Options& options);
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

  std::uint64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A string literal, so that lines can be searched and counted by it.
class Message {
 public:
  consteval Message(const char* text) : text_(text) {}  // NOLINT: that it converts is the point
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(value) {}
  Field(std::string_view key, bool value)
      : key_(key), value_(value ? "true" : "false"), literal_(true) {}
  template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>)
      Field(std::string_view key, Number value)
      : key_(key), value_(render(value)), literal_(true) {}
  Field(std::string_view, const Secret&) = delete;

  std::string_view key() const { return key_; }
  const std::string& value() const { return value_; }
  bool literal() const { return literal_; }  // stands without quotes in JSON

 private:
  static std::string render(std::int64_t value);
  static std::string render(std::uint64_t value);
  static std::string render(double value);
  template <std::signed_integral N>
  static std::string render(N value) {
    return render(static_cast<std::int64_t>(value));
  }
  template <std::unsigned_integral N>
  static std::string render(N value) {
    return render(static_cast<std::uint64_t>(value));
  }

  std::string_view key_;
  std::string value_;
  bool literal_ = false;
};

using Fields = std::initializer_list<Field>;

bool enabled(Level level);
void write(Level level, Message message, Fields fields);

inline void debug(Message message, Fields fields = {}) { write(Level::Debug, message, fields); }
inline void info(Message message, Fields fields = {}) { write(Level::Info, message, fields); }
inline void warn(Message message, Fields fields = {}) { write(Level::Warn, message, fields); }
inline void error(Message message, Fields fields = {}) { write(Level::Error, message, fields); }

// The part of a line after its level, as write() makes it.
std::string render_text(std::string_view message, Fields fields);
std::string render_json(std::string_view message, Fields fields);

}  // namespace troupe::log
