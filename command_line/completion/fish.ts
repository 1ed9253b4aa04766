import type { NamedOption } from "../option.ts";
import {
  type Candidates,
  candidatesOf,
  type Completable,
  firstWords,
  operandsOf,
  secondWords,
} from "./completable.ts";

/** To be sourced, or kept as `chat.fish` in a directory of `fish_complete_path`. */
export function fishScript(commands: readonly Completable[]): string {
  const lines = [
    ...firstWords(commands).map(([word, summary]) => line("__chat_words_are 0", word, summary)),
    ...[...secondWords(commands)].flatMap(([first, seconds]) =>
      seconds.map(({ word, summary }) =>
        line(`__chat_words_are 1; and __chat_begins ${first}`, word, summary)
      )
    ),
    ...commands.flatMap((command) => [
      ...command.options.map((option) => optionLine(command, option)),
      ...operandLine(command),
    ]),
  ];
  return `# Completes chat's command line in fish: chat completion fish | source
function __chat_words_are --description 'Whether so many words stand between chat and the cursor'
    test (count (commandline -opc)) -eq (math $argv[1] + 1)
end
function __chat_begins --description 'Whether the words after chat begin with these'
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end
complete -c chat -e
complete -c chat -f
${lines.join("\n")}
`;
}

function line(condition: string, words: string, description: string): string {
  return `complete -c chat -n ${quoted(condition)} -a ${quoted(words)} -d ${quoted(description)}`;
}

function optionLine({ name }: Completable, option: NamedOption): string {
  const candidates = candidatesOf(option.row);
  const value = candidates === undefined ? "" : ` ${flagsFor(candidates, "-r")}`;
  return `complete -c chat -n ${quoted(`__chat_begins ${name}`)} -l ${option.name}${value} ` +
    `-d ${quoted(option.row.help)}`;
}

function operandLine(command: Completable): string[] {
  const candidates = operandsOf(command);
  if (candidates === "none") return [];
  const condition = typeof candidates === "string"
    ? `__chat_begins ${command.name}`
    : `__chat_begins ${command.name}; and __chat_words_are 1`;
  return [`complete -c chat -n ${quoted(condition)} ${flagsFor(candidates, "")}`.trimEnd()];
}

/** `required` says that there has to be a value. */
function flagsFor(candidates: Candidates, required: "-r" | ""): string {
  switch (candidates) {
    case "none":
      return "-x";
    case "file":
      return `${required} -F`.trim();
    case "directory":
      return `${required} -f -a '(__fish_complete_directories)'`.trim();
    default:
      return `${required} -f -a ${quoted(candidates.map(argument).join(" "))}`.trim();
  }
}

/** A word of what `-a` evaluates. */
function argument(word: string): string {
  return word.includes(" ") ? `"${word}"` : word;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}
