#include "k8s/api/decode.hpp"

#include <cstring>

#include "k8s/api/codec.hpp"

namespace troupe::k8s {
namespace internal {
namespace {

// The token of a value or key: from its first character to its last.
std::string_view trimmed(std::string_view token) {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

error_code read_text(ondemand::value& value, Text& out, DecodeContext& context) {
  const std::string_view token = trimmed(value.raw_json_token());
  if (token.size() < 2 || token.front() != '"') {
    return context.reject(simdjson::INCORRECT_TYPE, "a text");
  }
  if (token.back() == '"' && !std::memchr(token.data(), '\\', token.size())) {
    out = token.substr(1, token.size() - 2);
    return simdjson::SUCCESS;
  }
  std::string_view unescaped;
  const error_code e = value.get_string().get(unescaped);
  out = unescaped;
  return e;
}

error_code read_key(ondemand::field& field, Text& out) {
  // Keys have no token length; most are short.
  const char* key = field.key().raw();
  const char* end = key;
  while (*end != '"' && *end != '\\') ++end;
  if (*end == '"') {
    out = std::string_view(key, static_cast<std::size_t>(end - key));
    return simdjson::SUCCESS;
  }
  std::string_view unescaped;
  const error_code e = field.unescaped_key().get(unescaped);
  out = unescaped;
  return e;
}

error_code read_raw(ondemand::value& value, Raw& out) {
  ondemand::json_type type;
  if (const error_code e = value.type().get(type)) return e;
  std::string_view text;
  error_code e = simdjson::SUCCESS;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if ((e = value.get_object().get(object))) return e;
    e = object.raw_json().get(text);
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if ((e = value.get_array().get(array))) return e;
    e = array.raw_json().get(text);
  } else {
    text = value.raw_json_token();
  }
  if (!e) out = Raw::from_padded(trimmed(text));
  return e;
}

error_code read_integer(ondemand::value& value, std::int64_t min, std::int64_t max,
                        std::int64_t& out, DecodeContext& context) {
  std::int64_t number = 0;
  if (const error_code e = value.get_int64().get(number)) {
    return context.reject(e, "a whole number");
  }
  if (number < min || number > max) {
    return context.reject(simdjson::NUMBER_OUT_OF_RANGE,
                          fmt::format("a number from {} to {}, found {}", min, max, number));
  }
  out = number;
  return simdjson::SUCCESS;
}

error_code read_quantity(ondemand::value& value, Quantity& out, DecodeContext& context) {
  const std::string_view token = trimmed(value.raw_json_token());
  if (token.starts_with('"')) return read_text(value, out.text, context);
  if (token.empty() || (token.front() != '-' && (token.front() < '0' || token.front() > '9'))) {
    return context.reject(simdjson::INCORRECT_TYPE, "an amount such as 4Gi");
  }
  out.text = token;
  return simdjson::SUCCESS;
}

error_code read_int_or_string(ondemand::value& value, IntOrString& out, DecodeContext& context) {
  if (trimmed(value.raw_json_token()).starts_with('"')) {
    Text text;
    const error_code e = read_text(value, text, context);
    out = text;
    return e;
  }
  std::int64_t number = 0;
  const error_code e = read_integer(value, std::numeric_limits<std::int32_t>::min(),
                                    std::numeric_limits<std::int32_t>::max(), number, context);
  out = static_cast<std::int32_t>(number);
  return e;
}

error_code read_time(ondemand::value& value, WallTime& out, DecodeContext& context) {
  Text text;
  if (const error_code e = read_text(value, text, context)) return e;
  const Result<WallTime> time = parse_rfc3339(text);
  if (!time) return context.reject(simdjson::INCORRECT_TYPE, "an RFC 3339 time");
  out = *time;
  return simdjson::SUCCESS;
}

error_code read_version(ondemand::value& value, ResourceVersion& out, DecodeContext& context) {
  Text text;
  if (const error_code e = read_text(value, text, context)) return e;
  if (text.empty()) return simdjson::SUCCESS;
  const Result<ResourceVersion> version = parse_resource_version(text);
  if (!version) return context.reject(simdjson::INCORRECT_TYPE, "a decimal resourceVersion");
  out = *version;
  return simdjson::SUCCESS;
}

}  // namespace internal

namespace {

using internal::DecodeContext;
using internal::error_code;
namespace ondemand = simdjson::ondemand;

// ---- What surrounds objects --------------------------------------------------------------------

struct BookmarkMeta {
  ResourceVersion resourceVersion;
  TextMap annotations;
};
BOOST_DESCRIBE_STRUCT(BookmarkMeta, (), (resourceVersion, annotations))

struct Bookmark {
  BookmarkMeta metadata;
};
BOOST_DESCRIBE_STRUCT(Bookmark, (), (metadata))

struct ListMeta {
  ResourceVersion resourceVersion;
  Text continue_;
  Opt<std::int64_t> remainingItemCount;
};
BOOST_DESCRIBE_STRUCT(ListMeta, (), (resourceVersion, continue_, remainingItemCount))

struct StatusDetails {
  Opt<std::int32_t> retryAfterSeconds;
};
BOOST_DESCRIBE_STRUCT(StatusDetails, (), (retryAfterSeconds))

struct StatusBody {
  std::int32_t code = 0;
  Text reason;
  Text message;
  StatusDetails details;
};
BOOST_DESCRIBE_STRUCT(StatusBody, (), (code, reason, message, details))

constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

}  // namespace

template <>
struct Schema<BookmarkMeta> {
  static constexpr std::string_view kDoc = "Where a watch stands.";
  static constexpr Field kFields[] = {{.name = "resourceVersion"}, {.name = "annotations"}};
};
template <>
struct Schema<Bookmark> {
  static constexpr std::string_view kDoc = "An object without content.";
  static constexpr Field kFields[] = {{.name = "metadata"}};
};
template <>
struct Schema<ListMeta> {
  static constexpr std::string_view kDoc = "Where a list stands.";
  static constexpr Field kFields[] = {
      {.name = "resourceVersion"}, {.name = "continue"}, {.name = "remainingItemCount"}};
};
template <>
struct Schema<StatusDetails> {
  static constexpr std::string_view kDoc = "More on a refusal.";
  static constexpr Field kFields[] = {{.name = "retryAfterSeconds"}};
};
template <>
struct Schema<StatusBody> {
  static constexpr std::string_view kDoc = "metav1.Status.";
  static constexpr Field kFields[] = {
      {.name = "code"}, {.name = "reason"}, {.name = "message"}, {.name = "details"}};
};

namespace {

// Enough for the lists and maps of most objects, so that decoding one allocates its snapshot only.
constexpr std::size_t kScratchBytes = 64 * 1024;

// Buffers for larger documents, which are list pages, go when the page is done: the parser's own
// are seven times the document.
constexpr std::size_t kKeptBytes = 256 * 1024;

WatchEventType event_type(std::string_view text) {
  if (text == "ADDED") return WatchEventType::Added;
  if (text == "MODIFIED") return WatchEventType::Modified;
  if (text == "DELETED") return WatchEventType::Deleted;
  if (text == "BOOKMARK") return WatchEventType::Bookmark;
  return WatchEventType::Error;
}

ApiStatus api_status(const StatusBody& body) {
  return {body.code, body.reason.str(), body.message.str(), body.details.retryAfterSeconds};
}

Error decode_error(error_code code, const DecodeContext& context) {
  const std::string_view what =
      context.problem.empty() ? std::string_view(simdjson::error_message(code)) : context.problem;
  return error(Code::Invalid, context.path.empty() ? std::string(what)
                                                   : fmt::format("{}: {}", context.path, what));
}

}  // namespace

struct Decoder::Impl {
  ondemand::parser parser;
  std::vector<std::byte> first_block = std::vector<std::byte>(kScratchBytes);
  Arena scratch{first_block};
  std::string padded;  // a copy of a document that has no padding

