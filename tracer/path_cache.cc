#include "tracer/path_cache.h"

#include <algorithm>
#include <utility>

namespace cordon {

PathCache::Entry* PathCache::Find(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return nullptr;
  }
  if (std::chrono::steady_clock::now() - found->second.made > kLifetime) {
    return nullptr;
  }
  return &found->second;
}

PathCache::Entry& PathCache::Put(const std::string& key, ResolvedPath path) {
  if (entries_.size() >= kMaxEntries) {
    entries_.clear();
  }
  Entry& entry = entries_[key];
  // An entry that outlived its time keeps what it knows of recording and opening: those are checked
  // against the kernel's answer.
  const bool same =
      entry.path != nullptr && entry.path->key == path.key &&
      std::ranges::equal(entry.path->steps, path.steps, {}, &PathStep::key, &PathStep::key);
  if (!same) {
    entry.noted_for.clear();
  }
  entry.path = std::make_shared<const ResolvedPath>(std::move(path));
  entry.made = std::chrono::steady_clock::now();
  return entry;
}

}  // namespace cordon
