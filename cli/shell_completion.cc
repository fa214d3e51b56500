#include "cli/shell_completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr std::string_view kSandboxes = "$(cordon list --all --quiet 2>/dev/null)";

std::string Replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(what)) {
      out += by;
      at += what.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// The first sentence, which fits beside a name.
std::string_view Short(std::string_view description) {
  return description.substr(0, std::min(description.find(": "), description.find("; ")));
}

// --- bash ---

std::string BashWords(const ArgumentShape& argument) {
  switch (argument.kind) {
    case ValueKind::kChoice:
      return "compgen -W '" + Join(argument.choices, " ") + "' -- \"$word\"";
    case ValueKind::kFile:
      return "compgen -f -- \"$word\"";
    case ValueKind::kDirectory:
      return "compgen -d -- \"$word\"";
    case ValueKind::kSandbox:
      return fmt::format("compgen -W \"{}\" -- \"$word\"", kSandboxes);
    case ValueKind::kNone:
    case ValueKind::kText:
      return "true";
  }
  return "true";
}

std::string BashOptions(const CommandShape& command) {
  std::vector<std::string> names;
  for (const ArgumentShape& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return Join(names, " ");
}

// --- zsh ---

/// Text of a description in brackets within single quotes.
std::string ZshText(std::string_view text) {
  std::string out = Replaced(text, "'", "'\\''");
  for (const std::string_view special : {"[", "]", ":"}) {
    out = Replaced(out, special, "\\" + std::string(special));
  }
  return out;
}

std::string ZshAction(const ArgumentShape& argument) {
  switch (argument.kind) {
    case ValueKind::kChoice:
      return "(" + Replaced(Join(argument.choices, " "), ":", "\\:") + ")";
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kDirectory:
      return "_files -/";
    case ValueKind::kSandbox:
      return fmt::format("({})", kSandboxes);
    case ValueKind::kNone:
    case ValueKind::kText:
      return " ";
  }
  return " ";
}

/// What is in it is for zsh to replace only where a command is run.
std::string ZshQuoted(const std::string& specification, ValueKind kind) {
  return kind == ValueKind::kSandbox ? "\"" + specification + "\"" : "'" + specification + "'";
}

std::string ZshOption(const ArgumentShape& option) {
  std::string out;
  for (const std::string& name : option.names) {
    std::string specification = fmt::format("*{}[{}]", name, ZshText(Short(option.description)));
    if (option.kind != ValueKind::kNone) {
      specification += fmt::format(":{}:{}", ZshText(option.value), ZshAction(option));
    }
    out += " \\\n        " + ZshQuoted(specification, option.kind);
  }
  return out;
}

// --- fish ---

std::string FishQuoted(std::string_view text) {
  return "'" + Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string FishValue(const ArgumentShape& argument) {
  switch (argument.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kChoice:
      return " -x -a " + FishQuoted(Join(argument.choices, " "));
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kDirectory:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kSandbox:
      return " -x -a '(cordon list --all --quiet 2>/dev/null)'";
    case ValueKind::kText:
      return " -x";
  }
  return "";
}

}  // namespace

std::string BashCompletion(std::span<const CommandShape> commands) {
  std::vector<std::string> names;
  std::string values;
  std::string options;
  std::string positionals;
  std::vector<std::string> running;
  for (const CommandShape& command : commands) {
    names.push_back(command.name);
    options += fmt::format("      {}) words='{}' ;;\n", command.name, BashOptions(command));
    if (command.runs_a_command) {
      running.push_back(command.name);
    }
    for (const ArgumentShape& option : command.options) {
      if (option.kind == ValueKind::kNone) {
        continue;
      }
      std::vector<std::string> patterns;
      patterns.reserve(option.names.size());
      for (const std::string& name : option.names) {
        patterns.push_back(command.name + ":" + name);
      }
      values += fmt::format("    {}) mapfile -t COMPREPLY < <({}); return ;;\n",
                            Join(patterns, " | "), BashWords(option));
    }
    if (!command.positionals.empty() && command.positionals.front().kind != ValueKind::kText) {
      positionals += fmt::format("    {}) mapfile -t COMPREPLY < <({}) ;;\n", command.name,
                                 BashWords(command.positionals.front()));
    }
  }
  return fmt::format(R"(# bash completion for cordon; written by: cordon completion bash
_cordon() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ -z $command && ${{COMP_WORDS[i]}} != -* ]]; then
      command=${{COMP_WORDS[i]}}
    elif [[ ${{COMP_WORDS[i]}} == -- ]]; then
      case $command in
        {})
          if ((i + 1 == COMP_CWORD)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$word")
          else
            compopt -o default
          fi
          return
          ;;
      esac
    fi
  done
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- "$word")
    return
  fi
  compopt -o filenames 2>/dev/null
  case $command:$before in
{}  esac
  if [[ $word == -* ]]; then
    compopt +o filenames 2>/dev/null
    case $command in
{}    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    return
  fi
  case $command in
{}  esac
}}
complete -F _cordon cordon
)",
                     Join(running, " | "), Join(names, " "), values, options, positionals);
}

std::string ZshCompletion(std::span<const CommandShape> commands) {
  std::string described;
  std::string arguments;
  for (const CommandShape& command : commands) {
    described += fmt::format("    '{}:{}'\n", command.name, ZshText(Short(command.description)));
    arguments += fmt::format("    {})\n      _arguments", command.name);
    for (const ArgumentShape& option : command.options) {
      arguments += ZshOption(option);
    }
    for (const ArgumentShape& positional : command.positionals) {
      const std::string specification = fmt::format("{}:{}:{}", positional.repeats ? "*" : "",
                                                    positional.value, ZshAction(positional));
      arguments += " \\\n        " + ZshQuoted(specification, positional.kind);
    }
    arguments +=
        command.runs_a_command ? " \\\n        '*::command:_normal'\n      ;;\n" : "\n      ;;\n";
  }
  return fmt::format(R"(#compdef cordon
# zsh completion for cordon; written by: cordon completion zsh
_cordon() {{
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
{}  )
  _arguments -C '(- *)--help[help]' '(- *)--version[version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) _cordon_argument ;;
  esac
}}
_cordon_argument() {{
  case $words[1] in
{}  esac
}}
_cordon "$@"
)",
                     described, arguments);
}

std::string FishCompletion(std::span<const CommandShape> commands) {
  std::string out =
      "# fish completion for cordon; written by: cordon completion fish\n"
      "complete -c cordon -f\n"
      "complete -c cordon -n __fish_use_subcommand -l version -d version\n";
  for (const CommandShape& command : commands) {
    out += fmt::format("complete -c cordon -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       FishQuoted(Short(command.description)));
    const std::string seen = fmt::format("'__fish_seen_subcommand_from {}'", command.name);
    for (const ArgumentShape& option : command.options) {
      out += fmt::format("complete -c cordon -n {}", seen);
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out += fmt::format("{} -d {}\n", FishValue(option), FishQuoted(Short(option.description)));
    }
    for (const ArgumentShape& positional : command.positionals) {
      if (positional.kind == ValueKind::kFile) {
        out += fmt::format("complete -c cordon -n {} -F\n", seen);
      } else if (positional.kind == ValueKind::kSandbox) {
        out += fmt::format("complete -c cordon -n {}{}\n", seen, FishValue(positional));
      }
    }
    if (command.runs_a_command) {
      out += fmt::format("complete -c cordon -n {} -a '(__fish_complete_subcommand)'\n", seen);
    }
  }
  return out;
}

}  // namespace cordon::cli