  error_code start(Document from, ondemand::document& out) {
    scratch.reset();
    if (from.readable < from.text.size() + kRawPadding) {
      padded.reserve(from.text.size() + kRawPadding);
      padded.assign(from.text);
      padded.append(kRawPadding, '\0');
      from = Document(std::string_view(padded).substr(0, from.text.size()), padded.size());
    }
    return parser.iterate(from.text, from.readable).get(out);
  }

  void drop_large_buffers() {
    if (parser.capacity() > kKeptBytes) parser = ondemand::parser();
    if (padded.capacity() > kKeptBytes) padded = std::string();
  }

  error_code watch_event(const KindInfo& kind, Document line, DecodeContext& context,
                         WatchEvent& out) {
    ondemand::document document;
    ondemand::value type, object;
    std::string_view type_text;
    if (const error_code e = start(line, document)) return e;
    if (const error_code e = document.find_field_unordered("type").get(type_text)) return e;
    if (const error_code e = document.find_field_unordered("object").get(object)) return e;
    out.type = event_type(type_text);
    if (out.type == WatchEventType::Error) {
      StatusBody body;
      const error_code e = internal::read_struct(object, body, context);
      out.status = api_status(body);
      return e;
    }
    if (out.type == WatchEventType::Bookmark) {
      Bookmark bookmark;
      const error_code e = internal::read_struct(object, bookmark, context);
      out.version = bookmark.metadata.resourceVersion;
      out.initial_events_end = bookmark.metadata.annotations.get(kInitialEventsEnd) == "true";
      return e;
    }
    const error_code e = kind.codec.decode(object, context, out.object);
    if (!e) out.version = out.object->version();
    return e;
  }

