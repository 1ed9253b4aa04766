import { type NamedOption, valueOf } from "../option.ts";
import {
  type Candidates,
  candidatesOf,
  type Completable,
  firstWords,
  operandsOf,
  secondWords,
} from "./completable.ts";

/** To be sourced, or kept as `_chat` in a directory of `fpath`. */
export function zshScript(commands: readonly Completable[]): string {
  return `#compdef chat
# Completes chat's command line in zsh: source <(chat completion zsh), after compinit
_chat() {
  local -a commands
  if ((CURRENT == 2)); then
    commands=(
${firstWords(commands).map(([word, summary]) => `      ${quoted(`${word}:${summary}`)}`).join("\n")}
    )
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${[...secondWords(commands)].map(secondWord).join("\n")}
  esac
  case $command in
${commands.map(argumentsCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _chat ]]; then
  _chat "$@"
else
  compdef _chat chat
fi
`;
}

function secondWord(
  [first, seconds]: [string, { readonly word: string; readonly summary: string }[]],
): string {
  const described = seconds.map(({ word, summary }) => quoted(`${word}:${summary}`)).join(" ");
  return `    ${first})
      if ((CURRENT == 2)); then
        commands=(${described})
        _describe -t commands command commands
        return
      fi
      command="${first} $words[2]"
      shift words
      ((CURRENT--))
      ;;`;
}

function argumentsCase(command: Completable): string {
  const { operands } = command;
  const [usage = ""] = [operands?.usage ?? ""].flat();
  const place = operands?.words === undefined ? "*" : "1";
  const max = operands?.max ?? 0;
  const specs = [
    ...command.options.map(optionSpec),
    ...max === 0 ? [] : [`${place}:${escaped(usage)}:${actionOf(operandsOf(command))}`],
  ];
  const lines = specs.map((spec) => ` \\\n        ${quoted(spec)}`).join("");
  return `    ${quoted(command.name)})\n      _arguments -S${lines}\n      ;;`;
}

function optionSpec({ name, row }: NamedOption): string {
  const help = `[${escaped(row.help)}]`;
  const candidates = candidatesOf(row);
  if (candidates === undefined) return `--${name}${help}`;
  const isRepeatable = "value" in row && row.isRepeatable === true;
  const value = escaped(valueOf(row) ?? "");
  return `${isRepeatable ? "*" : ""}--${name}=${help}:${value}:${actionOf(candidates)}`;
}

function actionOf(candidates: Candidates): string {
  switch (candidates) {
    case "none":
      // Not a space, for a message: with that, an option in the same place would not be completed.
      return "()";
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    default:
      return `(${candidates.map((word) => word.replaceAll(" ", "\\ ")).join(" ")})`;
  }
}

/** For where `_arguments` gives colons and brackets a meaning. */
function escaped(text: string): string {
  return text.replaceAll(/[\\:[\]]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
