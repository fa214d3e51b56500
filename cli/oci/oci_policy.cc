#include "cli/oci/oci_policy.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cli/load_policy.h"
#include "cli/oci/oci_names.h"
#include "cli/read_policy_folder.h"
#include "common/text.h"
#include "runtime/oci_policy.h"

namespace cordon::cli {
namespace {

/// The path with nothing in it that leads elsewhere, so that two can be compared.
std::string Canonical(const std::string& path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::canonical(path, error);
  return error ? path : canonical.string();
}

Expected<std::string> FolderOf(const OciCall& call, const OciSpec& spec) {
  const char* const variable = std::getenv("CORDON_POLICY");
  std::string folder = call.policy;
  if (folder.empty() && variable != nullptr) {
    folder = variable;
  }
  const std::string annotated = OciAnnotation(spec, "dev.cordon.policy");
  // Whoever may annotate a container need not be who decided what all of them are held to.
  if (!folder.empty() && !annotated.empty() && Canonical(annotated) != Canonical(folder)) {
    return Fail(InvalidInput(fmt::format(
        "the annotation dev.cordon.policy names {}, but this runtime holds its containers to {}",
        Quote(annotated), Quote(folder))));
  }
  folder = folder.empty() ? annotated : folder;
  if (!folder.empty() && !folder.starts_with('/')) {
    return Fail(InvalidInput("the policy " + Quote(folder) + " is no absolute path"));
  }
  return folder;
}

}  // namespace

Expected<std::optional<OciPolicy>> OciPolicy::Find(const OciCall& call, const OciSpec& spec) {
  ASSIGN_OR_RETURN(const std::string folder, FolderOf(call, spec));
  if (folder.empty()) {
    return std::optional<OciPolicy>();
  }
  if (call.learns) {
    return Fail(InvalidInput("a container that is learned cannot be held to a policy, and " +
                             Quote(folder) + " is one"));
  }
  ASSIGN_OR_RETURN(auto files, ReadPolicyFolder(folder));
  ASSIGN_OR_RETURN(PolicyBundle bundle, ParsePolicyBundle(files, folder));
  return std::optional(OciPolicy(folder, std::move(files), std::move(bundle)));
}

Expected<std::optional<OciPolicy>> OciPolicy::Open(const OciFolder& folder) {
  const std::string kept = folder.PolicyFolder();
  if (::access(kept.c_str(), F_OK) != 0) {
    return std::optional<OciPolicy>();
  }
  ASSIGN_OR_RETURN(auto files, ReadPolicyFolder(kept));
  ASSIGN_OR_RETURN(PolicyBundle bundle, ParsePolicyBundle(files, kept));
  return std::optional(OciPolicy(kept, std::move(files), std::move(bundle)));
}

Expected<PolicyReports> OciPolicy::AddFilter(OciFilter& filter) const {
  const bool reports = MayReport(filter);
  ASSIGN_OR_RETURN(const LoadedPolicy loaded,
                   LoadPolicyFiles(files_, folder_,
                                   reports ? FilterVariant::kNotifying : FilterVariant::kPlain));
  RETURN_IF_ERROR(reports ? AddNotifyingFilter(loaded.filter, filter)
                          : AddPlainFilter(loaded.filter, filter));
  return reports ? PolicyReports::kLive : PolicyReports::kNone;
}

Status OciPolicy::LowerLimits(const OciCall& call, const OciResources& engine,
                              const OciCgroups& cgroups) const {
  ASSIGN_OR_RETURN(const OciResources tighter, TighterResources(config().limits, engine));
  for (const OciResources& part : ByController(tighter)) {
    if (const Status held = cgroups.Apply(part); !held) {
      ReportOciWarning(call, "a limit of the policy is not held: " + held.error().message);
    }
  }
  return {};
}

}  // namespace cordon::cli
