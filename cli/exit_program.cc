#include "cli/exit_program.h"

#include <elf.h>

#include <optional>
#include <string_view>

#include "model/architecture.h"

namespace cordon::cli {
namespace {

template <typename Value>
void Append(std::string& bytes, const Value& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct MachineCode {
  Elf64_Half machine = EM_NONE;
  std::string instructions;
};

std::string Words(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const std::uint32_t word : words) {
    Append(bytes, word);
  }
  return bytes;
}

std::optional<MachineCode> ExitGroup(std::uint8_t status) {
  switch (NativeArchitecture()) {
    case Architecture::kX86_64:
      return MachineCode{EM_X86_64,
                         std::string("\xb8\xe7\0\0\0\xbf", 6) +  // mov $231, %eax; mov $status,
                             static_cast<char>(status) +         // %edi; syscall
                             std::string("\0\0\0\x0f\x05", 5)};
    case Architecture::kAarch64:
      // mov x0, #status; mov x8, #94; svc #0
      return MachineCode{EM_AARCH64, Words({0xd2800000U | (std::uint32_t{status} << 5U),
                                            0xd2800bc8U, 0xd4000001U})};
    default:
      return std::nullopt;
  }
}

std::optional<MachineCode> PollForEver() {
  switch (NativeArchitecture()) {
    case Architecture::kX86_64:
      // 1: xor %edi, %edi; xor %esi, %esi; xor %edx, %edx; xor %r10d, %r10d; mov $271, %eax;
      // syscall; jmp 1b
      return MachineCode{EM_X86_64,
                         std::string("\x31\xff\x31\xf6\x31\xd2\x45\x31\xd2\xb8\x0f\x01\0\0\x0f\x05"
                                     "\xeb\xee",
                                     18)};
    case Architecture::kAarch64:
      // 1: mov x0, #0; mov x1, #0; mov x2, #0; mov x3, #0; mov x8, #73; svc #0; b 1b
      return MachineCode{EM_AARCH64, Words({0xd2800000U, 0xd2800001U, 0xd2800002U, 0xd2800003U,
                                            0xd2800928U, 0xd4000001U, 0x17fffffaU})};
    default:
      return std::nullopt;
  }
}

Expected<std::string> Executable(const std::optional<MachineCode>& code) {
  if (!code) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "no program for this architecture is known that makes one call only"));
  }
  constexpr std::uint64_t kBase = 0x400000;
  constexpr std::uint64_t kPage = 0x10000;  // the largest that these architectures have
  const std::uint64_t start = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  Elf64_Ehdr header{};
  for (std::size_t i = 0; const char byte : std::string_view(ELFMAG, SELFMAG)) {
    header.e_ident[i++] = static_cast<unsigned char>(byte);
  }
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = code->machine;
  header.e_version = EV_CURRENT;
  header.e_entry = kBase + start;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = kBase;
  segment.p_paddr = kBase;
  segment.p_filesz = start + code->instructions.size();
  segment.p_memsz = segment.p_filesz;
  segment.p_align = kPage;
  std::string bytes;
  Append(bytes, header);
  Append(bytes, segment);
  return bytes + code->instructions;
}

}  // namespace

Expected<std::string> ExitProgram(std::uint8_t status) {
  return Executable(ExitGroup(status));
}

Expected<std::string> WaitProgram() {
  return Executable(PollForEver());
}

}  // namespace cordon::cli
