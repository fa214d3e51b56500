#pragma once

#include <string>
#include <vector>

#include "model/sandbox_config.h"
#include "runtime/called_files.h"

namespace cordon {

/// The Landlock rules of a policy, asked instead of enforced. As the kernel does it, a file has
/// the rights of every rule on it and on the directories above; by name here, where the kernel goes
/// by inode.
class FilePolicy {
 public:
  explicit FilePolicy(std::vector<LandlockRule> rules) : rules_(std::move(rules)) {}

  /// The rule that `use` lacks: where it would have to sit, and the rights that no rule gives
  /// there. Several where the file and its directory lack some; none: it is allowed. Of what
  /// Landlock does not hold (looking at a file, its attributes, connecting to a socket), and of
  /// ioctl(2), nothing is asked.
  std::vector<LandlockRule> Missing(const FileUse& use) const;

 private:
  bool Gives(const std::string& path, const std::string& right) const;

  std::vector<LandlockRule> rules_;
};

/// "{"path":"/etc/x","access":["read_file"]}", as in config.json.
std::string Describe(const LandlockRule& rule);

}  // namespace cordon
