/** What can be typed into an interactive client besides messages. */
interface SlashRow {
  /** What follows the name, as /help shows it. */
  readonly operands: string;
  readonly help: string;
  /** What the operand is, where that can be completed. */
  readonly completes?: "name";
  /** Of one kind of client only. */
  readonly only?: "lines";
}

/** Every slash command, once: for /help, for completion, and to be handled by each client. */
export const SLASH_COMMANDS = {
  help: { operands: "", help: "shows this" },
  msg: { operands: "NAME [TEXT]", help: "opens a conversation, and sends TEXT", completes: "name" },
  users: {
    operands: "[PATTERN]",
    help: "lists people, such as /users al*",
    completes: "name",
  },
  search: { operands: "WORDS", help: "finds messages that hold all of these words" },
  history: {
    operands: "[N]",
    help: "shows the newest N messages of the conversation",
    only: "lines",
  },
  read: { operands: "", help: "marks all of the conversation as read", only: "lines" },
  delete: { operands: "[N]", help: "deletes a message for both sides" },
  close: { operands: "", help: "leaves the conversation" },
  password: { operands: "", help: "changes your password" },
  "delete-account": { operands: "", help: "deletes you and all your messages" },
  status: { operands: "", help: "tells how the nodes are" },
  quit: { operands: "", help: "leaves" },
} as const satisfies Record<string, SlashRow>;

export type SlashName = keyof typeof SLASH_COMMANDS;
/** Those of a client that is no line client. */
export type ScreenSlashName = {
  [K in SlashName]: (typeof SLASH_COMMANDS)[K] extends { only: "lines" } ? never : K;
}[SlashName];

export type ClientKind = "lines" | "screen";

/** A slash command as it was typed. */
export interface SlashLine {
  /** Without the slash. */
  readonly given: string;
  /** What follows it. */
  readonly text: string;
}

/** Reads a line as a slash command; undefined if it is a message. */
export function parseSlash(line: string): SlashLine | undefined {
  if (!line.startsWith("/") || line.startsWith("//")) return undefined;
  const [, given = "", text = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  return { given, text: text.trim() };
}

/** The message that a line is: two slashes at its beginning are one. */
export function messageOf(line: string): string {
  return line.startsWith("//") ? line.slice(1) : line;
}

/** The names of the commands of this kind of client, without slashes. */
export function slashNames(kind: "lines"): readonly SlashName[];
export function slashNames(kind: "screen"): readonly ScreenSlashName[];
export function slashNames(kind: ClientKind): readonly SlashName[] {
  const rows: [string, SlashRow][] = Object.entries(SLASH_COMMANDS);
  return rows
    .filter(([, { only }]) => only === undefined || only === kind)
    .map(([name]) => name as SlashName);
}

/** A line of /help for each command. */
export function slashHelp(kind: ClientKind): string[] {
  const names = kind === "lines" ? slashNames("lines") : slashNames("screen");
  return names.map((name) => {
    const { operands, help } = SLASH_COMMANDS[name];
    return `${`/${name} ${operands}`.padEnd(20)}  ${help}`;
  });
}

/** What to say to a command that there is not. */
export function noSuchSlash(given: string): string {
  return `There is no /${given}: /help lists the commands, // sends a slash`;
}
