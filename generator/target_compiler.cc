#include "generator/target_compiler.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "generator/policy_cache.h"
#include "generator/policy_slice.h"

namespace cordon {

namespace {

/// `ours` and the companions of `target` as one: what is new to the policy.
CilModule AllThatIsNew(const SelinuxTarget& target, const CilModule& ours) {
  CilModule all = ours;
  for (const CilModule& companion : target.companions) {
    all.text += "\n" + companion.text;
  }
  return all;
}

/// That `ours` compiles shows of the policy what a slice of it takes for granted: its names are all
/// there, and it keeps its own neverallow rules.
void KeepSlice(const SelinuxTarget& target, const CilModule& ours) {
  std::vector<CilModule> modules = target.modules;
  std::erase_if(modules, [&](const CilModule& module) {
    return std::ranges::find(target.companions, module) != target.companions.end();
  });
  const std::optional<PolicySlice> slice = SlicePolicy(modules);
  if (slice.has_value() && slice->SpeaksFor(AllThatIsNew(target, ours))) {
    PolicyCache().Keep(target.slice_key, WriteSlice(*slice));
  }
}

}  // namespace

Expected<CompiledSelinux> CompileForTarget(SelinuxTarget* target, const CilModule& ours) {
  const NeverallowCheck check =
      target->kind == SelinuxTargetKind::kModules ? NeverallowCheck::kOn : NeverallowCheck::kOff;
  if (target->slice.has_value()) {
    if (target->slice->SpeaksFor(AllThatIsNew(*target, ours))) {
      std::vector<CilModule> modules = target->slice->modules;
      modules.insert(modules.end(), target->companions.begin(), target->companions.end());
      Expected<CompiledSelinux> compiled = CompileSelinux(modules, ours, check);
      if (compiled.has_value()) {
        return compiled;
      }
    }
    RETURN_IF_ERROR(UnpackModules(target));
    return CompileSelinux(target->modules, ours, check);
  }
  Expected<CompiledSelinux> compiled = CompileSelinux(target->modules, ours, check);
  if (compiled.has_value() && !target->slice_key.empty()) {
    KeepSlice(*target, ours);
  }
  return compiled;
}

}  // namespace cordon
