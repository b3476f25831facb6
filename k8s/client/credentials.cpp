#include "k8s/client/credentials.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "k8s/api/types.hpp"

namespace troupe::k8s {
namespace {

namespace json = boost::json;

// A plugin's credential is renewed this long before it ends, so that no request meets the end.
constexpr Duration kRenewBefore = std::chrono::seconds(30);

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    return error(Code::Denied, fmt::format("{}: cannot read the credential; is the file there and "
                                           "readable?",
                                           path));
  }
  return std::move(text).str();
}

std::string trimmed(std::string text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

std::string string_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool rotates(const AuthConfig& auth) {
  return auth.exec || !auth.token_file.empty() || !auth.client_certificate_file.empty();
}

// Blocks; runs on the credentials' own thread.
Result<Credential> load(const AuthConfig& auth, const std::atomic<bool>& stopped) {
  if (auth.exec) {
    auto output =
        run_exec_plugin(*auth.exec, Credentials::kPluginDeadline, [&] { return stopped.load(); });
    if (!output) return output.error();
    return parse_exec_credential(*output, auth.exec->command);
  }
  Credential credential{auth.token, auth.client_certificate_pem, auth.client_key_pem, {}};
  if (!auth.token_file.empty()) {
    auto token = read_text(auth.token_file);
    if (!token) return token.error();
    credential.token = Secret(trimmed(std::move(*token)));
  }
  if (!auth.client_certificate_file.empty()) {
    auto certificate = read_text(auth.client_certificate_file);
    if (!certificate) return certificate.error();
    credential.certificate_pem = std::move(*certificate);
  }
  if (!auth.client_key_file.empty()) {
    auto key = read_text(auth.client_key_file);
    if (!key) return key.error();
    credential.key_pem = Secret(std::move(*key));
  }
  return credential;
}

}  // namespace

struct Credentials::Impl : std::enable_shared_from_this<Credentials::Impl> {
  Impl(Loop& on, AuthConfig config) : loop(on), auth(std::move(config)) {}

  void get(Got got) {
    const auto now = loop.clock().now();
    if (current && now < refresh_at) return got(current);
    if (failure && now < refresh_at) return got(*failure);
    const bool usable = current && !(current->expires && *current->expires <= loop.clock().wall());
    if (usable)
      got(current);
    else
      waiting.push_back(std::move(got));
    refresh();
  }

  void refresh() {
    if (std::exchange(refreshing, true)) return;
    boost::asio::post(pool, [self = shared_from_this()] {
      auto loaded = load(self->auth, self->stopped);
      if (self->stopped) return;
      self->loop.post([self, loaded = std::move(loaded)]() mutable {
        if (!self->stopped) self->refreshed(std::move(loaded));
      });
    });
  }

  void refreshed(Result<Credential> loaded) {
    refreshing = false;
    const auto now = loop.clock().now();
    failure.reset();
    if (loaded) {
      current = std::make_shared<const Credential>(std::move(*loaded));
      refresh_at = next_refresh(now);
    } else {
      failure = loaded.error();
      refresh_at = now + kRetryAfterError;
    }
    for (auto& got : std::exchange(waiting, {})) {
      if (current && !failure)
        got(current);
      else
        got(*failure);
    }
  }

  TimePoint next_refresh(TimePoint now) const {
    if (!rotates(auth)) return TimePoint::max();
    if (!auth.exec) return now + kFileRecheck;
    if (!current->expires) return TimePoint::max();
    const Duration left = *current->expires - loop.clock().wall();
    return now + std::max(kRetryAfterError, left - kRenewBefore);
  }

  Loop& loop;
  const AuthConfig auth;
  std::shared_ptr<const Credential> current;
  std::optional<Error> failure;
  TimePoint refresh_at{};
  bool refreshing = false;
  std::vector<Got> waiting;  // bounded by the transport's requests
  std::atomic<bool> stopped{false};
  boost::asio::thread_pool pool{1};
};

Credentials::Credentials(Loop& loop, AuthConfig config)
    : impl_(std::make_shared<Impl>(loop, std::move(config))) {
  if (rotates(impl_->auth)) return;
  const auto& auth = impl_->auth;
  impl_->current = std::make_shared<const Credential>(
      Credential{auth.token, auth.client_certificate_pem, auth.client_key_pem, {}});
  impl_->refresh_at = TimePoint::max();
}

Credentials::~Credentials() {
  impl_->stopped = true;
  impl_->pool.join();
}

void Credentials::get(Got got) { impl_->get(std::move(got)); }

bool Credentials::refused(const std::shared_ptr<const Credential>& credential) {
  if (!rotates(impl_->auth)) return false;
  if (credential != impl_->current) return true;  // replaced since
  impl_->current.reset();
  impl_->refresh_at = {};
  return true;
}

Result<Credential> parse_exec_credential(const std::string& text, const std::string& command) {
  boost::system::error_code ec;
  const auto value = json::parse(text, ec);
  const auto invalid = [&](std::string_view what) {
    return error(Code::Denied, fmt::format("exec plugin {}: expected an ExecCredential of "
                                           "client.authentication.k8s.io/v1, {}",
                                           command, what));
  };
  if (ec || !value.is_object()) return invalid("found no JSON object");
  const auto& root = value.get_object();
  if (string_at(root, "kind") != "ExecCredential" ||
      string_at(root, "apiVersion") != "client.authentication.k8s.io/v1") {
    return invalid("found another kind or apiVersion");
  }
  const auto* status = root.if_contains("status");
  if (!status || !status->is_object()) return invalid("it has no status");
  const auto& fields = status->get_object();
  Credential credential;
  credential.token = Secret(string_at(fields, "token"));
  credential.certificate_pem = string_at(fields, "clientCertificateData");
  credential.key_pem = Secret(string_at(fields, "clientKeyData"));
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return invalid("its status has neither a token nor a client certificate");
  }
  if (const auto expires = string_at(fields, "expirationTimestamp"); !expires.empty()) {
    const auto at = parse_rfc3339(expires);
    if (!at) return invalid("its expirationTimestamp is no time");
    credential.expires = *at;
  }
  return credential;
}

}  // namespace troupe::k8s
