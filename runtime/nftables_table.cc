#include "runtime/nftables_table.h"

#include <dlfcn.h>

#include <cstdint>
#include <string_view>

#include "common/text.h"

namespace cordon {
namespace {

/// The functions of libnftables(3) that are used. Loaded when a table is wanted: the library and
/// the six that it needs would cost every launch a millisecond.
struct Library {
  void* (*make)(std::uint32_t flags) = nullptr;
  void (*free)(void* context) = nullptr;
  int (*buffer_error)(void* context) = nullptr;
  const char* (*error)(void* context) = nullptr;
  int (*run)(void* context, const char* commands) = nullptr;

  bool complete() const {
    return make != nullptr && free != nullptr && buffer_error != nullptr && error != nullptr &&
           run != nullptr;
  }
};

template <typename Function>
void Find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
}

const Library& LoadLibrary() {
  static const Library library = [] {
    Library found;
    if (void* handle = ::dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL); handle != nullptr) {
      Find(handle, "nft_ctx_new", found.make);
      Find(handle, "nft_ctx_free", found.free);
      Find(handle, "nft_ctx_buffer_error", found.buffer_error);
      Find(handle, "nft_ctx_get_error_buffer", found.error);
      Find(handle, "nft_run_cmd_from_buffer", found.run);
    }
    return found;
  }();
  return library;
}

}  // namespace

void NftablesTable::Release::operator()(Context* context) const {
  LoadLibrary().free(context);
}

Expected<NftablesTable> NftablesTable::Make(const std::string& name, const std::string& commands) {
  const Library& library = LoadLibrary();
  if (!library.complete()) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "a network with an address of its own needs libnftables.so.1 (Debian: "
                          "apt install libnftables1)"));
  }
  std::unique_ptr<Context, Release> context(static_cast<Context*>(library.make(0)));
  if (context == nullptr || library.buffer_error(context.get()) != 0) {
    return Fail(MakeError(ErrorCode::kSystem, "libnftables could not be started"));
  }
  const std::string text = "add table ip " + name + " { flags owner; }\n" + commands;
  if (library.run(context.get(), text.c_str()) != 0) {
    const std::string_view said(library.error(context.get()));
    return Fail(MakeError(ErrorCode::kSystem, "the rules of the table " + name + " were refused: " +
                                                  Quote(said.substr(0, said.find('\n')))));
  }
  return NftablesTable(std::move(context));
}

}  // namespace cordon
