#include <gtest/gtest.h>

#include "k8s/sim/spdy.hpp"

namespace troupe::sim::spdy {
namespace {

// SYN_STREAM of a SPDY/3 client: streamtype=error, port=80, requestid=0, compressed by zlib's own
// deflate with the draft's dictionary.
constexpr unsigned char kSynStream[] = {
    0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2, 0x02, 0x25, 0x3a, 0x70,
    0x3a, 0x2b, 0x29, 0x4a, 0x4d, 0xcc, 0x85, 0x16, 0x25, 0xac, 0xa9, 0xa0, 0x80, 0x86,
    0x14, 0xcb, 0x45, 0xa0, 0x24, 0xcc, 0x64, 0x61, 0x00, 0x24, 0x39, 0x8b, 0x20, 0x91,
    0x98, 0x09, 0x4a, 0xdc, 0x8c, 0x06, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff};

std::string_view syn_stream() {
  return {reinterpret_cast<const char*>(kSynStream), sizeof(kSynStream)};
}

TEST(Spdy, HeadersAreDecompressedWithTheDraftsDictionary) {
  Decoder decoder;
  const auto frames = decoder.feed(syn_stream());
  ASSERT_TRUE(frames) << frames.error().message;
  ASSERT_EQ(frames->size(), 1u);
  EXPECT_EQ(frames->front().type, FrameType::SynStream);
  EXPECT_EQ(frames->front().stream, 1u);
  EXPECT_EQ(frames->front().headers,
            (Headers{{"port", "80"}, {"requestid", "0"}, {"streamtype", "error"}}));
}

TEST(Spdy, FramesMayComeInPieces) {
  Decoder decoder;
  const auto bytes = Encoder::data(3, "hello", true) + Encoder::data(5, "", false);
  std::vector<Frame> all;
  for (const char byte : bytes) {
    const auto frames = decoder.feed({&byte, 1});
    ASSERT_TRUE(frames);
    all.insert(all.end(), frames->begin(), frames->end());
  }
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].data, "hello");
  EXPECT_TRUE(all[0].fin);
  EXPECT_EQ(all[1].stream, 5u);
  EXPECT_FALSE(all[1].fin);
}

TEST(Spdy, FrameAboveTheBoundIsRefused) {
  Decoder decoder;
  const std::string head{
      0, 0, 0, 1, 0, static_cast<char>(0xff), static_cast<char>(0xff), static_cast<char>(0xff)};
  EXPECT_FALSE(decoder.feed(head));
}

TEST(Spdy, GarbledHeadersAreAnError) {
  std::string garbled(syn_stream());
  garbled[garbled.size() - 6] ^= 0x55;
  garbled[20] ^= 0x55;
  Decoder decoder;
  EXPECT_FALSE(decoder.feed(garbled));
}

}  // namespace
}  // namespace troupe::sim::spdy
