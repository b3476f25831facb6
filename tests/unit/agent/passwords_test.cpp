#include "engines/agent/model/passwords.hpp"

#include <gtest/gtest.h>

#include "engines/agent/model/digest.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/tree.hpp"

namespace troupe::agent {
namespace {

const Secret kKey("0123456789abcdef0123456789abcdef");
constexpr std::string_view kPlain = "S3cret-Passw0rd!";

// The shell functions that docs/accounts.md tells people to use, and then `command`.
support::Ran run_documented(const std::string& command, std::string_view input) {
  const auto page = support::file_text(support::in_tree("docs/accounts.md"));
  constexpr std::string_view kBegin = "```bash\n";
  const auto begin = page.find(kBegin) + kBegin.size();
  const auto functions = page.substr(begin, page.find("```", begin) - begin);
  return support::run({"bash", "-c", functions + command}, std::chrono::seconds(10), input);
}

std::string raw_value() { return *base64_decode("AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wA="); }

TEST(Passwords, DecryptsTheRawForm) {
  const auto password = decrypt_password("root", raw_value(), kKey);
  ASSERT_TRUE(password) << password.error().message;
  EXPECT_EQ(password->reveal(), kPlain);
}

TEST(Passwords, DecryptsTheFormThatIsBase64Text) {
  const auto password =
      decrypt_password("root", "AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wA=", kKey);
  ASSERT_TRUE(password) << password.error().message;
  EXPECT_EQ(password->reveal(), kPlain);
}

TEST(Passwords, EncryptionIsTheInverse) {
  const auto stored = encrypt_password(Secret("päss"), kKey, std::string(kAesIvBytes, 'i'));
  ASSERT_TRUE(stored);
  EXPECT_EQ(decrypt_password("x", *stored, kKey)->reveal(), "päss");
}

TEST(Passwords, WhatTheDocumentedCommandsEncryptIsDecrypted) {
  const std::string key(kKey.reveal());
  for (int i = 0; i < 5; ++i) {
    const auto made = run_documented("encrypt " + key, "päss \"word'$");
    ASSERT_EQ(made.status, 0) << made.err;
    const auto password = decrypt_password("root", made.out, kKey);
    ASSERT_TRUE(password) << password.error().message;
    EXPECT_EQ(password->reveal(), "päss \"word'$");
  }
}

TEST(Passwords, TheDocumentedCommandsDecryptWhatWeEncrypt) {
  const std::string key(kKey.reveal());
  const auto shown = run_documented("decrypt " + key, base64_encode(raw_value()));
  EXPECT_EQ(shown.out, kPlain) << shown.err;
}

// The IV of a value may hold any bytes, zero too.
TEST(Passwords, TheDocumentedCommandsWriteEveryByteOfTheIv) {
  const auto bytes = run_documented(
      "openssl() { [ $1 = rand ] && echo 000a5c25ff0d20800102030405060708 || command openssl "
      "\"$@\"; }; encrypt " +
          std::string(kKey.reveal()),
      kPlain);
  const auto raw = base64_decode(bytes.out);
  ASSERT_TRUE(raw) << bytes.err;
  EXPECT_EQ(to_hex(raw->substr(0, kAesIvBytes)), "000a5c25ff0d20800102030405060708");
  EXPECT_EQ(decrypt_password("root", *raw, kKey)->reveal(), kPlain);
}

TEST(Passwords, AWrongKeyIsAnErrorWithoutAnythingSecret) {
  const auto password =
      decrypt_password("db-secret/root", raw_value(), Secret("fedcba9876543210fedcba9876543210"));
  ASSERT_FALSE(password);
  EXPECT_EQ(password.error().code, Code::Invalid);
  EXPECT_NE(password.error().message.find("db-secret/root"), std::string::npos);
  EXPECT_EQ(password.error().message.find("fedc"), std::string::npos);
}

TEST(Passwords, TooShortValuesAndKeysSayWhatWasExpected) {
  EXPECT_NE(decrypt_password("root", "", kKey).error().message.find("0 bytes"), std::string::npos);
  EXPECT_NE(decrypt_password("root", std::string(16, 'x'), kKey).error().message.find("16 bytes"),
            std::string::npos);
  EXPECT_NE(decrypt_password("root", raw_value(), Secret("short")).error().message.find("32"),
            std::string::npos);
}

TEST(Base64, OnlyTheCanonicalFormIsDecoded) {
  EXPECT_EQ(base64_decode("YWI="), "ab");
  EXPECT_EQ(base64_decode("YWJj"), "abc");
  for (const auto* text : {"YWI", "YWJ=", "YW==I===", " YWI=", "YWI=\n", "Y-I="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

}  // namespace
}  // namespace troupe::agent
