#include "actors/model/sight.hpp"

#include "actors/model/credentials.hpp"
#include "k8s/api/core.hpp"

namespace troupe::actors {

Result<Secret> Sight::password(const PasswordPlace& place) {
  return password_of(place.user, get<k8s::SecretObject>(place.ns, place.secret), place.secret,
                     get<k8s::SecretObject>(place.ns, place.aes_secret), place.aes_secret,
                     place.aes_key);
}

Result<ExternalSource> Sight::external_source(std::string_view ns, std::string_view secret) {
  return external_source_of(get<k8s::SecretObject>(ns, secret), secret);
}

}  // namespace troupe::actors
