#include "actors/model/external_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/classification.hpp>
#include <charconv>

#include "engines/agent/model/digest.hpp"

namespace troupe::actors {
namespace {

constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxUser = 32;  // of an account's name in MySQL
constexpr std::size_t kMaxCa = 64 << 10;

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHost &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return boost::algorithm::is_alnum()(c) || c == '.' || c == '-' || c == ':' || c == '_';
         });
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, port);
  return failed == std::errc() && stopped == end ? port : 0;
}

bool is_user(std::string_view text) {
  return !text.empty() && text.size() <= kMaxUser &&
         std::none_of(text.begin(), text.end(), boost::algorithm::is_cntrl());
}

class Reader {
 public:
  explicit Reader(const k8s::SecretObject& secret) : secret_(secret) {}

  // Empty where it is missing, which is an error of its own.
  std::string read(std::string_view key) {
    if (!secret_.data.contains(key)) {
      complain(key, "is missing");
      return {};
    }
    auto bytes = agent::base64_decode(secret_.data.get(key).view());
    if (bytes) return std::move(*bytes);
    complain(key, "is not base64");
    return {};
  }
  std::string read_if_there(std::string_view key) {
    return secret_.data.contains(key) ? read(key) : std::string();
  }
  void expect(bool good, std::string_view key, std::string_view what) {
    if (!good && secret_.data.contains(key)) complain(key, what);
  }
  const std::string& complaints() const { return complaints_; }

 private:
  void complain(std::string_view key, std::string_view what) {
    complaints_ += fmt::format("{}{} {}", complaints_.empty() ? "" : ", ", key, what);
  }

  const k8s::SecretObject& secret_;
  std::string complaints_;
};

}  // namespace

Result<ExternalSource> external_source_of(const k8s::ObjectPtr<k8s::SecretObject>& secret,
                                          std::string_view name) {
  if (!secret)
    return error(Code::NotFound,
                 fmt::format("Secret {} does not exist: make it, with the keys HOST, PORT, USER "
                             "and PASSWORD of the server outside",
                             name));
  Reader reader(*secret);
  ExternalSource out;
  out.host = reader.read("HOST");
  reader.expect(is_host(out.host), "HOST", "is no host name or address");
  out.port = port_of(reader.read("PORT"));
  reader.expect(out.port != 0, "PORT", "is no port");
  out.user = reader.read("USER");
  reader.expect(is_user(out.user), "USER", "is no user's name");
  out.password = Secret(reader.read("PASSWORD"));
  reader.expect(!out.password.empty(), "PASSWORD", "is empty");
  out.ca_pem = reader.read_if_there("CA");
  reader.expect(out.ca_pem.size() <= kMaxCa, "CA", "is too long");
  if (reader.complaints().empty()) return out;
  return error(Code::Invalid, fmt::format("Secret {} does not say where the server outside is: {}",
                                          name, reader.complaints()));
}

}  // namespace troupe::actors
