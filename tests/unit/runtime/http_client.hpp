// A blocking HTTP/1.1 client for tests of servers on this machine. Every operation has a deadline.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <string>
#include <string_view>

namespace troupe::test {

class HttpClient {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  explicit HttpClient(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    const timeval deadline{10, 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  }

  static Request make(std::string_view method, std::string_view target) {
    Request request;
    request.method_string({method.data(), method.size()});
    request.target({target.data(), target.size()});
    request.version(11);
    request.set("Host", "localhost");
    return request;
  }

  Response send(const Request& request) {
    boost::beast::http::write(socket_, request);
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.skip(request.method_string() == "HEAD");
    boost::beast::http::read(socket_, buffer_, parser);
    return parser.release();
  }

  Response get(std::string_view target) { return send(make("GET", target)); }

  void write_raw(std::string_view bytes) {
    boost::asio::write(socket_, boost::asio::buffer(bytes));
  }

  Response read_response() {
    Response response;
    boost::beast::http::read(socket_, buffer_, response);
    return response;
  }

  // What arrives up to and with `end`. Empty: the server closed before.
  std::string read_until(std::string_view end) {
    boost::system::error_code ec;
    const auto n =
        boost::asio::read_until(socket_, boost::asio::dynamic_buffer(raw_), std::string(end), ec);
    if (ec) return {};
    std::string out = raw_.substr(0, n);
    raw_.erase(0, n);
    return out;
  }

  bool closed_by_server() {
    char byte = 0;
    boost::system::error_code ec;
    socket_.read_some(boost::asio::buffer(&byte, 1), ec);
    return ec == boost::asio::error::eof || ec == boost::asio::error::connection_reset;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::string raw_;
};

}  // namespace troupe::test
