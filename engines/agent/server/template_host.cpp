#include <arpa/inet.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netdb.h>

#include <memory>

#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/passwords.hpp"
#include "engines/agent/server/configuration.hpp"

namespace troupe::agent {
namespace {

using tmpl::Value;
using Arguments = std::span<const Value>;
using Texts = std::map<std::string, std::string>;

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

Error invalid(std::string message) { return error(Code::Invalid, std::move(message)); }

TemplateFunction of_text(std::function<Result<Value>(const std::string&)> f) {
  return [f = std::move(f)](Arguments arguments) -> Result<Value> {
    if (arguments.size() != 1 || arguments[0].text() == nullptr) return invalid("takes one text");
    return f(*arguments[0].text());
  };
}

Result<Value> get_environment(const Texts& environment, Arguments arguments) {
  if (arguments.empty() || arguments.size() > 2 || arguments[0].text() == nullptr) {
    return invalid("takes a name and maybe a default");
  }
  const auto found = environment.find(*arguments[0].text());
  if (found != environment.end() && !found->second.empty()) return Value(found->second);
  return arguments.size() == 2 ? Value(arguments[1].print()) : Value("");
}

Result<Value> look_up(const std::string& name, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &found); failure != 0) {
    return invalid(fmt::format("{}: {}", name, ::gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Value::List out;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      out.emplace_back(std::string(text));
    }
  }
  return Value(std::move(out));
}

Result<Value> label_value(const Texts& labels, std::string_view what, const std::string& key) {
  const auto found = labels.find(key);
  if (found != labels.end()) return Value(found->second);
  return invalid(fmt::format("the Pod has no {} \"{}\"", what, key));
}

Result<Value> decrypted(const Texts& environment, std::string_view name, std::string_view stored) {
  const auto key = environment.find("AES_SECRET_KEY");
  if (key == environment.end()) return invalid("AES_SECRET_KEY is not set");
  auto password = decrypt_password(name, stored, Secret(key->second));
  if (!password) return password.error();
  return Value(std::string(password->reveal()));
}

Result<Value> read_secret(const Texts& environment, const std::string& name) {
  const auto mount = environment.find("SECRET_MOUNT");
  if (mount == environment.end()) return invalid("SECRET_MOUNT is not set");
  if (name.find('/') != std::string::npos) return invalid("takes the name of an entry");
  const auto stored = read_file(std::filesystem::path(mount->second) / name, kMaxFileBytes);
  return stored ? decrypted(environment, name, *stored) : Result<Value>(stored.error());
}

void add_file_functions(TemplateFunctions& out) {
  out["fileExists"] = of_text([](const std::string& path) -> Result<Value> {
    return Value(std::filesystem::exists(path));
  });
  out["fileRead"] = of_text([](const std::string& path) -> Result<Value> {
    auto content = read_file(path, kMaxFileBytes);
    return content ? Result<Value>(Value(*std::move(content))) : Result<Value>(content.error());
  });
  out["lookupIP"] = of_text([](const std::string& name) { return look_up(name, AF_UNSPEC); });
  out["lookupIPV4"] = of_text([](const std::string& name) { return look_up(name, AF_INET); });
  out["lookupIPV6"] = of_text([](const std::string& name) { return look_up(name, AF_INET6); });
}

void add_encoding_functions(TemplateFunctions& out) {
  out["base64Encode"] =
      of_text([](const std::string& text) -> Result<Value> { return Value(base64_encode(text)); });
  out["base64Decode"] = of_text([](const std::string& text) -> Result<Value> {
    auto decoded = base64_decode(text);
    return decoded ? Result<Value>(Value(*std::move(decoded))) : invalid("the text is not base64");
  });
  out["sha1sum"] =
      of_text([](const std::string& text) -> Result<Value> { return Value(sha1_hex(text)); });
  out["sha256sum"] =
      of_text([](const std::string& text) -> Result<Value> { return Value(sha256_hex(text)); });
}

}  // namespace

void add_host_functions(TemplateFunctions& out, const AgentSettings& settings, const Texts& labels,
                        const Texts& annotations) {
  const auto environment = settings.environment;
  out["getenv"] = [environment](Arguments arguments) {
    return get_environment(environment, arguments);
  };
  out["datetime"] = [](Arguments) -> Result<Value> {
    return Value(fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(std::time(nullptr))));
  };
  out["AESCTRDecrypt"] = of_text([environment](const std::string& stored) {
    return decrypted(environment, "the value", stored);
  });
  out["secretRead"] =
      of_text([environment](const std::string& name) { return read_secret(environment, name); });
  out["getPodLabelValueByKey"] =
      of_text([labels](const std::string& key) { return label_value(labels, "label", key); });
  out["getPodAnnotationValueByKey"] = of_text([annotations](const std::string& key) {
    return label_value(annotations, "annotation", key);
  });
  out["checkLabelExists"] = of_text(
      [labels](const std::string& key) -> Result<Value> { return Value(labels.contains(key)); });
  add_file_functions(out);
  add_encoding_functions(out);
}

}  // namespace troupe::agent
