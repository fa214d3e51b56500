#pragma once

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/handover_page.h"

namespace cordon {

/// A HandoverPage in a file of memory, so that a process which knows nothing of its maker can look
/// at it too. What a process says there it says by plain stores, after a filter that may refuse it
/// every call.
class OciPage {
 public:
  static Expected<OciPage> Create();
  /// The one that is in `file`, which must be of the size that Create() gave it.
  static Expected<OciPage> Map(UniqueFd file);

  OciPage(OciPage&& other) noexcept;
  OciPage& operator=(OciPage&&) = delete;
  OciPage(const OciPage&) = delete;
  OciPage& operator=(const OciPage&) = delete;
  ~OciPage();

  HandoverPage& page() const { return *page_; }

  int file() const { return file_.get(); }

 private:
  OciPage(HandoverPage* page, UniqueFd file) : page_(page), file_(std::move(file)) {}

  HandoverPage* page_;
  UniqueFd file_;
};

}  // namespace cordon
