// How a journal names what an actor looked at: equal for equal questions. Internal to this folder.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "actors/model/described.hpp"

namespace troupe::actors {

inline std::string kind_text(k8s::KindId kind) { return TextForm<k8s::KindId>::write(kind); }

inline std::string object_key(k8s::KindId kind, std::string_view ns, std::string_view name) {
  return fmt::format("object {} {}/{}", kind_text(kind), ns, name);
}
inline std::string owned_key(k8s::KindId kind, std::string_view ns, std::string_view owner_uid) {
  return fmt::format("owned {} {} {}", kind_text(kind), ns, owner_uid);
}
inline std::string labelled_key(k8s::KindId kind, std::string_view ns, std::string_view label,
                                std::string_view value) {
  return fmt::format("labelled {} {} {}={}", kind_text(kind), ns, label, value);
}
inline std::string all_key(k8s::KindId kind) { return fmt::format("all {}", kind_text(kind)); }
inline std::string probe_key(const mysql::EndpointId& id) {
  return fmt::format("probe {}", id.value);
}
inline std::string agent_key(std::string_view endpoint) {
  return fmt::format("agent {}", endpoint);
}
inline std::string password_key(const PasswordPlace& place) {
  return fmt::format("password {}/{} {} by {} {}", place.ns, place.secret, place.user,
                     place.aes_secret, place.aes_key);
}
inline std::string external_source_key(std::string_view ns, std::string_view secret) {
  return fmt::format("external source {}/{}", ns, secret);
}
struct ExternalSourceAnswer {
  std::optional<ExternalSource> is;
  std::optional<Error> failed;
};
BOOST_DESCRIBE_STRUCT(ExternalSourceAnswer, (), (is, failed))
struct PasswordAnswer {
  std::optional<Secret> is;
  std::optional<Error> failed;
};
BOOST_DESCRIBE_STRUCT(PasswordAnswer, (), (is, failed))
inline constexpr std::string_view kWallKey = "wall";
inline constexpr std::string_view kRefusedKey = "refused";

}  // namespace troupe::actors
