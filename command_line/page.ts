import { type NamedOption, type Operands, optionText } from "./option.ts";

/** Something that is typed as it stands, and what comes of it. A test types it. */
export interface Example {
  readonly command: string;
  readonly explains: string;
}

/** What something is called, and what it is. */
export type Item = readonly [what: string, means: string];

/** What a command's own row says for its page. */
export interface Described {
  /** A sentence. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly examples: readonly Example[];
  /** Exit codes that mean more than they mean of every command. */
  readonly exits?: readonly Item[];
  /** Other commands, and pages of the documentation. */
  readonly seeAlso: readonly string[];
}

/** A command, as its manual page and the shells' completion tell of it. */
export interface Page extends Described {
  /** One word, or two: `log verify`. */
  readonly name: string;
  readonly operands?: Operands;
  readonly options: readonly NamedOption[];
  /** Exit codes, in order. */
  readonly exitStatus: readonly Item[];
  readonly files?: readonly Item[];
  readonly environment?: readonly Item[];
}

/** In columns. */
export const PAGE_WIDTH = 80;
const INDENT = "    ";

/** The manual page, as plain text of at most 80 columns. */
export function renderPage(page: Page): string {
  const { files = [], environment = [] } = page;
  const sections: [title: string, lines: string[]][] = [
    ["NAME", wrap(`chat ${page.name} - ${page.summary}`, INDENT)],
    ["SYNOPSIS", usagesOf(page).map((usage) => INDENT + usage)],
    ["DESCRIPTION", paragraphs(page.description)],
    [
      "OPTIONS",
      items(page.options.map((option) => [optionText(option), sentence(option.row.help)])),
    ],
    ["EXAMPLES", items(page.examples.map(({ command, explains }) => [command, explains]))],
    ["EXIT STATUS", items(page.exitStatus)],
    ["FILES", items(files)],
    ["ENVIRONMENT", items(environment)],
    ["SEE ALSO", wrap(page.seeAlso.join(", "), INDENT)],
  ];
  return sections.filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `${title}\n${lines.map((line) => `${line}\n`).join("")}`)
    .join("\n");
}

/** `chat send [options] TO [TEXT…]`, for each way there is. */
export function usagesOf({ name, operands }: Pick<Page, "name" | "operands">): string[] {
  return [operands?.usage ?? ""].flat().map((usage) => `chat ${name} [options] ${usage}`.trimEnd());
}

/** What is said of a wrong command line, after what is wrong with it. */
export function usageText(command: Pick<Page, "name" | "operands">): string {
  const [first = "", ...others] = usagesOf(command);
  return [
    `usage: ${first}`,
    ...others.map((usage) => `       ${usage}`),
    `chat help ${command.name} tells more`,
  ].join("\n");
}

/** Exit codes, those of `own` instead of those of `common` where both have one. */
export function exitStatusOf(common: readonly Item[], own: readonly Item[] = []): Item[] {
  return [...new Map([...common, ...own])].sort(([a], [b]) => Number(a) - Number(b));
}

/** Text as lines of whole words. */
export function wrap(text: string, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? indent + word : `${line} ${word}`;
    if (line !== "" && [...longer].length > PAGE_WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return line.trim() === "" ? lines : [...lines, line];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, at) => [...at === 0 ? [] : [""], ...wrap(text, INDENT)]);
}

function items(rows: readonly Item[]): string[] {
  return rows.flatMap(([what, means]) => {
    const lines = wrap(means, INDENT + INDENT);
    // Short enough to stand before what it means, as exit codes do.
    if (what.length >= INDENT.length) return [INDENT + what, ...lines];
    const [first = "", ...others] = lines;
    return [`${INDENT}${what.padEnd(INDENT.length)}${first.trimStart()}`, ...others];
  });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
