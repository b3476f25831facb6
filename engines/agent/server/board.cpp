#include "engines/agent/server/board.hpp"

#include <utility>
#include <vector>

namespace troupe::agent {

void Board::update(const std::function<void(AgentObservation&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    auto next = view_.state;
    change(next);
    if (next == view_.state) return;
    view_.state = std::move(next);
    ++view_.sequence;
  }
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(listeners_->mutex);
    for (const auto& [id, listener] : listeners_->entries) listeners.push_back(listener);
  }
  for (const auto& listener : listeners) listener();
}

Board::View Board::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Board::Subscription Board::listen(Listener listener) {
  const std::lock_guard lock(listeners_->mutex);
  const auto id = listeners_->next_id++;
  listeners_->entries.emplace(id, std::move(listener));
  return {nullptr, [listeners = listeners_, id](std::nullptr_t) {
            const std::lock_guard guard(listeners->mutex);
            listeners->entries.erase(id);
          }};
}

}  // namespace troupe::agent
