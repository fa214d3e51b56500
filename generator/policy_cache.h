#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cordon {

/// What takes long to make, kept from one run to the next: in $XDG_CACHE_HOME/cordon; where that is
/// not set in /var/cache/cordon for root and in $HOME/.cache/cordon for others. A cache is never
/// needed and never believed without reason: a folder or file that is not this user's own, that
/// others may write, that is a link, or whose content is not what its first line says counts as not
/// there.
class PolicyCache {
 public:
  /// The user's folder; without one (no HOME) nothing is kept.
  PolicyCache();

  /// In `folder`, which is made when something is kept.
  explicit PolicyCache(std::string folder) : folder_(std::move(folder)) {}

  /// What was kept under `key` (64 hexadecimal digits).
  std::optional<std::string> Find(const std::string& key) const;

  /// Keeps `content` in one step, readable for this user only, if that can be done safely;
  /// otherwise nothing happens. Of what was kept before, the three newest stay.
  void Keep(const std::string& key, std::string_view content) const;

 private:
  std::string folder_;
};

}  // namespace cordon
