#include "cli/oci/oci_names.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/file.h"
#include "runtime/oci_folder.h"

namespace cordon::cli {
namespace {

/// Docker tells a runtime no name, but mounts files of the container's own folder, which has it.
std::string NameByDocker(const OciSpec& spec) {
  constexpr std::size_t kMost = std::size_t{4} << 20;
  const auto mount = std::ranges::find(spec.mounts, "/etc/hostname", &OciMount::destination);
  if (mount == spec.mounts.end()) {
    return {};
  }
  const std::filesystem::path folder = std::filesystem::path(mount->source).parent_path();
  const Expected<std::string> text = ReadFile((folder / "config.v2.json").string(), kMost);
  if (!text) {
    return {};
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto name = json.is_object() ? json.find("Name") : json.end();
  if (!json.is_object() || name == json.end() || !name->is_string()) {
    return {};
  }
  const std::string value = name->get<std::string>();
  return value.starts_with('/') ? value.substr(1) : value;
}

}  // namespace

std::string OciAnnotation(const OciSpec& spec, const std::string& name) {
  const auto found = spec.annotations.find(name);
  return found == spec.annotations.end() ? std::string() : found->second;
}

std::string OciContainerName(const OciSpec& spec, const std::string& id) {
  for (const std::string& name : {OciAnnotation(spec, "dev.cordon.name"),
                                  OciAnnotation(spec, "io.kubernetes.cri.container-name"),
                                  OciAnnotation(spec, "io.kubernetes.cri-o.ContainerName"),
                                  OciAnnotation(spec, "nerdctl/name"), NameByDocker(spec)}) {
    // As strict as with ids: it becomes the name of a file.
    if (!name.empty() && !name.starts_with('.') && CheckContainerId(name)) {
      return name;
    }
  }
  return id;
}

}  // namespace cordon::cli
