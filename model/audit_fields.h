#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cordon {

/// A field of a record of the kernel's audit, as it stands there.
struct AuditField {
  std::string_view value;
  bool quoted = false;
};

using AuditFields = std::map<std::string_view, AuditField>;

/// The fields of a record: `key=value key="a value"`; words without '=' are passed over. Of a key
/// that comes twice the first. Views of `text`.
AuditFields ParseAuditFields(std::string_view text);

/// The value of `key`; empty where there is none or it is "(null)". audit writes a string with
/// blanks, quotes or bytes beyond ASCII as hexadecimal digits without quotes (kernel/audit.c
/// audit_log_n_untrustedstring): what looks so is decoded.
std::string AuditString(const AuditFields& fields, std::string_view key);

/// The value of `key` as it stands there; empty where there is none.
std::string AuditText(const AuditFields& fields, std::string_view key);

/// Which records are of one event: "1700000000.123:456" of "audit(1700000000.123:456)"; empty where
/// `line` has none.
std::string AuditEvent(std::string_view line);

}  // namespace cordon
