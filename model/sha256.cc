#include "model/sha256.h"

#include <fmt/format.h>
#include <sha2.h>

namespace cordon {

Sha256Digest Sha256(std::string_view bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  Sha256Digest digest{};
  SHA256Final(digest.data(), &context);
  return digest;
}

std::string ToHex(const Sha256Digest& digest) {
  std::string hex;
  for (const std::uint8_t byte : digest) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

}  // namespace cordon
