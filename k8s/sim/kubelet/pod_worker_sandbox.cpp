// The sandbox of a pod: network, volumes, files.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include "k8s/sim/kubelet/pod_worker_impl.hpp"
#include "k8s/sim/kubelet/remains.hpp"

namespace troupe::sim {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::seconds;

void PodWorker::Impl::act(const PrepareSandbox&) {
  auto volumes = plan_volumes(facts(), pod_dir());
  if (!volumes) {
    record_.sandbox_retry_at = now() + kRetryDelay;
    event(EventType::Warning, "FailedMount", volumes.error().message);
    sync_again_ = true;
    return;
  }
  if (!spec_.host_network && !has_address_) {
    const auto free = services_.addresses.take();
    if (!free) {
      record_.sandbox_retry_at = now() + kRetryDelay;
      event(EventType::Warning, "FailedCreatePodSandBox", "no pod address is free");
      sync_again_ = true;
      return;
    }
    link_ = name_pod_link(services_.tag, ++services_.next_link, *free);
    has_address_ = true;
    // Before anything runs: the downward API may ask for it.
    if (auto again = plan_volumes(facts(), pod_dir())) volumes = std::move(again);
  }
  record_.sandbox = SandboxPhase::Preparing;
  services_.workers.submit(
      [weak = weak_from_this(), plan = services_.plan, tag = services_.tag, link = link_,
       own_network = !spec_.host_network, directory = pod_dir(), wanted = std::move(*volumes),
       files = pod_files(*pod_, address(),
                         to_string(services_.plan.gateway()))]() -> WorkerPool::Completion {
        unmount_below(directory);
        if (own_network) remove_pod_link(link.netns);
        Result<void> made = write_pod_files(directory / "etc", files);
        if (made) made = make_volumes(wanted);
        if (made && own_network) made = create_pod_link(tag, plan, link);
        return [weak, wanted, made] {
          if (const auto self = weak.lock()) self->sandbox_made(wanted, made);
        };
      });
}

void PodWorker::Impl::sandbox_made(const VolumesPlan& volumes, const Result<void>& made) {
  if (made) {
    volumes_ = volumes;
    record_.sandbox = SandboxPhase::Ready;
  } else {
    record_.sandbox = SandboxPhase::Absent;
    record_.sandbox_retry_at = now() + kRetryDelay;
    event(EventType::Warning, "FailedCreatePodSandBox", made.error().message);
  }
  sync();
}

void PodWorker::Impl::act(const ReleaseSandbox&) {
  if (clean_ups_ > 0 || writing_volumes_) return;  // their end comes back here
  record_.sandbox = SandboxPhase::Releasing;
  services_.workers.submit([weak = weak_from_this(), directory = pod_dir(),
                            netns = has_address_ ? link_.netns : ""]() -> WorkerPool::Completion {
    if (!netns.empty()) remove_pod_link(netns);
    unmount_below(directory);
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    return [weak] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->record_.sandbox = SandboxPhase::Released;
      if (self->has_address_) self->services_.addresses.give_back(self->link_.address);
      self->sync();
    };
  });
}

void PodWorker::Impl::act(const Forget&) {
  if (intent_ == PodIntent::Stop) {
    DeleteOptions options;
    options.grace_period_seconds = 0;
    options.uid = spec_.uid;
    // Gone already is as good; anything else comes back with the object's next change.
    (void)services_.api.remove("pods", spec_.ns, spec_.name, options);
  }
  if (forgotten_) asio::post(services_.io, std::exchange(forgotten_, nullptr));
}

void PodWorker::Impl::refresh_volumes() {
  if (record_.sandbox != SandboxPhase::Ready || writing_volumes_ || closed_) return;
  auto wanted = plan_volumes(facts(), pod_dir());
  if (!wanted) return;  // what was deleted stays mounted as it was
  std::vector<VolumePlan> changed;
  for (VolumePlan& volume : volumes_.volumes) {
    const VolumePlan* fresh = wanted->find(volume.name);
    if (volume.kind != VolumeKind::Files || fresh == nullptr) continue;
    const bool same = std::equal(volume.files.begin(), volume.files.end(), fresh->files.begin(),
                                 fresh->files.end(), [](const auto& a, const auto& b) {
                                   return a.first == b.first && a.second.mode == b.second.mode &&
                                          a.second.content == b.second.content;
                                 });
    if (same) continue;
    volume.files = fresh->files;
    changed.push_back(volume);
  }
  if (changed.empty()) return;
  writing_volumes_ = true;
  services_.workers.submit([weak = weak_from_this(), changed = std::move(changed),
                            group = volumes_.fs_group]() -> WorkerPool::Completion {
    for (const VolumePlan& volume : changed) {
      const auto written = write_files(volume.path, volume.files, group);
      if (!written) spdlog::warn("volume {}: {}", volume.name, written.error().message);
    }
    return [weak] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->writing_volumes_ = false;
      self->refresh_volumes();  // it may have changed again meanwhile
      self->sync();
    };
  });
}

}  // namespace troupe::sim
