#include "tests/db/certificates.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>

namespace troupe::mysql::testing {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Buffer = std::unique_ptr<BIO, Freer<BIO_free>>;

constexpr long kLifetimeSeconds = 24 * 3600;

template <class T>
T checked(T object) {
  if (!object) throw std::runtime_error("OpenSSL failed to make a certificate");
  return object;
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const auto length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

Buffer reader(const std::string& pem) {
  return Buffer(checked(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
}

Certificate read_certificate(const std::string& pem) {
  return Certificate(checked(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr)));
}

Key read_key(const std::string& pem) {
  return Key(checked(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr)));
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
  const Extension made(checked(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())));
  X509_add_ext(certificate, made.get(), -1);
}

Certificate blank(EVP_PKEY* key, const std::string& name, long serial) {
  Certificate certificate(checked(X509_new()));
  X509_set_version(certificate.get(), 2);  // X.509 v3
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifetimeSeconds);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

Identity sign(X509* certificate, EVP_PKEY* key, EVP_PKEY* authority_key) {
  checked(X509_sign(certificate, authority_key, EVP_sha256()));
  const Buffer certificate_pem(checked(BIO_new(BIO_s_mem())));
  const Buffer key_pem(checked(BIO_new(BIO_s_mem())));
  PEM_write_bio_X509(certificate_pem.get(), certificate);
  PEM_write_bio_PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {contents(certificate_pem.get()), contents(key_pem.get())};
}

}  // namespace

Identity make_authority() {
  const Key key(checked(EVP_EC_gen("P-256")));
  const auto certificate = blank(key.get(), "troupe test authority", 1);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  return sign(certificate.get(), key.get(), key.get());
}

Identity issue(const Identity& authority, std::string_view name) {
  const auto issuer = read_certificate(authority.certificate);
  const Key key(checked(EVP_EC_gen("P-256")));
  const auto certificate = blank(key.get(), "troupe test server", 2);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  add_extension(certificate.get(), NID_subject_alt_name, std::string(name));
  return sign(certificate.get(), key.get(), read_key(authority.key).get());
}

std::string fingerprint(const std::string& certificate_pem) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  X509_digest(read_certificate(certificate_pem).get(), EVP_sha1(), digest, &length);
  return fmt::format("{:02X}", fmt::join(digest, digest + length, ":"));
}

IdentityFiles::IdentityFiles(const Identity& identity) {
  char name[] = "/tmp/troupe-identity-XXXXXX";
  if (!::mkdtemp(name)) throw std::runtime_error("cannot make a temporary directory");
  directory_ = name;
  replace(identity);
}

void IdentityFiles::replace(const Identity& identity) const {
  std::ofstream(certificate()) << identity.certificate;
  std::ofstream(key()) << identity.key;
}

IdentityFiles::~IdentityFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace troupe::mysql::testing
