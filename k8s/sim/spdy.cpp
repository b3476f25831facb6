#include "k8s/sim/spdy.hpp"

#include <zlib.h>

#include <array>

#include "runtime/model/big_endian.hpp"

namespace troupe::sim::spdy {
namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint8_t kControl = 0x80;
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint16_t kVersion = 3;
constexpr std::uint32_t kStreamMask = 0x7fff'ffff;
constexpr std::uint32_t kCancel = 5;  // status of a RST_STREAM
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kSynStreamHead = 10;  // stream, associated stream, priority, slot

void put16(std::string& out, std::uint16_t v) { put_big_endian(out, v, 2); }
void put32(std::string& out, std::uint32_t v) { put_big_endian(out, v, 4); }
std::uint32_t get32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get_big_endian(bytes.substr(at, 4)));
}

// The dictionary: words, each after its length, and then text.
const std::string& dictionary() {
  static const std::string text = [] {
    constexpr std::string_view kWords[] = {"options",
                                           "head",
                                           "post",
                                           "put",
                                           "delete",
                                           "trace",
                                           "accept",
                                           "accept-charset",
                                           "accept-encoding",
                                           "accept-language",
                                           "accept-ranges",
                                           "age",
                                           "allow",
                                           "authorization",
                                           "cache-control",
                                           "connection",
                                           "content-base",
                                           "content-encoding",
                                           "content-language",
                                           "content-length",
                                           "content-location",
                                           "content-md5",
                                           "content-range",
                                           "content-type",
                                           "date",
                                           "etag",
                                           "expect",
                                           "expires",
                                           "from",
                                           "host",
                                           "if-match",
                                           "if-modified-since",
                                           "if-none-match",
                                           "if-range",
                                           "if-unmodified-since",
                                           "last-modified",
                                           "location",
                                           "max-forwards",
                                           "pragma",
                                           "proxy-authenticate",
                                           "proxy-authorization",
                                           "range",
                                           "referer",
                                           "retry-after",
                                           "server",
                                           "te",
                                           "trailer",
                                           "transfer-encoding",
                                           "upgrade",
                                           "user-agent",
                                           "vary",
                                           "via",
                                           "warning",
                                           "www-authenticate",
                                           "method",
                                           "get",
                                           "status",
                                           "200 OK",
                                           "version",
                                           "HTTP/1.1",
                                           "url",
                                           "public",
                                           "set-cookie",
                                           "keep-alive",
                                           "origin"};
    std::string all;
    for (const auto word : kWords) {
      put32(all, static_cast<std::uint32_t>(word.size()));
      all += word;
    }
    all +=
        "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
        "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
        "Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 "
        "Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
        "Wed, Thu, Fri, Sat, Sun, "
        "GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/"
        "xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-"
        "8charset=iso-8859-1,utf-,*,enq=0.";
    return all;
  }();
  return text;
}

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

std::string control_frame(FrameType type, std::string_view payload) {
  std::string out;
  put16(out, static_cast<std::uint16_t>(kControl << 8 | kVersion));
  put16(out, static_cast<std::uint16_t>(type));
  put32(out, static_cast<std::uint32_t>(payload.size()));
  return out.append(payload);
}

Error malformed(const char* what) {
  return error(Code::Invalid, std::string("malformed SPDY frame: ") + what);
}

}  // namespace

struct Decoder::Inflater {
  Inflater() { inflateInit(&stream); }
  ~Inflater() { inflateEnd(&stream); }

  std::optional<std::string> run(std::string_view block) {
    std::string out;
    std::array<Bytef, 4096> buffer;
    stream.next_in = const_cast<Bytef*>(bytes_of(block));
    stream.avail_in = static_cast<uInt>(block.size());
    do {
      stream.next_out = buffer.data();
      stream.avail_out = buffer.size();
      const auto status = inflate(&stream, Z_SYNC_FLUSH);
      if (status == Z_NEED_DICT) {
        const auto& words = dictionary();
        if (inflateSetDictionary(&stream, bytes_of(words), static_cast<uInt>(words.size())) !=
            Z_OK) {
          return std::nullopt;
        }
        continue;
      }
      if (status != Z_OK && status != Z_BUF_ERROR) return std::nullopt;
      out.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - stream.avail_out);
      if (out.size() > kMaxHeaderBytes) return std::nullopt;
      if (status == Z_BUF_ERROR) break;
    } while (stream.avail_in > 0 || stream.avail_out == 0);
    return out;
  }

  z_stream stream{};
};