  error_code items(const KindInfo& kind, ondemand::value value, DecodeContext& context,
                   ListPage& out) {
    ondemand::array array;
    if (const error_code e = value.get_array().get(array)) return context.reject(e, "a list");
    for (auto each : array) {
      ondemand::value item;
      if (const error_code e = std::move(each).get(item)) return e;
      DecodeContext inner{scratch, {}, {}};
      SnapshotPtr object;
      if (const error_code e = kind.codec.decode(item, inner, object)) {
        // Broken JSON ends the page; an object that does not fit is passed over.
        if (inner.problem.empty()) return e;
        out.rejected.push_back(decode_error(e, inner));
      } else {
        out.objects.push_back(std::move(object));
      }
      scratch.reset();
    }
    return simdjson::SUCCESS;
  }

  error_code list_page(const KindInfo& kind, Document page, DecodeContext& context, ListPage& out) {
    ondemand::document document;
    ondemand::object root;
    if (const error_code e = start(page, document)) return e;
    if (const error_code e = document.get_object().get(root)) return e;
    for (auto each : root) {
      ondemand::field field;
      if (const error_code e = std::move(each).get(field)) return e;
      const ondemand::raw_json_string key = field.key();
      error_code e = simdjson::SUCCESS;
      if (key == "metadata") {
        ListMeta meta;
        e = internal::read(std::move(field).value(), meta, context);
        out.version = meta.resourceVersion;
        out.next = meta.continue_.str();
        out.remaining = meta.remainingItemCount;
      } else if (key == "items") {
        ondemand::value value = std::move(field).value();
        bool null = false;
        e = value.is_null().get(null);
        if (!e && !null) e = items(kind, value, context, out);
      }
      if (e) return e;
    }
    return simdjson::SUCCESS;
  }
};

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<WatchEvent> Decoder::watch_event(const KindInfo& kind, Document line) {
  DecodeContext context{impl_->scratch, {}, {}};
  WatchEvent event;
  if (const error_code e = impl_->watch_event(kind, line, context, event)) {
    return decode_error(e, context);
  }
  return event;
}

Result<ListPage> Decoder::list_page(const KindInfo& kind, Document page) {
  DecodeContext context{impl_->scratch, {}, {}};
  ListPage decoded;
  const error_code e = impl_->list_page(kind, page, context, decoded);
  impl_->drop_large_buffers();
  if (e) return decode_error(e, context);
  return decoded;
}

Result<SnapshotPtr> Decoder::object(const KindInfo& kind, Document body) {
  DecodeContext context{impl_->scratch, {}, {}};
  ondemand::document document;
  ondemand::value value;
  SnapshotPtr object;
  error_code e = impl_->start(body, document);
  if (!e) e = document.get_value().get(value);
  if (!e) e = kind.codec.decode(value, context, object);
  if (e) return decode_error(e, context);
  return object;
}

Result<ApiStatus> Decoder::status(Document body) {
  DecodeContext context{impl_->scratch, {}, {}};
  ondemand::document document;
  ondemand::value value;
  StatusBody status;
  error_code e = impl_->start(body, document);
  if (!e) e = document.get_value().get(value);
  if (!e) e = internal::read_struct(value, status, context);
  if (e) return decode_error(e, context);
  return api_status(status);
}

}  // namespace troupe::k8s
