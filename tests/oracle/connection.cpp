#include "tests/oracle/connection.hpp"

namespace troupe::oracle {

Connection connect(const Address& a, std::chrono::seconds patience) {
  Connection handle(mysql_init(nullptr));
  const unsigned seconds = static_cast<unsigned>(patience.count());
  mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(handle.get(), MYSQL_OPT_READ_TIMEOUT, &seconds);
  mysql_options(handle.get(), MYSQL_OPT_WRITE_TIMEOUT, &seconds);
  const bool is_socket = a.host.starts_with('/');
  if (!mysql_real_connect(handle.get(), is_socket ? nullptr : a.host.c_str(), a.user.c_str(),
                          a.password.c_str(), nullptr, a.port, is_socket ? a.host.c_str() : nullptr,
                          0))
    return nullptr;
  return handle;
}

std::string query(MYSQL* handle, const char* sql) {
  return mysql_query(handle, sql) == 0 ? std::string() : mysql_error(handle);
}

}  // namespace troupe::oracle
