#include "engines/agent/certificates.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

namespace troupe::agent {
namespace {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* pointer) const {
    release(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Releaser<::X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Releaser<::EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Releaser<::BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Releaser<::X509_EXTENSION_free>>;

// A clock that is a little behind must still accept a fresh certificate.
constexpr Duration kBackdate = std::chrono::minutes(5);
constexpr std::size_t kSerialBytes = 16;

Error openssl_error(std::string_view what) {
  std::array<char, 256> text{};
  ::ERR_error_string_n(::ERR_get_error(), text.data(), text.size());
  ::ERR_clear_error();
  return error(Code::Fatal, fmt::format("{}: {}", what, text.data()));
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = ::BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

Memory memory_of(std::string_view text) {
  return Memory(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<Certificate> parse_certificate(std::string_view pem) {
  Certificate certificate(::PEM_read_bio_X509(memory_of(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return openssl_error("a certificate cannot be read");
  return certificate;
}

Result<Key> parse_key(const Secret& pem) {
  Key key(::PEM_read_bio_PrivateKey(memory_of(pem.reveal()).get(), nullptr, nullptr, nullptr));
  if (!key) return openssl_error("a private key cannot be read");
  return key;
}

Result<CertifiedKey> to_pem(X509* certificate, EVP_PKEY* key) {
  const Memory certificate_text(::BIO_new(::BIO_s_mem()));
  const Memory key_text(::BIO_new(::BIO_s_secmem()));
  if (::PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      ::PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return openssl_error("a certificate cannot be written");
  }
  return CertifiedKey{text_of(certificate_text.get()), Secret(text_of(key_text.get()))};
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> bytes;
  if (::RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] &= 0x7F;  // positive
  const std::unique_ptr<BIGNUM, Releaser<::BN_free>> number(
      ::BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  return number && ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(certificate));
}

WallTime after(WallTime now, Duration lifetime) {
  return now + std::chrono::duration_cast<WallTime::duration>(lifetime);
}

bool set_validity(X509* certificate, WallTime now, WallTime end) {
  const auto at = [](WallTime time) { return std::chrono::system_clock::to_time_t(time); };
  const auto start = now - std::chrono::duration_cast<WallTime::duration>(kBackdate);
  return ::ASN1_TIME_set(::X509_getm_notBefore(certificate), at(start)) != nullptr &&
         ::ASN1_TIME_set(::X509_getm_notAfter(certificate), at(end)) != nullptr;
}

// Everything but names, issuer, extensions and the signature.
Result<Certificate> blank(const std::string& common_name, EVP_PKEY* key, WallTime now,
                          WallTime end) {
  Certificate certificate(::X509_new());
  constexpr long kVersion3 = 2;
  if (!certificate || ::X509_set_version(certificate.get(), kVersion3) != 1 ||
      !set_serial(certificate.get()) || !set_validity(certificate.get(), now, end) ||
      ::X509_set_pubkey(certificate.get(), key) != 1 ||
      ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                   -1, 0) != 1) {
    return openssl_error("a certificate cannot be made");
  }
  return certificate;
}

Result<Key> new_key() {
  Key key(::EVP_EC_gen("P-256"));
  if (!key) return openssl_error("a key cannot be made");
  return key;
}

// Names go into a small configuration language: refuse what would mean something there.
Result<std::string> alternative_names(const LeafRequest& leaf) {
  std::string out;
  const auto add = [&](std::string_view kind, const std::string& value) {
    if (value.empty() || value.find_first_of(",:\n\r ") != std::string::npos) {
      // An IPv6 address has colons of its own.
      if (kind != "IP" || value.find_first_of(",\n\r ") != std::string::npos) return false;
    }
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", kind, value);
    return true;
  };
  for (const auto& name : leaf.dns_names) {
    if (!add("DNS", name)) return error(Code::Invalid, fmt::format("\"{}\" is no DNS name", name));
  }
  for (const auto& address : leaf.ip_addresses) {
    if (!add("IP", address))
      return error(Code::Invalid, fmt::format("\"{}\" is no address", address));
  }
  if (out.empty()) return error(Code::Invalid, "a certificate needs a DNS name or an address");
  return out;
}

WallTime wall_of(const ASN1_TIME* time) {
  std::tm parts{};
  ::ASN1_TIME_to_tm(time, &parts);
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::string common_name_of(const X509_NAME* name) {
  std::array<char, 256> text{};
  ::X509_NAME_get_text_by_NID(name, NID_commonName, text.data(), text.size());
  return text.data();
}

void read_names(X509* certificate, CertificateFacts& facts) {
  const std::unique_ptr<GENERAL_NAMES, Releaser<::GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      facts.dns_names.emplace_back(
          reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName)),
          static_cast<std::size_t>(::ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const auto* bytes = ::ASN1_STRING_get0_data(name->d.iPAddress);
      if (::ASN1_STRING_length(name->d.iPAddress) == 4) {
        facts.ip_addresses.push_back(
            fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]));
      }
    }
  }
}

}  // namespace

Result<CertifiedKey> make_authority(const std::string& name, WallTime now, Duration lifetime) {
  auto key = new_key();
  if (!key) return key.error();
  auto made = blank(name, key->get(), now, after(now, lifetime));
  if (!made) return made.error();
  auto* certificate = made->get();
  if (::X509_set_issuer_name(certificate, ::X509_get_subject_name(certificate)) != 1 ||
      !add_extension(certificate, certificate, NID_basic_constraints,
                     "critical,CA:TRUE,pathlen:0") ||
      !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
      ::X509_sign(certificate, key->get(), ::EVP_sha256()) == 0) {
    return openssl_error("an authority cannot be made");
  }
  return to_pem(certificate, key->get());
}

Result<CertifiedKey> issue(const CertifiedKey& authority, const LeafRequest& leaf, WallTime now,
                           Duration lifetime) {
  const auto names = alternative_names(leaf);
  if (!names) return names.error();
  const auto issuer = parse_certificate(authority.certificate);
  if (!issuer) return issuer.error();
  const auto issuer_key = parse_key(authority.key);
  if (!issuer_key) return issuer_key.error();
  const auto key = new_key();
  if (!key) return key.error();
  const auto end = std::min(after(now, lifetime), wall_of(::X509_get0_notAfter(issuer->get())));
  const auto made = blank(leaf.common_name, key->get(), now, end);
  if (!made) return made.error();
  auto* certificate = made->get();
  const auto* use = leaf.use == CertificateUse::Server ? "serverAuth" : "clientAuth";
  if (::X509_set_issuer_name(certificate, ::X509_get_subject_name(issuer->get())) != 1 ||
      !add_extension(certificate, issuer->get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(certificate, issuer->get(), NID_key_usage, "critical,digitalSignature") ||
      !add_extension(certificate, issuer->get(), NID_ext_key_usage, use) ||
      !add_extension(certificate, issuer->get(), NID_subject_alt_name, *names) ||
      !add_extension(certificate, issuer->get(), NID_authority_key_identifier, "keyid:always") ||
      ::X509_sign(certificate, issuer_key->get(), ::EVP_sha256()) == 0) {
    return openssl_error("a certificate cannot be issued");
  }
  return to_pem(certificate, key->get());
}

Result<CertificateFacts> facts_of(const std::string& pem) {
  const auto certificate = parse_certificate(pem);
  if (!certificate) return certificate.error();
  auto* x509 = certificate->get();
  CertificateFacts facts{.common_name = common_name_of(::X509_get_subject_name(x509)),
                         .issuer = common_name_of(::X509_get_issuer_name(x509)),
                         .not_before = wall_of(::X509_get0_notBefore(x509)),
                         .not_after = wall_of(::X509_get0_notAfter(x509))};
  read_names(x509, facts);
  return facts;
}

WallTime renewal_time(const CertificateFacts& facts) {
  return facts.not_before + (facts.not_after - facts.not_before) * 2 / 3;
}

Result<bool> is_signed_by(const std::string& leaf, const std::string& authority) {
  const auto certificate = parse_certificate(leaf);
  if (!certificate) return certificate.error();
  const auto issuer = parse_certificate(authority);
  if (!issuer) return issuer.error();
  const bool right = ::X509_verify(certificate->get(), ::X509_get0_pubkey(issuer->get())) == 1;
  ::ERR_clear_error();
  return right;
}

Result<void> is_pair(const CertifiedKey& both) {
  const auto certificate = parse_certificate(both.certificate);
  if (!certificate) return certificate.error();
  const auto key = parse_key(both.key);
  if (!key) return key.error();
  if (::X509_check_private_key(certificate->get(), key->get()) != 1)
    return openssl_error("the private key is another certificate's");
  return {};
}

Result<std::vector<std::string>> certificates_in(const std::string& bundle) {
  const auto in = memory_of(bundle);
  std::vector<std::string> out;
  while (const Certificate certificate{::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    if (out.size() == kMaxAuthorities)
      return error(Code::Invalid, fmt::format("more than {} certificates", kMaxAuthorities));
    const Memory text(::BIO_new(::BIO_s_mem()));
    if (::PEM_write_bio_X509(text.get(), certificate.get()) != 1)
      return openssl_error("a certificate cannot be written");
    out.push_back(text_of(text.get()));
  }
  // The end of the text counts as an error of its own.
  if (ERR_GET_REASON(::ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return openssl_error("a certificate cannot be read");
  ::ERR_clear_error();
  return out;
}

std::string Authorities::bundle() const {
  auto out = signer.certificate;
  if (next) out += next->certificate;
  for (const auto& other : others) out += other;
  return out;
}

Authorities founded(CertifiedKey signer, std::vector<std::string> trusted) {
  const auto stage = trusted.empty() ? AuthorityStage::Steady : AuthorityStage::Introducing;
  return {stage, std::move(signer), std::nullopt, std::move(trusted)};
}

Result<Authorities> introduced(Authorities authorities, CertifiedKey next) {
  if (authorities.stage != AuthorityStage::Steady)
    return error(Code::Conflict, "another authority is being introduced");
  authorities.stage = AuthorityStage::Introducing;
  authorities.next = std::move(next);
  return authorities;
}

Result<Authorities> signing(Authorities authorities) {
  if (authorities.stage != AuthorityStage::Introducing)
    return error(Code::Conflict, "no authority is being introduced");
  authorities.stage = AuthorityStage::Replacing;
  if (authorities.next) {
    authorities.others.push_back(std::move(authorities.signer.certificate));
    authorities.signer = std::move(*authorities.next);
    authorities.next.reset();
  }
  return authorities;
}

Result<Authorities> retired(Authorities authorities) {
  if (authorities.stage != AuthorityStage::Replacing)
    return error(Code::Conflict, "nothing is being replaced");
  authorities.stage = AuthorityStage::Steady;
  authorities.others.clear();
  return authorities;
}

}  // namespace troupe::agent