Decoder::Decoder() : inflater_(std::make_unique<Inflater>()) {}
Decoder::~Decoder() = default;

Result<std::vector<Frame>> Decoder::feed(std::string_view bytes) {
  pending_.append(bytes);
  std::vector<Frame> frames;
  std::size_t at = 0;
  while (pending_.size() - at >= kHeadBytes) {
    const std::size_t length = get32(pending_, at + 4) & 0xff'ffff;
    if (length > kMaxFrame) return malformed("too large");
    if (pending_.size() - at < kHeadBytes + length) break;
    const auto head = pending_.substr(at, kHeadBytes);
    auto frame = parse(head, pending_.substr(at + kHeadBytes, length));
    if (!frame) return frame.error();
    frames.push_back(std::move(*frame));
    at += kHeadBytes + length;
  }
  pending_.erase(0, at);
  return frames;
}

Result<Frame> Decoder::parse(std::string_view head, std::string payload) {
  Frame frame;
  frame.fin = (static_cast<std::uint8_t>(head[4]) & kFin) != 0;
  if ((static_cast<std::uint8_t>(head[0]) & kControl) == 0) {
    frame.stream = get32(head, 0) & kStreamMask;
    frame.data = std::move(payload);
    return frame;
  }
  frame.type = static_cast<FrameType>(get32(head, 0) & 0xffff);
  if (frame.type == FrameType::Ping) {
    frame.data = std::move(payload);
    return frame;
  }
  if (payload.size() < 4) return malformed("too short");
  frame.stream = get32(payload, 0) & kStreamMask;
  if (frame.type != FrameType::SynStream) return frame;
  if (payload.size() < kSynStreamHead) return malformed("too short");
  auto headers = parse_headers(std::string_view(payload).substr(kSynStreamHead));
  if (!headers) return headers.error();
  frame.headers = std::move(*headers);
  return frame;
}

Result<Headers> Decoder::parse_headers(std::string_view block) {
  const auto text = inflater_->run(block);
  if (!text) return malformed("headers do not decompress");
  std::size_t at = 0;
  const auto take = [&]() -> std::optional<std::string> {
    if (text->size() - at < 4) return std::nullopt;
    const std::size_t length = get32(*text, at);
    at += 4;
    if (text->size() - at < length) return std::nullopt;
    auto word = text->substr(at, length);
    at += length;
    return word;
  };
  if (text->size() < 4) return malformed("headers end early");
  const auto count = get32(*text, 0);
  at = 4;
  Headers headers;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto name = take();
    const auto value = take();
    if (!name || !value) return malformed("headers end early");
    headers[*name] = *value;
  }
  return headers;
}

struct Encoder::Deflater {
  Deflater() {
    deflateInit(&stream, Z_BEST_COMPRESSION);
    deflateSetDictionary(&stream, bytes_of(dictionary()), static_cast<uInt>(dictionary().size()));
  }
  ~Deflater() { deflateEnd(&stream); }

  std::string run(std::string_view text) {
    std::string out(text.size() + 128, '\0');
    stream.next_in = const_cast<Bytef*>(bytes_of(text));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_SYNC_FLUSH);
    out.resize(out.size() - stream.avail_out);
    return out;
  }

  z_stream stream{};
};

Encoder::Encoder() : deflater_(std::make_unique<Deflater>()) {}
Encoder::~Encoder() = default;

std::string Encoder::syn_reply(std::uint32_t stream) {
  std::string none;
  put32(none, 0);  // no headers
  std::string payload;
  put32(payload, stream);
  payload += deflater_->run(none);
  return control_frame(FrameType::SynReply, payload);
}

std::string Encoder::data(std::uint32_t stream, std::string_view bytes, bool fin) {
  std::string out;
  put32(out, stream);
  put32(out, static_cast<std::uint32_t>(bytes.size()) | (fin ? kFin << 24 : 0));
  return out.append(bytes);
}

std::string Encoder::reset(std::uint32_t stream) {
  std::string payload;
  put32(payload, stream);
  put32(payload, kCancel);
  return control_frame(FrameType::RstStream, payload);
}

std::string Encoder::ping(std::string_view payload) {
  return control_frame(FrameType::Ping, payload);
}

}  // namespace troupe::sim::spdy
