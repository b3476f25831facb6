// The agent's connection to troupe-supervise: orders, and the reports of the database's process.
//
// Connects whenever the socket is there, again and again. The loss of an established connection is
// reported at once: the supervisor is process 1 of its container, so it and the database died.
// Thread-safe; callbacks arrive on the given context's thread, calls block their own thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engines/agent/server/work.hpp"
#include "engines/agent/supervise/protocol.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent {

class SuperviseClient {
 public:
  using OnReport = std::function<void(const supervise::ProcessReport&)>;
  // The supervisor's Hello when connected, nothing when the connection is lost.
  using OnConnection = std::function<void(const std::optional<supervise::Hello>&)>;

  SuperviseClient(boost::asio::io_context& context, std::string socket_path);
  ~SuperviseClient();

  // Once, before anything else.
  void start(OnConnection on_connection, OnReport on_report);
  // No callback after this; calls fail.
  void stop();

  bool connected() const;
  std::optional<supervise::Hello> supervisor() const;

  // Code::Retry when not connected, and when the connection breaks (the outcome is then unknown,
  // but a supervisor that is gone has taken the database with it).
  Result<void> start_database(const supervise::SpawnSpec& spec, Work& work);
  Result<void> stop_database(const supervise::StopOrder& order, Work& work);
  Result<void> kill_database(const supervise::KillOrder& order, Work& work);
  Result<void> release(const supervise::ReleaseOrder& order, Work& work);
  Result<supervise::RunOutcome> run(const supervise::RunOrder& order, Work& work);
  // Afterwards no command of run() is left, whoever asked for it.
  Result<void> end_run(Work& work);
  // Name and value in turn (supervise/environment.hpp).
  Result<std::vector<std::string>> stock_settings(Work& work);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::agent
