#include "generator/selinux_container.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "generator/path_names.h"
#include "model/policy_bundle.h"

namespace cordon {
namespace {

/// Attributes that let restorecon, backup and package tools of the host handle the files.
constexpr auto kAttributes =
    std::to_array<std::string_view>({"file_type", "non_auth_file_type", "non_security_file_type"});

/// Where files of the types may be: on disk, in memory; and mounted with the type as the label of
/// all that is inside (context= of mount(8)).
constexpr auto kFilesystems = std::to_array<std::string_view>({"fs_t", "self", "tmpfs_t"});

/// File systems that engines mount for a container with its label in place of their own.
constexpr auto kRelabelled =
    std::to_array<std::string_view>({"devpts", "devtmpfs", "mqueue", "tmpfs"});

std::string DeclareType(std::string_view type, const PolicyFacts& facts) {
  std::string cil = fmt::format("(type {0})\n(roletype object_r {0})\n", type);
  for (const std::string_view attribute : kAttributes) {
    if (facts.attributes.contains(std::string(attribute))) {
      cil += fmt::format("(typeattributeset {} ({}))\n", attribute, type);
    }
  }
  for (const std::string_view filesystem : kFilesystems) {
    if (filesystem == "self" || facts.types.contains(std::string(filesystem))) {
      cil += fmt::format("(allow {} {} (filesystem (associate)))\n", type, filesystem);
    }
  }
  return cil;
}

}  // namespace

void MakeContainerTarget(SelinuxTarget* target) {
  target->surroundings = SelinuxSurroundings::kContainer;
  target->name = fmt::format("{}:{}", kContainerTarget, target->name);
  PolicyFacts& facts = target->facts;
  const auto missing = [&facts](std::string_view type) {
    return !facts.types.contains(std::string(type)) && !facts.aliases.contains(std::string(type));
  };
  if (!missing(kContainerFileType)) {
    return;
  }
  std::string text =
      "; The types of containers' files, which the policy does not have; written by cordon.\n"
      "; One for all containers: load it once, and remove it before the policy gets a container "
      "module of its own.\n";
  for (const std::string_view type : {kContainerFileType, kContainerReadOnlyType}) {
    if (missing(type)) {
      text += DeclareType(type, facts);
      facts.types.emplace(type);
    }
  }
  const std::string name(
      kContainerTypesFile.substr(0, kContainerTypesFile.size() - std::string_view(".cil").size()));
  target->companions.push_back({name, text});
  target->modules.push_back({name, std::move(text)});
  target->module_names.insert(name);
  std::ranges::sort(target->modules, {}, &CilModule::name);
}

Expected<FileLabels> TargetLabels(const SelinuxTarget& target, const std::string& file_contexts) {
  if (target.surroundings == SelinuxSurroundings::kHost) {
    return FileLabels::Create(file_contexts + target.home_contexts, target.substitutions,
                              target.facts);
  }
  PolicyFacts facts;
  std::ranges::copy_if(
      target.facts.filesystem_prefixes, std::back_inserter(facts.filesystem_prefixes),
      [](const FilesystemPrefix& prefix) {
        return std::ranges::find(kRelabelled, prefix.filesystem) == kRelabelled.end();
      });
  facts.filesystem_types = target.facts.filesystem_types;
  for (const std::string_view filesystem : kRelabelled) {
    facts.filesystem_types.erase(std::string(filesystem));
  }
  return FileLabels::Create(fmt::format("/.* system_u:object_r:{}:s0\n", kContainerFileType), "",
                            facts);
}

WorkloadPlaces FindContainerPlaces(const Recording& recording) {
  WorkloadPlaces places;
  for (const auto& [key, process] : recording.processes) {
    if (key.parent.empty() && key.executable.starts_with('/')) {
      places.entries.insert(key.executable);
    }
  }
  for (const auto& [key, file] : recording.files) {
    if (key.path.starts_with("memfd:") || key.path.starts_with("/memfd:")) {
      places.own.emplace(key, PrivateType::kTmpfs);
    }
  }
  return places;
}

}  // namespace cordon
