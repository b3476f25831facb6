// A server that is no member, asked over the network what it has: from the member that would follow
// it, by the account and on the way that it would follow by.
//
// Where the command brings the authorities that vouch for that server, it has to show a certificate
// of theirs that bears its name. Blocks its caller; sessions run on the given context's one thread.
#pragma once

#include <boost/asio/io_context.hpp>

#include "engines/agent/model/command.hpp"
#include "engines/agent/server/work.hpp"
#include "engines/mysql/resolver.hpp"

namespace troupe::agent {

class ExternalSource {
 public:
  explicit ExternalSource(boost::asio::io_context& context) : context_(context) {}

  Result<Reply> run(const InspectSource& command, Work& work);

 private:
  Result<std::string> resolve(const std::string& host, Work& work);

  boost::asio::io_context& context_;
  mysql::Resolver resolver_;
};

}  // namespace troupe::agent
