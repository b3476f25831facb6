#include "k8s/sim/kubelet/images.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::string_view kLibrary = "docker.io/library/";

std::string_view without_tag(std::string_view name) {
  name = name.substr(0, name.find('@'));
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  const bool is_tag = colon != name.npos && (slash == name.npos || colon > slash);
  return is_tag ? name.substr(0, colon) : name;
}

int signal_number(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char* abbreviation = sigabbrev_np(number);
    if (abbreviation != nullptr && name == abbreviation) return number;
  }
  int number = SIGTERM;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

std::vector<std::string> strings(const json::array& list) {
  std::vector<std::string> result;
  for (const json::value& element : list) result.push_back(scalar_text(element));
  return result;
}

Result<ImageConfig> read_config(const fs::path& path) {
  ImageConfig config;
  std::ifstream file(path);
  if (!file) return config;
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  boost::system::error_code failed;
  const json::value parsed = json::parse(content, failed);
  if (failed) {
    return error(Code::Invalid, fmt::format("{}: {}", path.string(), failed.message()));
  }
  config.entrypoint = strings(items(parsed, {"Entrypoint"}));
  config.cmd = strings(items(parsed, {"Cmd"}));
  for (const std::string& entry : strings(items(parsed, {"Env"}))) {
    const auto equals = entry.find('=');
    if (equals == entry.npos) continue;
    config.env.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  config.user = text(parsed, {"User"});
  config.working_dir = text(parsed, {"WorkingDir"});
  config.stop_signal = signal_number(text(parsed, {"StopSignal"}, "SIGTERM"));
  return config;
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_in(const fs::path& root, const char* path) {
  return {std::fopen((root / path).c_str(), "re"), &std::fclose};
}

struct Account {
  uid_t uid;
  gid_t gid;
  std::string name, home;
};

// Calls `visit` for each line of the tree's etc/passwd until it answers true.
std::optional<Account> find_account(const fs::path& root,
                                    const std::function<bool(const passwd&)>& matches) {
  const File file = open_in(root, "etc/passwd");
  if (file == nullptr) return std::nullopt;
  passwd entry;
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  while (fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (matches(entry)) return Account{entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir};
  }
  return std::nullopt;
}

void visit_groups(const fs::path& root, const std::function<void(const group&)>& visit) {
  const File file = open_in(root, "etc/group");
  if (file == nullptr) return;
  group entry;
  group* found = nullptr;
  std::array<char, 16384> buffer;
  while (fgetgrent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) visit(entry);
}

std::optional<unsigned> as_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "user", "uid", "user:group" and so on, as an image's configuration has it.
Result<ContainerUser> image_user(std::string_view user_text, const fs::path& root) {
  ContainerUser user;
  if (user_text.empty()) user_text = "0";
  const auto colon = user_text.find(':');
  const std::string_view name = user_text.substr(0, colon);
  const auto uid = as_number(name);
  const auto account = find_account(root, [&](const passwd& entry) {
    return uid ? entry.pw_uid == *uid : name == entry.pw_name;
  });
  if (!account && !uid) {
    return error(Code::Invalid, fmt::format("unable to find user {}: no matching entry in passwd "
                                            "file",
                                            name));
  }
  user.uid = account ? account->uid : *uid;
  user.gid = account ? account->gid : 0;
  if (colon == user_text.npos) return user;

  const std::string_view group_name = user_text.substr(colon + 1);
  if (const auto gid = as_number(group_name)) {
    user.gid = *gid;
    return user;
  }
  bool known = false;
  visit_groups(root, [&](const group& entry) {
    if (group_name != entry.gr_name) return;
    user.gid = entry.gr_gid;
    known = true;
  });
  if (known) return user;
  return error(Code::Invalid, fmt::format("unable to find group {}", group_name));
}

void add_image_groups(ContainerUser& user, const std::string& name, const fs::path& root) {
  visit_groups(root, [&](const group& entry) {
    for (char** member = entry.gr_mem; *member != nullptr; ++member) {
      if (name == *member) user.groups.push_back(entry.gr_gid);
    }
  });
}

}  // namespace

void ImageStore::map(std::string name, fs::path root) {
  roots_.insert_or_assign(std::move(name), std::move(root));
}

Result<Image> ImageStore::resolve(std::string_view name) const {
  std::string_view short_name = name;
  if (short_name.starts_with(kLibrary)) short_name.remove_prefix(kLibrary.size());
  for (const std::string_view candidate :
       {name, without_tag(name), short_name, without_tag(short_name)}) {
    const auto found = roots_.find(candidate);
    if (found == roots_.end()) continue;
    if (!fs::is_directory(found->second)) {
      return error(Code::Invalid, fmt::format("image {} is mapped to {}, which is no directory",
                                              name, found->second.string()));
    }
    auto config = read_config(found->second.string() + ".json");
    if (!config) return config.error();
    return Image{found->second, std::move(*config)};
  }
  return error(Code::NotFound,
               fmt::format("image \"{}\" is not mapped to a directory; start troupe-sim with "
                           "--image {}=DIR",
                           name, name));
}

const json::value* security_setting(const json::value& pod, const json::value& container,
                                    std::string_view member) {
  if (const json::value* own = find(container, {"securityContext", member})) return own;
  return find(pod, {"spec", "securityContext", member});
}

Result<ContainerUser> resolve_user(const json::value& pod, const json::value& container,
                                   const ImageConfig& image, const fs::path& root) {
  auto user = image_user(image.user, root);
  const json::value* uid = security_setting(pod, container, "runAsUser");
  const json::value* gid = security_setting(pod, container, "runAsGroup");
  if (!user && uid == nullptr) return user.error();
  ContainerUser result = user ? *user : ContainerUser{};
  if (uid != nullptr) {
    result.uid = static_cast<uid_t>(uid->to_number<std::int64_t>());
    result.gid = 0;
  }
  const auto account =
      find_account(root, [&](const passwd& entry) { return entry.pw_uid == result.uid; });
  if (account) {
    if (uid != nullptr) result.gid = account->gid;
    result.home = account->home;
    add_image_groups(result, account->name, root);
  }
  if (gid != nullptr) result.gid = static_cast<gid_t>(gid->to_number<std::int64_t>());
  for (const json::value& group : items(pod, {"spec", "securityContext", "supplementalGroups"})) {
    result.groups.push_back(static_cast<gid_t>(group.to_number<std::int64_t>()));
  }
  if (find(pod, {"spec", "securityContext", "fsGroup"}) != nullptr) {
    result.groups.push_back(
        static_cast<gid_t>(number(pod, {"spec", "securityContext", "fsGroup"})));
  }
  const json::value* non_root = security_setting(pod, container, "runAsNonRoot");
  if (non_root != nullptr && non_root->is_bool() && non_root->get_bool() && result.uid == 0) {
    return error(Code::Invalid, "container has runAsNonRoot and image will run as root");
  }
  return result;
}

}  // namespace troupe::sim
