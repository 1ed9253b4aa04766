import {
  type Candidates,
  candidatesOf,
  type Completable,
  firstWords,
  operandsOf,
  secondWords,
} from "./completable.ts";

/** For bash from 3.2 on, as macOS has it: no associative arrays, no mapfile. */
export function bashScript(commands: readonly Completable[]): string {
  return `# Completes chat's command line in bash: source <(chat completion bash)
_chat() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[1]} first=2 candidates= word
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${
    firstWords(commands).map(([word]) => word).join(" ")
  }' -- "$current"))
    return
  fi
  case $command in
${[...secondWords(commands)].map(secondWord).join("\n")}
  esac
  # Bash cuts --color=never into three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  # What stands after -- is no option.
  for word in "\${COMP_WORDS[@]:first:COMP_CWORD - first}"; do
    [[ $word == -- ]] && first=0
  done
  if ((first > 0)); then
    case "$command $previous" in
${valueCases(commands)}
    esac
    if [[ -z $candidates && $current == -* ]]; then
      case $command in
${commands.filter(({ options }) => options.length > 0).map(optionsCase).join("\n")}
      esac
    fi
  fi
  if [[ -z $candidates ]]; then
    case $command in
${commands.filter((one) => operandsOf(one) !== "none").map(operandsCase).join("\n")}
    esac
  fi
  case $candidates in
    none | '') ;;
    file | directory)
      local IFS=$'\\n'
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -\${candidates:0:1} -- "$current"))
      ;;
    *) COMPREPLY=($(compgen -W "$candidates" -- "$current")) ;;
  esac
}
complete -F _chat chat
`;
}

function secondWord([first, seconds]: [string, { readonly word: string }[]]): string {
  return `    ${first})
      if ((COMP_CWORD == 2)); then
        COMPREPLY=($(compgen -W '${seconds.map(({ word }) => word).join(" ")}' -- "$current"))
        return
      fi
      command="${first} \${COMP_WORDS[2]}" first=3
      ;;`;
}

/** `"send --color" | "inbox --color") candidates='auto always never' ;;` for all that is alike. */
function valueCases(commands: readonly Completable[]): string {
  const places = new Map<string, string[]>();
  for (const command of commands) {
    for (const { name, row } of command.options) {
      const candidates = candidatesOf(row);
      if (candidates === undefined) continue;
      const text = textOf(candidates);
      places.set(text, [...places.get(text) ?? [], `"${command.name} --${name}"`]);
    }
  }
  return [...places].map(([text, patterns]) =>
    `      ${patterns.join(" | \\\n        ")}) candidates='${text}' ;;`
  ).join("\n");
}

function optionsCase({ name, options }: Completable): string {
  const names = options.map((option) => `--${option.name}`).join(" ");
  return `        "${name}") candidates='${names}' ;;`;
}

function operandsCase(command: Completable): string {
  return `      "${command.name}") candidates='${textOf(operandsOf(command))}' ;;`;
}

/** One of the words `file`, `directory`, `none`, or all the words. */
function textOf(candidates: Candidates): string {
  return typeof candidates === "string" ? candidates : candidates.join(" ");
}
