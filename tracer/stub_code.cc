#include "tracer/stub_code.h"

#include <array>

#include "tracer/known_calls.h"
#include "tracer/machine_code.h"

namespace cordon {
namespace {

using Layout = KnownCallsLayout;

constexpr std::uint64_t kCallBytes = 2;  // syscall

/// Jumps to the end of the stub, to be filled in when that is known.
class MissJumps {
 public:
  void Add(MachineCode& code) {
    code.Word32(0);
    ends_.push_back(code.bytes().size());
  }

  void Land(MachineCode& code) const {
    const std::size_t target = code.bytes().size();
    for (const std::size_t end : ends_) {
      auto distance = static_cast<std::uint32_t>(target - end);
      for (std::size_t i = 4; i > 0; --i) {
        code.bytes()[end - i] = static_cast<std::uint8_t>(distance);
        distance >>= 8U;
      }
    }
  }

 private:
  std::vector<std::size_t> ends_;
};

/// lea known(%rip), %rax or %r11
void LoadAddress(MachineCode& code, bool r11, std::uint64_t target) {
  if (r11) {
    code.Bytes({0x4c, 0x8d, 0x1d});
  } else {
    code.Bytes({0x48, 0x8d, 0x05});
  }
  code.Distance(target);
}

/// mov argument, %ecx or %rcx
void LoadArgument(MachineCode& code, std::uint8_t index, bool wide) {
  // rdi, rsi, rdx, r10, r8, r9: whether REX.R is needed, and the ModRM byte with rcx.
  struct Source {
    bool extended;
    std::uint8_t modrm;
  };

  static constexpr std::array<Source, 6> kSources{
      {{false, 0xf9}, {false, 0xf1}, {false, 0xd1}, {true, 0xd1}, {true, 0xc1}, {true, 0xc9}}};
  const Source& source = kSources.at(index);
  std::uint8_t rex = 0x40;
  rex |= wide ? 0x08 : 0;
  rex |= source.extended ? 0x04 : 0;
  if (rex != 0x40) {
    code.Bytes({rex});
  }
  code.Bytes({0x89, source.modrm});
}

/// movabs $factor, %rax
void LoadFactor(MachineCode& code) {
  code.Bytes({0x48, 0xb8});
  code.Word64(kKeyFactor);
}

constexpr std::uint32_t kDuplicateCloseOnExec = 1030;
static_assert(DuplicatesDescriptor(kDuplicateCloseOnExec));

/// fcntl(2): takes 0 for the descriptor and jumps over what looks it up, where the command says
/// nothing of the file. Returns what LandShort() wants.
std::array<std::size_t, 2> SkipDescriptor(MachineCode& code) {
  std::array<std::size_t, 2> jumps{};
  code.Bytes({0x31, 0xc9});                              // xor %ecx, %ecx
  code.Bytes({0x83, 0xfe, kLastOfDescriptor, 0x76, 0});  // cmp $kLastOfDescriptor, %esi; jbe
  jumps[0] = code.bytes().size();
  code.Bytes({0x81, 0xfe});  // cmp $F_DUPFD_CLOEXEC, %esi; je
  code.Word32(kDuplicateCloseOnExec);
  code.Bytes({0x74, 0});
  jumps[1] = code.bytes().size();
  return jumps;
}

/// Makes the short jump that ends at `from` lead here.
void LandShort(MachineCode& code, std::size_t from) {
  code.bytes()[from - 1] = static_cast<std::uint8_t>(code.bytes().size() - from);
}

void AddPart(MachineCode& code, const KeyPart& part, const StubRequest& request,
             MissJumps& misses) {
  const std::uint64_t known = request.known_calls;
  const bool descriptor = part.kind == KeyPart::Kind::kDescriptor;
  std::array<std::size_t, 2> skipped{};
  if (descriptor && request.shape.controls) {
    skipped = SkipDescriptor(code);
  }
  LoadArgument(code, part.index, !descriptor && part.width_bits == 64);
  if (descriptor) {
    code.Bytes({0x81, 0xf9});  // cmp $kDescriptors, %ecx
    code.Word32(Layout::kDescriptors);
    code.Bytes({0x0f, 0x83});  // jae miss
    misses.Add(code);
    LoadAddress(code, false, known + Layout::kIdentities);
    code.Bytes({0x8b, 0x0c, 0x88});        // mov (%rax,%rcx,4), %ecx
    code.Bytes({0x85, 0xc9, 0x0f, 0x84});  // test %ecx, %ecx; jz miss
    misses.Add(code);
    LoadFactor(code);
    if (request.shape.controls) {
      LandShort(code, skipped[0]);
      LandShort(code, skipped[1]);
    }
  }
  code.Bytes({0x49, 0x31, 0xcb});        // xor %rcx, %r11
  code.Bytes({0x4c, 0x0f, 0xaf, 0xd8});  // imul %rax, %r11
}

void LookUpKey(MachineCode& code, const StubRequest& request, MissJumps& misses) {
  LoadFactor(code);
  code.Bytes({0x4c, 0x8b, 0x1d});  // mov seed(%rip), %r11
  code.Distance(request.known_calls + Layout::kSeed);
  code.Bytes({0x49, 0x81, 0xf3});  // xor $number, %r11
  code.Word32(static_cast<std::uint32_t>(request.number));
  code.Bytes({0x4c, 0x0f, 0xaf, 0xd8});  // imul %rax, %r11
  for (std::size_t i = 0; i < request.shape.size; ++i) {
    AddPart(code, request.shape.parts.at(i), request, misses);
  }
  code.Bytes({0x4c, 0x89, 0xd9});                         // mov %r11, %rcx
  code.Bytes({0x48, 0xc1, 0xe9, 64 - Layout::kKeyBits});  // shr, %rcx
  LoadAddress(code, false, request.known_calls + Layout::kKeys);
  code.Bytes({0x4c, 0x3b, 0x1c, 0xc8});  // cmp (%rax,%rcx,8), %r11
  code.Bytes({0x74, 14});                // je hit
  code.Bytes({0x48, 0x83, 0xf1, 0x01});  // xor $1, %rcx
  code.Bytes({0x4c, 0x3b, 0x1c, 0xc8});  // cmp (%rax,%rcx,8), %r11
  code.Bytes({0x0f, 0x85});              // jne miss
  misses.Add(code);
}

void MissWhenBig(MachineCode& code, std::uint8_t index, MissJumps& misses) {
  LoadArgument(code, index, true);
  code.Bytes({0x48, 0x81, 0xf9});  // cmp $kLeastOfBig, %rcx
  code.Word32(kLeastOfBig);
  code.Bytes({0x0f, 0x83});  // jae miss
  misses.Add(code);
}

void LookUpNumber(MachineCode& code, const StubRequest& request, MissJumps& misses) {
  code.Bytes({0x80, 0x3d});  // cmpb $0, plain(%rip)
  code.Distance(request.known_calls + Layout::kPlain + static_cast<std::uint32_t>(request.number),
                1);
  code.Bytes({0x00, 0x0f, 0x84});  // jz miss
  misses.Add(code);
}

/// sub-registers: the address of the thread's place in kPending, in r11
void LoadPending(MachineCode& code, std::uint64_t known) {
  code.Bytes({0x4c, 0x69, 0xdc});  // imul $odd, %rsp, %r11
  code.Word32(0x7f4a7c15);
  code.Bytes({0x49, 0xc1, 0xeb, 64 - Layout::kPendingBits});  // shr, %r11
  code.Bytes({0x49, 0xc1, 0xe3, 3});                          // shl $3, %r11
  code.Bytes({0x4c, 0x03, 0x1d});                             // add pending(%rip), %r11
  code.Distance(known + Layout::kPendingAddress);
}

/// imul $factor, %r11, %r11
void MultiplyName(MachineCode& code) {
  code.Bytes({0x4d, 0x69, 0xdb});
  code.Word32(kNameFactor);
}

/// xor %rcx, %r11
void MixName(MachineCode& code) {
  code.Bytes({0x49, 0x31, 0xcb});
  MultiplyName(code);
}

/// mov argument, %r11
void LoadPointer(MachineCode& code, std::uint8_t index) {
  // rdi, rsi, rdx, r10, r8, r9: REX and the ModRM byte.
  static constexpr std::array<std::array<std::uint8_t, 2>, 6> kSources{
      {{0x49, 0xfb}, {0x49, 0xf3}, {0x49, 0xd3}, {0x4d, 0xd3}, {0x4d, 0xc3}, {0x4d, 0xcb}}};
  code.Bytes({kSources.at(index)[0], 0x89, kSources.at(index)[1]});
}

/// A call that writes where its path lies is made at its site: a report reads the path afterwards.
/// Far apart is quickly seen; else the path's length matters.
void MissWhenOverlapping(MachineCode& code, const PathPart& path, std::uint8_t output,
                         MissJumps& misses) {
  constexpr std::uint32_t kMostPathBytes = 4096;
  const auto load_size = [&] { LoadArgument(code, static_cast<std::uint8_t>(output + 1), false); };
  const bool at_rdi = path.index == 0;
  LoadPointer(code, output);
  code.Bytes({0x49, 0x29});  // sub %rdi or %rsi, %r11
  code.Bytes({static_cast<std::uint8_t>(at_rdi ? 0xfb : 0xf3)});
  if (path.output_bytes != 0) {
    code.Bytes({0xb9});  // mov $bytes, %ecx
    code.Word32(path.output_bytes);
  } else {
    load_size();
  }
  code.Bytes({0x49, 0x01, 0xcb, 0x48, 0x81, 0xc1});  // add %rcx, %r11; add $kMostPathBytes, %rcx
  code.Word32(kMostPathBytes);
  code.Bytes({0x49, 0x39, 0xcb, 0x73, 0});  // cmp %rcx, %r11; jae apart
  const std::size_t far = code.bytes().size();
  LoadArgument(code, path.index, true);
  const std::size_t loop = code.bytes().size();
  code.Bytes({0x48, 0xff, 0xc1, 0x80, 0x79, 0xff, 0x00, 0x75});  // inc; cmpb $0, -1(%rcx); jne loop
  code.Bytes({static_cast<std::uint8_t>(loop - (code.bytes().size() + 1))});
  LoadPointer(code, output);
  code.Bytes({0x49, 0x39, 0xcb, 0x73, 0});  // cmp %rcx, %r11; jae apart: it lies behind
  const std::size_t behind = code.bytes().size();
  if (path.output_bytes != 0) {
    code.Bytes({0xb9});
    code.Word32(path.output_bytes);
  } else {
    load_size();
  }
  code.Bytes({0x49, 0x01, 0xcb, 0x49, 0x39});  // add %rcx, %r11; cmp %rdi or %rsi, %r11
  code.Bytes({static_cast<std::uint8_t>(at_rdi ? 0xfb : 0xf3)});
  code.Bytes({0x0f, 0x87});  // ja miss
  misses.Add(code);
  LandShort(code, far);
  LandShort(code, behind);
}

/// rax keeps the thread's own word, of its stack and of the seed before the look-up, so that a seed
/// that changed meanwhile is noticed after the call.
void LookUpName(MachineCode& code, const StubRequest& request, const PathPart& path,
                MissJumps& misses, MissJumps& unknown) {
  const std::uint64_t known = request.known_calls;
  if (path.output) {
    MissWhenOverlapping(code, path, *path.output, misses);
  }
  code.Bytes({0x48, 0x89, 0xe0, 0x48, 0xc1, 0xe8, 4});  // mov %rsp, %rax; shr $4, %rax
  code.Bytes({0x33, 0x05});                             // xor seed(%rip), %eax
  code.Distance(known + Layout::kNamesSeed);
  if (path.directory) {
    LoadArgument(code, *path.directory, false);
    code.Bytes({0x83, 0xf9, 0x9c, 0x74, 0});  // cmp $AT_FDCWD, %ecx; je beyond
    const std::size_t from = code.bytes().size();
    code.Bytes({0x81, 0xf9});  // cmp $kDescriptors, %ecx
    code.Word32(Layout::kDescriptors);
    code.Bytes({0x0f, 0x83});  // jae miss
    misses.Add(code);
    LoadAddress(code, true, known + Layout::kIdentities);
    code.Bytes({0x41, 0x8b, 0x0c, 0x8b});  // mov (%r11,%rcx,4), %ecx
    code.Bytes({0x85, 0xc9, 0x0f, 0x84});  // test %ecx, %ecx; jz miss
    misses.Add(code);
    LandShort(code, from);
  } else {
    code.Bytes({0xb9});  // mov $kWorkingDirectory, %ecx
    code.Word32(kWorkingDirectory);
  }
  code.Bytes({0x4c, 0x8b, 0x1d});  // mov seed(%rip), %r11
  code.Distance(known + Layout::kNamesSeed);
  code.Bytes({0x49, 0x81, 0xf3});  // xor $number, %r11
  code.Word32(static_cast<std::uint32_t>(request.number));
  MultiplyName(code);
  MixName(code);
  LoadArgument(code, path.index, true);
  code.Bytes({0x48, 0x85, 0xc9, 0x0f, 0x84});  // test %rcx, %rcx; jz miss
  misses.Add(code);
  const std::size_t loop = code.bytes().size();
  code.Bytes({0x44, 0x32, 0x19});  // xor (%rcx), %r11b
  MultiplyName(code);
  code.Bytes({0x48, 0xff, 0xc1});        // inc %rcx
  code.Bytes({0x80, 0x79, 0xff, 0x00});  // cmpb $0, -1(%rcx)
  code.Bytes({0x75});                    // jne loop
  code.Bytes({static_cast<std::uint8_t>(loop - (code.bytes().size() + 1))});
  for (std::size_t i = 0; i < request.shape.size; ++i) {
    LoadArgument(code, request.shape.parts.at(i).index, false);
    MixName(code);
  }
  code.Bytes({0x4c, 0x89, 0xd9});                         // mov %r11, %rcx
  code.Bytes({0x48, 0xc1, 0xe9, 64 - Layout::kKeyBits});  // shr, %rcx
  code.Bytes({0x48, 0xc1, 0xe1, 3});                      // shl $3, %rcx
  code.Bytes({0x48, 0x03, 0x0d});                         // add keys(%rip), %rcx
  code.Distance(known + Layout::kNameKeysAddress);
  code.Bytes({0x4c, 0x3b, 0x19, 0x74, 13});    // cmp (%rcx), %r11; je hit
  code.Bytes({0x48, 0x83, 0xf1, 0x08});        // xor $8, %rcx
  code.Bytes({0x4c, 0x3b, 0x19, 0x0f, 0x85});  // cmp (%rcx), %r11; jne unknown
  unknown.Add(code);
  code.Bytes({0x8b, 0x89});  // mov kResults(%rcx), %ecx
  code.Word32(Layout::kResults);
  code.Bytes({0x48, 0xc1, 0xe1, 32});  // shl $32, %rcx
  code.Bytes({0x48, 0x09, 0xc1});      // or %rax, %rcx
  LoadPending(code, known);
  code.Bytes({0x49, 0x89, 0x0b});  // mov %rcx, (%r11)
}

/// After the call: was it what was expected?
void CheckResult(MachineCode& code, const StubRequest& request, MissJumps& reports) {
  const std::uint64_t known = request.known_calls;
  LoadPending(code, known);
  code.Bytes({0x49, 0x8b, 0x0b});                       // mov (%r11), %rcx
  code.Bytes({0x49, 0x89, 0xe3, 0x49, 0xc1, 0xeb, 4});  // mov %rsp, %r11; shr $4, %r11
  code.Bytes({0x44, 0x33, 0x1d});                       // xor seed(%rip), %r11d
  code.Distance(known + Layout::kNamesSeed);
  code.Bytes({0x44, 0x39, 0xd9, 0x0f, 0x85});  // cmp %r11d, %ecx; jne report
  reports.Add(code);
  code.Bytes({0x48, 0xc1, 0xe9, 32});       // shr $32, %rcx
  code.Bytes({0x48, 0x85, 0xc0, 0x78, 0});  // test %rax, %rax; js failed
  const std::size_t failed_from = code.bytes().size();
  code.Bytes({0x85, 0xc9, 0x0f, 0x88});  // test %ecx, %ecx; js report
  reports.Add(code);
  if (request.shape.opens) {
    code.Bytes({0x3d});  // cmp $kDescriptors, %eax
    code.Word32(Layout::kDescriptors);
    code.Bytes({0x0f, 0x83});  // jae report
    reports.Add(code);
    LoadAddress(code, true, known + Layout::kIdentities);
    code.Bytes({0x41, 0x89, 0x0c, 0x83});  // mov %ecx, (%r11,%rax,4)
  }
  code.Bytes({0xeb, 8});  // jmp done
  code.bytes()[failed_from - 1] = static_cast<std::uint8_t>(code.bytes().size() - failed_from);
  code.Bytes({0x39, 0xc8, 0x0f, 0x85});  // cmp %ecx, %eax; jne report
  reports.Add(code);
}

/// After fcntl(2): of what F_DUPFD gave out nothing is known, as F_SETFL may have changed how it is
/// written to; that it failed is told.
void NoteDuplicate(MachineCode& code, std::uint64_t known, MissJumps& reports) {
  code.Bytes({0x85, 0xf6, 0x74, 0});  // test %esi, %esi; je duplicated
  const std::size_t duplicated = code.bytes().size();
  code.Bytes({0x81, 0xfe});  // cmp $F_DUPFD_CLOEXEC, %esi
  code.Word32(kDuplicateCloseOnExec);
  code.Bytes({0x75, 0});  // jne done
  const std::size_t other = code.bytes().size();
  LandShort(code, duplicated);
  code.Bytes({0x48, 0x85, 0xc0, 0x0f, 0x88});  // test %rax, %rax; js report
  reports.Add(code);
  code.Bytes({0x3d});  // cmp $kDescriptors, %eax
  code.Word32(Layout::kDescriptors);
  code.Bytes({0x73, 0});  // jae done: of such a number nothing is known
  const std::size_t beyond = code.bytes().size();
  LoadAddress(code, true, known + Layout::kIdentities);
  code.Bytes({0x41, 0xc7, 0x04, 0x83, 0, 0, 0, 0});  // movl $0, (%r11,%rax,4)
  for (const std::size_t jump : {other, beyond}) {
    LandShort(code, jump);
  }
}

/// A call with a path that is not known: made here and told with its result, one stop instead of
/// two. Not while the tracer must see calls begin, and not open(2) where what was there before
/// matters.
void ReportUnknown(MachineCode& code, const StubRequest& request, MissJumps& misses) {
  code.Bytes({0x80, 0x3d});  // cmpb $0, reports_unknown(%rip)
  code.Distance(request.known_calls + Layout::kReportsUnknown, 1);
  code.Bytes({0x00, 0x0f, 0x84});  // je miss
  misses.Add(code);
  if (request.shape.opens) {
    code.Bytes({0xf7});  // test $kMoreThanOpens, %esi or %edx
    code.Bytes({static_cast<std::uint8_t>(request.shape.parts[0].index == 1 ? 0xc6 : 0xc2)});
    code.Word32(kMoreThanOpens);
    code.Bytes({0x0f, 0x85});  // jne miss
    misses.Add(code);
  }
}

/// close(2): the number may be another file's from here on.
void ForgetDescriptor(MachineCode& code, std::uint64_t known) {
  code.Bytes({0x89, 0xf9, 0x81, 0xf9});  // mov %edi, %ecx; cmp $kDescriptors, %ecx
  code.Word32(Layout::kDescriptors);
  code.Bytes({0x73, 15});  // jae beyond
  LoadAddress(code, true, known + Layout::kIdentities);
  code.Bytes({0x41, 0xc7, 0x04, 0x8b, 0, 0, 0, 0});  // movl $0, (%r11,%rcx,4)
}

/// Threads count on different cache lines, mostly: which one is told by the stack they run on.
void CountHit(MachineCode& code, std::uint64_t known) {
  code.Bytes({0x48, 0x69, 0xcc});  // imul $odd, %rsp, %rcx
  code.Word32(0x7f4a7c15);
  code.Bytes({0x48, 0xc1, 0xe9, 58});  // shr $58, %rcx: 64 counters
  code.Bytes({0x48, 0xc1, 0xe1, 6});   // shl $6, %rcx: 64 bytes each
  LoadAddress(code, true, known + Layout::kHits);
  code.Bytes({0x49, 0xff, 0x04, 0x0b});  // incq (%r11,%rcx)
}

/// mov $number, %eax; the kernel looks at 32 bits and gives the program a result in all 64.
void LoadNumber(MachineCode& code, std::int32_t number) {
  code.Bytes({0xb8});
  code.Word32(static_cast<std::uint32_t>(number));
}

/// Goes on at `target` with it in rcx, as after a call made there: movabs, jmp *%rcx
void ContinueAt(MachineCode& code, std::uint64_t target) {
  code.Bytes({0x48, 0xb9});
  code.Word64(target);
  code.Bytes({0xff, 0xe1});
}

}  // namespace

StubCode WriteStub(const StubRequest& request) {
  static_assert(Layout::kHitCounters == 64 && Layout::kHitStride == 64);
  const CallShape& shape = request.shape;
  MachineCode code(request.address);
  MissJumps misses;
  MissJumps unknown;
  if (shape.small) {
    MissWhenBig(code, *shape.small, misses);
  }
  if (shape.path) {
    LookUpName(code, request, *shape.path, misses, unknown);
  } else if (shape.plain()) {
    LookUpNumber(code, request, misses);
  } else {
    LookUpKey(code, request, misses);
  }
  CountHit(code, request.known_calls);
  if (shape.closes) {
    ForgetDescriptor(code, request.known_calls);
  }
  const auto make_call = [&] {
    LoadNumber(code, request.number);
    code.Bytes({0x0f, 0x05});  // syscall
    return code.bytes().size();
  };
  StubCode stub;
  stub.after_call = make_call();
  MissJumps reports;
  if (shape.path) {
    CheckResult(code, request, reports);
  } else if (shape.controls) {
    NoteDuplicate(code, request.known_calls, reports);
  }
  stub.done = code.bytes().size();
  ContinueAt(code, request.site + kCallBytes);
  reports.Land(code);
  stub.reports = code.bytes().size();
  if (shape.checks_result()) {
    code.Bytes({0x48, 0xc1, 0xe0, 32, 0x48, 0x0d});  // shl $32, %rax; or $number, %rax
    code.Word32(static_cast<std::uint32_t>(request.number));
    ContinueAt(code, request.report);
  }
  stub.unknown = code.bytes().size();
  stub.after_unknown = stub.unknown;
  if (shape.path) {
    unknown.Land(code);
    ReportUnknown(code, request, misses);
    stub.after_unknown = make_call();
    code.Bytes({0xe9});  // jmp
    code.Distance(request.address + stub.reports);
  }
  stub.missed = code.bytes().size();
  misses.Land(code);
  LoadNumber(code, request.number);
  ContinueAt(code, request.site);
  stub.bytes = std::move(code.bytes());
  return stub;
}

std::vector<std::uint8_t> WriteReport(std::uint64_t site) {
  MachineCode code(0);
  code.Bytes({0x0f, 0x05});
  ContinueAt(code, site + kCallBytes);
  return std::move(code.bytes());
}

std::vector<std::uint8_t> WriteChoice(std::uint64_t address, std::span<const NumberedStub> stubs,
                                      std::uint64_t site) {
  MachineCode code(address);
  for (const NumberedStub& stub : stubs) {
    code.Bytes({0x3d});  // cmp $number, %eax
    code.Word32(static_cast<std::uint32_t>(stub.number));
    code.Bytes({0x0f, 0x84});  // je stub
    code.Distance(stub.address);
  }
  code.JumpFar(site);
  return std::move(code.bytes());
}

}  // namespace cordon
