import { printable, printableJson } from "../codec/printable.ts";

/**
 * What a line of a node's log tells of, for programs that read it: docs/OPERATIONS.md has a row for each.
 * A word keeps its meaning, and may be relied on.
 */
export const LOG_EVENTS = [
  // The node itself.
  "start",
  "journal_repaired",
  "epoch",
  "listening",
  "accept_failed",
  "operator_unreachable",
  "account_changed",
  "compacted",
  "compaction_failed",
  "retention",
  "certificates_renewed",
  "certificates_refused",
  "stopping",
  "failed",
  "bug",
  // Other nodes.
  "peer_connected",
  "peer_lost",
  "peer_unreachable",
  "peer_refused",
  "refused_by_peer",
  // Who uses it.
  "sign_in",
  "sign_in_failed",
  "sign_out",
  "refused",
  "turned_away",
  "tls_failed",
  "hung_up",
  "slowed_down",
  "more",
] as const;

export type LogEvent = (typeof LOG_EVENTS)[number];

/** What a line tells programs besides its sentence. Nothing here may be a secret, or what somebody wrote. */
export interface LogFacts {
  readonly event: LogEvent;
  /** The name of an account that exists: of a sign-in that failed, the one that was tried. */
  readonly user?: string | undefined;
  /** Where it came from: an IP address. */
  readonly address?: string | undefined;
  /** Another node's name, or what somebody claims to be one. */
  readonly node?: string | undefined;
  /** By what somebody signed in, or what the operator did with an account. */
  readonly how?: string | undefined;
  /** The kind of request that was refused. */
  readonly request?: string | undefined;
  /** The code of a refusal. */
  readonly code?: string | undefined;
  /** Which limit of the configuration was reached. */
  readonly limit?: string | undefined;
  /** Which event there was more of than has lines. */
  readonly of?: LogEvent | undefined;
  readonly count?: number | undefined;
  readonly reason?: string | undefined;
}

/** Takes a line for the operator: a sentence, and what programs may want to know of it. */
export type Log = (sentence: string, facts: LogFacts) => void;

export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Longest line, in bytes of UTF-8 without its newline. */
export const LOG_LINE_BYTES_MAX = 4096;
/** Longest value of a fact, in UTF-16 units: names are shorter. */
const VALUE_UNITS_MAX = 256;

/** The order of facts in a line: one written as it likes would be found by no pattern. */
const FACT_ORDER = [
  ...["event", "user", "address", "node", "how", "request"],
  ...["code", "limit", "of", "count", "reason"],
] as const satisfies readonly (keyof LogFacts)[];

/**
 * A log of one line for each thing that happened: whatever is in a name or another node's words, it adds
 * no line, and nothing in it moves a terminal. `write` takes lines without their newlines, `wallMs` is ms
 * since 1970.
 */
export function logTo(
  format: LogFormat,
  write: (line: string) => void,
  wallMs: () => number,
): Log {
  const lineOf = { text: textLine, json: jsonLine }[format];
  return (sentence, facts) => write(fitting((units) => lineOf(sentence, facts, units, wallMs())));
}

/** For people; one that has nothing but its sentence is without facts. */
function textLine(sentence: string, facts: LogFacts, unitsMax: number): string {
  const told = cut(sentence, unitsMax);
  const present = presentFacts(facts, unitsMax);
  const shown = present.length === 1 ? [] : present.map(([name, value]) => {
    return ` ${name}=${isPlain(String(value)) ? value : printableJson(value)}`;
  });
  return printable(`chat: ${told}${shown.join("")}`);
}

/** One object a line, in which all characters are what they were to every parser. */
function jsonLine(sentence: string, facts: LogFacts, unitsMax: number, nowMs: number): string {
  const [event, ...others] = presentFacts(facts, unitsMax);
  const time = new Date(nowMs).toISOString();
  const entries = [event, ["message", cut(sentence, unitsMax)], ...others];
  return printableJson({ time, ...Object.fromEntries(entries.filter((one) => one !== undefined)) });
}

function presentFacts(facts: LogFacts, unitsMax: number): [string, string | number][] {
  return FACT_ORDER.flatMap((name) => {
    const value = facts[name];
    if (value === undefined) return [];
    return [[name, typeof value === "number" ? value : cut(value, VALUE_UNITS_MAX, unitsMax)]];
  });
}

/** The line with as much of its texts as a line may have. */
function fitting(lineWith: (unitsMax: number) => string): string {
  for (let unitsMax = LOG_LINE_BYTES_MAX;; unitsMax = Math.floor(unitsMax / 2)) {
    const line = lineWith(unitsMax);
    if (bytesOf(line) <= LOG_LINE_BYTES_MAX || unitsMax === 0) return line;
  }
}

function bytesOf(line: string): number {
  return new TextEncoder().encode(line).length;
}

function cut(text: string, ...unitsMax: readonly number[]): string {
  const most = Math.min(...unitsMax);
  return text.length <= most ? text : `${text.slice(0, most)}…`.toWellFormed();
}

/** Whether a value needs no quotes to be read as one. */
function isPlain(value: string): boolean {
  return /^[\p{L}\p{M}\p{N}_.:@~+/%[\]-]+$/u.test(value);
}
