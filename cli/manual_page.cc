#include "cli/manual_page.h"

#include <fmt/format.h>

#include <cctype>
#include <vector>

#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
0
Done, or the answer is yes.
.TP
1
The answer is no.
.TP
2
Wrong usage, or input that is malformed, unreadable or missing.
.TP
125
cordon itself could not do it.
)";

constexpr std::string_view kExitStatusOfWorkload = R"(.SH EXIT STATUS
That of the command; 128 + N when signal N killed it, 127 when it was not found, 126 when it could not be executed, 125 when cordon
itself could not do it, 2 for wrong usage.
)";

constexpr std::string_view kEllipsis = "\u2026";

/// `text` so that troff(1), which reads no UTF-8, shows it as it is.
std::string Roff(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (text.substr(at).starts_with(kEllipsis)) {
      out += "\\|.\\|.\\|.";
      at += kEllipsis.size() - 1;
      continue;
    }
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '.' && (out.empty() || out.back() == '\n')) {
      out += "\\&.";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string Title(std::string_view page) {
  return fmt::format(".TH {} 1 \"\" \"cordon {}\" \"cordon\"\n", Upper(page), CORDON_VERSION);
}

std::string Tagged(const ArgumentShape& argument) {
  std::vector<std::string> names;
  names.reserve(argument.names.size());
  for (const std::string& name : argument.names) {
    names.push_back("\\fB" + Roff(name) + "\\fR");
  }
  std::string tag = Join(names, ", ");
  if (!argument.value.empty()) {
    tag += " \\fI" + Roff(argument.value) + "\\fR";
  }
  return fmt::format(".TP\n{}\n{}.\n", tag, Roff(argument.description));
}

std::string Synopsis(const CommandShape& command) {
  std::string out = fmt::format(".SH SYNOPSIS\n.B cordon {}\n[\\fIOPTION\\fR]...", command.name);
  for (const ArgumentShape& positional : command.positionals) {
    const std::string name =
        fmt::format("\\fI{}\\fR{}", Roff(positional.value), positional.repeats ? "..." : "");
    out += positional.required ? " " + name : " [" + name + "]";
  }
  return out +
         (command.runs_a_command ? " [\\-\\-] \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n" : "\n");
}

}  // namespace

std::string ManualPage(const CommandShape& command, std::string_view sections) {
  std::string out = Title("cordon-" + command.name);
  out +=
      fmt::format(".SH NAME\ncordon\\-{} \\- {}\n", Roff(command.name), Roff(command.description));
  out += Synopsis(command);
  out += sections;
  out += ".SH OPTIONS\n";
  for (const ArgumentShape& option : command.options) {
    out += Tagged(option);
  }
  out += command.exit_status == ExitStatusMeaning::kWorkload ? kExitStatusOfWorkload : kExitStatus;
  return out + ".SH SEE ALSO\n.BR cordon (1)\n";
}

std::string ManualPage(std::span<const CommandShape> commands, std::string_view sections) {
  std::string out = Title("cordon");
  out +=
      ".SH NAME\ncordon \\- learn what a workload does, and hold it to that\n"
      ".SH SYNOPSIS\n.B cordon\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n";
  out += sections;
  out += ".SH COMMANDS\n";
  for (const CommandShape& command : commands) {
    out += fmt::format(".TP\n.BR cordon\\-{} (1)\n{}.\n", Roff(command.name),
                       Roff(command.description));
  }
  out += kExitStatus;
  return out + ".SH SEE ALSO\n.BR cordon\\-recording (5)\n";
}

}  // namespace cordon::cli
