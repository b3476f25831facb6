// What an API server sends, as snapshots: one pass of simdjson On-Demand over each document.
//
// Members that are missing or null keep their defaults, unknown ones are skipped. On-Demand does
// not check what it skips, so only an API server's answers go through here; bodies from clients
// need a validating parser. An object that does not fit its kind is an error that names the member;
// in a list page it is reported and the others stay.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/kind.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/result.hpp"

namespace troupe::k8s {

// A document and how many bytes can be read from its start. With kRawPadding bytes more than the
// text it is read where it lies, else it is copied first.
struct Document {
  std::string_view text;
  std::size_t readable = 0;

  Document(std::string_view padded_text, std::size_t readable_bytes)
      : text(padded_text), readable(readable_bytes) {}
  explicit Document(std::string_view unpadded) : text(unpadded), readable(unpadded.size()) {}
};

// metav1.Status: why an API server refused.
struct ApiStatus {
  std::int32_t code = 0;  // HTTP status, also inside a watch
  std::string reason;     // "Conflict", "Expired", ...
  std::string message;
  std::optional<std::int32_t> retry_after_seconds;
};

enum class WatchEventType : std::uint8_t { Added, Modified, Deleted, Bookmark, Error };

struct WatchEvent {
  WatchEventType type = WatchEventType::Error;
  SnapshotPtr object;               // of Added, Modified and Deleted
  ResourceVersion version;          // of these and of Bookmark
  bool initial_events_end = false;  // this Bookmark ends a streamed list
  ApiStatus status;                 // of Error
};

struct ListPage {
  std::vector<SnapshotPtr> objects;
  std::vector<Error> rejected;  // objects that do not fit their kind
  ResourceVersion version;
  std::string next;  // continue token; empty on the last page
  std::optional<std::int64_t> remaining;
};

// Keeps buffers of moderate size from one document to the next. Not thread-safe: one for each
// thread that decodes.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // One line of a watch: {"type":"ADDED","object":{...}}.
  Result<WatchEvent> watch_event(const KindInfo& kind, Document line);
  // A page of a list: {"metadata":{...},"items":[...]}.
  Result<ListPage> list_page(const KindInfo& kind, Document page);
  // One object, as a GET or a write answers.
  Result<SnapshotPtr> object(const KindInfo& kind, Document body);
  // A refusal.
  Result<ApiStatus> status(Document body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
