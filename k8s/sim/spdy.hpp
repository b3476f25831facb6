// SPDY/3.1 frames, as far as `kubectl port-forward` needs them: kubectl tunnels SPDY through a
// WebSocket (subprotocol SPDY/3.1+portforward.k8s.io).
//
// A synchronous codec: bytes in, frames out, and back. Header blocks are compressed with one zlib
// stream a direction and the dictionary of the SPDY/3 draft (section 2.6.10.1). A frame that is
// malformed or too large is Code::Invalid, after which the connection cannot go on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/result.hpp"

namespace troupe::sim::spdy {

using Headers = std::map<std::string, std::string, std::less<>>;

enum class FrameType : std::uint16_t {
  Data = 0,  // not a number of the protocol: data frames have none
  SynStream = 1,
  SynReply = 2,
  RstStream = 3,
  Settings = 4,
  Ping = 6,
  GoAway = 7,
  MoreHeaders = 8,
  WindowUpdate = 9,
};

struct Frame {
  FrameType type = FrameType::Data;
  std::uint32_t stream = 0;
  bool fin = false;
  Headers headers;   // SynStream
  std::string data;  // Data; the payload of a Ping
};

class Decoder {
 public:
  // Far above what kubectl sends in one frame.
  static constexpr std::size_t kMaxFrame = 1 << 20;

  Decoder();
  ~Decoder();
  // Adds bytes and takes the frames that are complete.
  Result<std::vector<Frame>> feed(std::string_view bytes);

 private:
  struct Inflater;
  Result<Frame> parse(std::string_view head, std::string payload);
  Result<Headers> parse_headers(std::string_view block);

  std::unique_ptr<Inflater> inflater_;
  std::string pending_;
};

// Frames that a server sends; replies carry no headers.
class Encoder {
 public:
  Encoder();
  ~Encoder();
  std::string syn_reply(std::uint32_t stream);
  static std::string data(std::uint32_t stream, std::string_view bytes, bool fin);
  static std::string reset(std::uint32_t stream);
  static std::string ping(std::string_view payload);

 private:
  struct Deflater;
  std::unique_ptr<Deflater> deflater_;
};

}  // namespace troupe::sim::spdy
