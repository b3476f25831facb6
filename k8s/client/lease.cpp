#include "k8s/client/lease.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::k8s {

Result<void> validate(const LeaseOptions& options) {
  if (options.ns.empty() || options.name.empty() || options.identity.empty()) {
    return error(Code::Invalid, "leader election: namespace, name and identity must be given");
  }
  if (options.lease_duration <= options.renew_deadline ||
      options.renew_deadline <= options.retry_period * 6 / 5) {
    return error(Code::Invalid,
                 fmt::format("leader election: expected lease duration > renew deadline > 1.2 x "
                             "retry period, found {}, {} and {}",
                             to_text(options.lease_duration), to_text(options.renew_deadline),
                             to_text(options.retry_period)));
  }
  return {};
}

void LeaseMachine::step(lease::Input input, TimePoint now, std::uint64_t random, Outputs& out) {
  if (ended_) return;
  Moment moment{now, random, out};
  std::visit([&](const auto& each) { on(each, moment); }, input);
}

void LeaseMachine::on(const lease::Start&, Moment& m) { read(m); }

void LeaseMachine::on(const lease::Found& found, Moment& m) {
  busy_ = false;
  must_read_ = false;
  if (!found.record) {
    observed_.reset();
    observed_holder_.clear();
    if (leading_) return lose("the lease was deleted", m);
    return write(lease::Create{}, m);
  }
  observe(*found.record, m);
  if (leading_ && observed_->holder != options_.identity) {
    return lose(fmt::format("{} holds the lease", observed_->holder), m);
  }
  if (leading_ && expired(m)) return lose("it could not be renewed in time", m);
  renew_or_take(m);
}

void LeaseMachine::on(const lease::Wrote& wrote, Moment& m) {
  busy_ = false;
  must_read_ = false;
  observe(wrote.record, m);
  if (releasing_) {
    ended_ = true;
    m.out.push_back(lease::Released{});
    return;
  }
  renewed_at_ = sent_at_;
  // An answer that took too long proves nothing: others may have taken over since.
  if (expired(m)) {
    must_read_ = true;
    if (leading_) return lose("the renewal took too long", m);
    return again(options_.retry_period, m);
  }
  if (!std::exchange(leading_, true)) m.out.push_back(lease::Elected{});
  again(options_.retry_period, m);
}

void LeaseMachine::on(const lease::Conflict&, Moment& m) {
  busy_ = false;
  must_read_ = true;
  if (releasing_) return on(lease::Failed{}, m);
  if (leading_) return read(m);
  again(candidate_delay(m), m);
}

void LeaseMachine::on(const lease::Failed& failed, Moment& m) {
  busy_ = false;
  must_read_ = true;
  if (releasing_) {
    ended_ = true;
    m.out.push_back(lease::Released{});
    return;
  }
  if (leading_ && expired(m)) {
    return lose("it could not be renewed in time: " + failed.message, m);
  }
  again(leading_ ? options_.retry_period : candidate_delay(m), m);
}

void LeaseMachine::on(const lease::Woken&, Moment& m) {
  if (leading_ && expired(m)) return lose("it could not be renewed in time", m);
  if (busy_) return;
  if (must_read_ || !leading_) return read(m);
  renew_or_take(m);
}

void LeaseMachine::on(const lease::Release&, Moment& m) {
  if (busy_) m.out.push_back(lease::Cancel{});
  releasing_ = true;
  if (!std::exchange(leading_, false) || must_read_) {
    ended_ = true;
    m.out.push_back(lease::Released{});
    return;
  }
  write(lease::Update{observed_->version, observed_->transitions, false, true}, m);
}

void LeaseMachine::observe(const lease::Record& record, Moment& m) {
  const bool same = observed_ && observed_->holder == record.holder &&
                    observed_->duration == record.duration &&
                    observed_->transitions == record.transitions &&
                    observed_->acquired == record.acquired && observed_->renewed == record.renewed;
  observed_ = record;
  if (!same) observed_at_ = m.now;
  if (observed_holder_ == record.holder) return;
  observed_holder_ = record.holder;
  if (!record.holder.empty() && record.holder != options_.identity) {
    m.out.push_back(lease::NewHolder{record.holder});
  }
}

void LeaseMachine::read(Moment& m) {
  busy_ = true;
  m.out.push_back(lease::Get{});
  if (leading_) m.out.push_back(lease::WakeAt{renewed_at_ + options_.renew_deadline});
}

void LeaseMachine::write(lease::Output request, Moment& m) {
  busy_ = true;
  sent_at_ = m.now;
  m.out.push_back(std::move(request));
  if (leading_) m.out.push_back(lease::WakeAt{renewed_at_ + options_.renew_deadline});
}

void LeaseMachine::renew_or_take(Moment& m) {
  const bool ours = observed_->holder == options_.identity;
  if (!ours && !is_free(m)) return again(candidate_delay(m), m);
  write(lease::Update{observed_->version, observed_->transitions + (ours ? 0 : 1), !ours, false},
        m);
}

bool LeaseMachine::is_free(const Moment& m) const {
  return observed_->holder.empty() || m.now >= observed_at_ + observed_->duration;
}

void LeaseMachine::again(Duration after, Moment& m) {
  auto at = m.now + after;
  if (leading_) at = std::min(at, renewed_at_ + options_.renew_deadline);
  m.out.push_back(lease::WakeAt{at});
}

void LeaseMachine::lose(std::string reason, Moment& m) {
  leading_ = false;
  must_read_ = true;
  if (std::exchange(busy_, false)) m.out.push_back(lease::Cancel{});
  m.out.push_back(lease::Lost{std::move(reason)});
  again(candidate_delay(m), m);
}

// Candidates spread over a fifth of the period, so that they do not ask as one.
Duration LeaseMachine::candidate_delay(const Moment& m) const {
  const auto spread = static_cast<std::uint64_t>(options_.retry_period.count() / 5) + 1;
  return options_.retry_period + Duration(static_cast<Duration::rep>(m.random % spread));
}

}  // namespace troupe::k8s
