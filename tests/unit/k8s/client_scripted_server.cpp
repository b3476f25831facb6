#include "tests/unit/k8s/client_scripted_server.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace troupe::k8s::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket&>;

template <class Stream>
class Exchange final : public ServerExchange {
 public:
  Exchange(Stream& stream, tcp::socket& socket) : stream_(stream), socket_(socket) {}

  void respond(int status, std::string_view body, const Headers& headers) override {
    http::response<http::string_body> response{static_cast<http::status>(status), 11};
    response.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : headers) response.set(name, value);
    response.body() = body;
    response.prepare_payload();
    error_code ec;
    http::write(stream_, response, ec);
  }

  void begin_stream() override {
    send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  }
  bool write(std::string_view chunk) override {
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", chunk.size());
    return send(size + std::string(chunk) + "\r\n");
  }
  void end_stream() override { send("0\r\n\r\n"); }

  void await_client_close() override {
    char byte;
    error_code ec;
    while (!ec) stream_.read_some(asio::buffer(&byte, 1), ec);
  }
  void reset() override {
    error_code ec;
    socket_.set_option(asio::socket_base::linger(true, 0), ec);
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
  }

 private:
  bool send(const std::string& bytes) {
    error_code ec;
    asio::write(stream_, asio::buffer(bytes), ec);
    return !ec;
  }

  Stream& stream_;
  tcp::socket& socket_;
};

struct Freed {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed>;
using Certificate = std::unique_ptr<X509, Freed>;

template <class Write>
std::string pem(Write write) {
  std::unique_ptr<BIO, Freed> bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* certificate) {
  return pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

Certificate certify(EVP_PKEY* key, const std::string& common_name, X509* issuer, EVP_PKEY* signer,
                    int extension, const std::string& value) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), issuer ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509* parent = issuer ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(parent));
  X509_set_pubkey(certificate.get(), key);
  X509_EXTENSION* each = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  X509_add_ext(certificate.get(), each, -1);
  X509_EXTENSION_free(each);
  X509_sign(certificate.get(), signer, EVP_sha256());
  return certificate;
}

}  // namespace

TlsIdentity make_identity(const std::string& name) {
  const Key ca_key(EVP_EC_gen("P-256"));
  const Key key(EVP_EC_gen("P-256"));
  const auto ca = certify(ca_key.get(), "test-ca", nullptr, ca_key.get(), NID_basic_constraints,
                          "critical,CA:TRUE");
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  const auto certificate = certify(key.get(), "test-server", ca.get(), ca_key.get(),
                                   NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
  return {pem(ca.get()), pem(certificate.get()), pem([&](BIO* bio) {
            PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

struct ScriptedServer::Impl {
  explicit Impl(Script run) : script(std::move(run)) {
    accepting = std::thread([this] { accept(); });
  }

  ~Impl() {
    stopping = true;
    ::shutdown(acceptor.native_handle(), SHUT_RDWR);
    accepting.join();
    {
      const std::lock_guard lock(mutex);
      for (const int fd : open) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& each : connections) each.join();
  }

  void accept() {
    while (!stopping) {
      tcp::socket socket(io);
      error_code ec;
      acceptor.accept(socket, ec);
      if (ec) return;
      const std::lock_guard lock(mutex);
      open.insert(socket.native_handle());
      connections.emplace_back(
          [this, number = connections.size(), connection = std::move(socket)]() mutable {
            serve_connection(connection, number);
            const std::lock_guard again(mutex);
            open.erase(connection.native_handle());
            error_code ignored;
            connection.close(ignored);
          });
    }
  }

  void serve_connection(tcp::socket& socket, std::size_t number) {
    socket.set_option(tcp::no_delay(true));
    if (!tls) return serve(socket, socket, number);
    TlsStream stream(socket, *tls);
    error_code ec;
    stream.handshake(asio::ssl::stream_base::server, ec);
    if (!ec) serve(stream, socket, number);
  }

  template <class Stream>
  void serve(Stream& stream, tcp::socket& socket, std::size_t number) {
    boost::beast::flat_buffer buffer;
    while (!stopping) {
      http::request<http::string_body> received;
      error_code ec;
      http::read(stream, buffer, received, ec);
      if (ec) return;
      ServerRequest request{std::string(received.method_string()),
                            std::string(received.target()),
                            {},
                            received.body(),
                            number};
      for (const auto& field : received) {
        request.headers.emplace(std::string(field.name_string()), std::string(field.value()));
      }
      Exchange<Stream> exchange(stream, socket);
      script(request, exchange);
    }
  }

  Script script;
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::optional<asio::ssl::context> tls;
  std::string ca_pem;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::set<int> open;
  std::vector<std::thread> connections;
  std::thread accepting;
};

ScriptedServer::ScriptedServer(Script script) : impl_(std::make_unique<Impl>(std::move(script))) {}

ScriptedServer::ScriptedServer(Script script, const TlsIdentity& identity)
    : ScriptedServer(std::move(script)) {
  impl_->tls.emplace(asio::ssl::context::tls_server);
  impl_->tls->use_certificate_chain(asio::buffer(identity.certificate_pem));
  impl_->tls->use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
  impl_->ca_pem = identity.ca_pem;
}

ScriptedServer::~ScriptedServer() = default;

std::uint16_t ScriptedServer::port() const { return impl_->acceptor.local_endpoint().port(); }

ClientConfig ScriptedServer::config() const {
  ClientConfig config;
  config.origin = "test";
  config.host = "127.0.0.1";
  config.server_name = "127.0.0.1";
  config.port = port();
  config.tls = impl_->tls.has_value();
  config.ca_pem = impl_->ca_pem;
  return config;
}

}  // namespace troupe::k8s::test
