#include "engines/agent/model/passwords.hpp"

#include <gtest/gtest.h>

#include "engines/agent/model/digest.hpp"

namespace troupe::agent {
namespace {

const Secret kKey("0123456789abcdef0123456789abcdef");
constexpr std::string_view kPlain = "S3cret-Passw0rd!";

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
