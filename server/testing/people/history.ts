import { Findings } from "./findings.ts";

/** What people ask of a server. */
export const OPERATION_KINDS = [
  "send",
  /** With the key of a message that was acknowledged. */
  "repeat",
  /** With the key of one of which it is unknown whether it was stored. */
  "resend",
  "read",
  /** All that one friend has sent. */
  "read all",
  "delete",
  "list",
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** What an acknowledgement said. */
export interface Answer {
  /** Who said so, as far as that is known. */
  readonly node: string | undefined;
  /** On how many nodes the change was durable; undefined if nothing was to be changed. */
  readonly copies?: number;
  /** How many messages were changed, of those that were asked for. */
  readonly count?: number;
  /** Of the message that was sent. */
  readonly id?: string;
}

export type Outcome =
  /** Not answered: so far, or for ever if whoever asked is gone. Also nobody knows what came of it. */
  | { readonly kind: "open" }
  | { readonly kind: "ok"; readonly atMs: number; readonly answer: Answer }
  /** An earlier try of it, whose answer was lost, may have been taken all the same. */
  | { readonly kind: "refused"; readonly atMs: number; readonly why: string }
  | { readonly kind: "unknown"; readonly atMs: number; readonly why: string };

/** One request of one person, from when it was made until its outcome was known. */
export interface Operation {
  readonly kind: OperationKind;
  readonly person: string;
  readonly startMs: number;
  /** What it is about; of "read all" and "list", only the conversation knows. */
  readonly messages: readonly Message[];
  outcome: Outcome;
}

/** What an audit of all nodes has seen of a message. From then on it stays so, or goes on from there. */
export interface Sighting {
  readonly atMs: number;
  readonly node: string;
  readonly id: string;
  readonly isRead: boolean;
}

/** One message that somebody wrote, and all that was asked about it. */
export interface Message {
  readonly sender: string;
  readonly recipient: string;
  readonly key: string;
  /** No other message of the two people has it: so also what was not acknowledged is known again. */
  readonly content: string;
  readonly operations: Operation[];
  /** Once a reply said so; without one it is unknown whether it was stored. */
  id: string | undefined;
  seen: Sighting | undefined;
  /** When, in ms, and by which node an audit was shown that it is deleted. */
  seenGone: { readonly atMs: number; readonly node: string } | undefined;
}

export interface HistoryOptions {
  /** In the cluster. */
  readonly nodes: number;
  /** What is on fewer nodes than this may be lost, because so many disks less one may be. */
  readonly safeCopies: number;
  /** A clock that nobody sets, in ms. */
  readonly nowMs: () => number;
}

/** How often operations of each kind came to each end. */
export type Tally = Record<OperationKind, Record<Outcome["kind"], number>>;

const ENDS: readonly Outcome["kind"][] = ["open", "ok", "refused", "unknown"];

/**
 * Every operation of every person, as invocation and completion, by the conversation it is about:
 * what there may be and must be in the end is explained from that alone (see explain.ts).
 */
export class History {
  readonly findings = new Findings();
  /** How often a change was said to be on so many nodes. */
  readonly copies = new Map<number, number>();
  readonly tally = emptyTally();
  readonly nodes: number;
  readonly safeCopies: number;
  readonly nowMs: () => number;
  readonly #conversations = new Map<string, Conversation>();

  constructor({ nodes, safeCopies, nowMs }: HistoryOptions) {
    this.nodes = nodes;
    this.safeCopies = safeCopies;
    this.nowMs = nowMs;
  }

  /** The same whoever of the two asks. */
  between(a: string, b: string): Conversation {
    const pair = a < b ? `${a} ${b}` : `${b} ${a}`;
    let conversation = this.#conversations.get(pair);
    if (conversation === undefined) {
      conversation = new Conversation();
      this.#conversations.set(pair, conversation);
    }
    return conversation;
  }

  conversations(): Iterable<Conversation> {
    return this.#conversations.values();
  }

  /** Notes a message before it is sent: from then on it may exist. */
  write(written: Pick<Message, "sender" | "recipient" | "key" | "content">): Message {
    const message = { ...written, operations: [], id: undefined, seen: undefined };
    return this.between(written.sender, written.recipient).add({ ...message, seenGone: undefined });
  }

  /** Notes what is asked, before it is. */
  begin(kind: OperationKind, person: string, messages: readonly Message[] = []): Operation {
    const startMs = this.nowMs();
    const operation: Operation = { kind, person, startMs, messages, outcome: { kind: "open" } };
    for (const message of messages) message.operations.push(operation);
    this.tally[kind].open++;
    return operation;
  }

  /** Notes that it was done, and how far. */
  succeed(operation: Operation, answer: Answer): void {
    this.#end(operation, { kind: "ok", atMs: this.nowMs(), answer });
    if (answer.id !== undefined) this.#identify(operation, answer.id);
    if (answer.copies !== undefined) this.#noteCopies(answer.copies, operation);
  }

  refuse(operation: Operation, why: string): void {
    this.#end(operation, { kind: "refused", atMs: this.nowMs(), why });
  }

  /** Notes that nobody will answer any more. */
  giveUp(operation: Operation, why: string): void {
    this.#end(operation, { kind: "unknown", atMs: this.nowMs(), why });
  }

  /** Changes that were acknowledged. */
  get acknowledged(): number {
    return OPERATION_KINDS.filter((kind) => kind !== "list")
      .reduce((sum, kind) => sum + this.tally[kind].ok, 0);
  }

  /** Messages that were written, whether or not they were stored. */
  get written(): number {
    return this.tally.send.ok + this.tally.send.unknown + this.tally.send.open +
      this.tally.send.refused;
  }

  /**
   * Keeps of messages that an audit has seen to be gone nothing but that they are: a campaign's
   * history is longer than its memory.
   */
  forgetGone(): void {
    for (const conversation of this.#conversations.values()) conversation.forgetGone();
  }

  #end(operation: Operation, outcome: Outcome): void {
    const ends = this.tally[operation.kind];
    ends[operation.outcome.kind]--;
    ends[outcome.kind]++;
    operation.outcome = outcome;
  }

  /** The same key again has to be the same message, on whatever node. */
  #identify({ messages: [message] }: Operation, id: string): void {
    if (message === undefined) return;
    const known = message.id ?? message.seen?.id;
    if (known !== undefined && known !== id) {
      const what = `${message.content}: as ${known} and as ${id}`;
      this.findings.report("doubled", `${what}\n${excerpt(message)}`);
    }
    message.id = id;
    this.between(message.sender, message.recipient).identify(message, id);
  }

  #noteCopies(copies: number, { person, kind }: Operation): void {
    this.copies.set(copies, (this.copies.get(copies) ?? 0) + 1);
    if (copies >= 1 && copies <= this.nodes) return;
    this.findings.report("implausible copies", `${kind} by ${person}: on ${copies} nodes`);
  }
}

/** What two people wrote each other. */
export class Conversation {
  /** Each makes read what its person was sent before it ended, as far as its node knew of that. */
  readonly readAlls: Operation[] = [];
  readonly #byContent = new Map<string, Message>();
  readonly #byId = new Map<string, Message>();
  /** Contents of messages of which all else is forgotten. */
  readonly #gone = new Set<string>();

  add(message: Message): Message {
    if (this.knows(message.content)) {
      throw new RangeError(`Cannot tell messages apart: ${message.content} was written before`);
    }
    this.#byContent.set(message.content, message);
    return message;
  }

  identify(message: Message, id: string): void {
    if (this.#byContent.get(message.content) === message) this.#byId.set(id, message);
  }

  /** Those that are not forgotten. */
  messages(): Iterable<Message> {
    return this.#byContent.values();
  }

  withContent(content: string): Message | undefined {
    return this.#byContent.get(content);
  }

  withId(id: string): Message | undefined {
    return this.#byId.get(id);
  }

  /** Whether it was written, and forgotten after an audit saw that it is gone. */
  isForgotten(content: string): boolean {
    return this.#gone.has(content);
  }

  /** Whether it was written at all. */
  knows(content: string): boolean {
    return this.#byContent.has(content) || this.#gone.has(content);
  }

  forgetGone(): void {
    for (const { seenGone, content, id } of this.#byContent.values()) {
      if (seenGone === undefined) continue;
      this.#gone.add(content);
      this.#byContent.delete(content);
      if (id !== undefined) this.#byId.delete(id);
    }
  }
}

/** All that concerns a message, a line each, for whoever looks for what went wrong with it. */
export function excerpt({ content, sender, recipient, ...message }: Message): string {
  const lines = [
    `    ${sender} to ${recipient}, id ${message.id ?? "unknown"}: ${content}`,
    ...message.operations.map((operation) => `    ${describe(operation)}`),
  ];
  const { seen, seenGone } = message;
  if (seen !== undefined) {
    const status = seen.isRead ? "read" : "unread";
    lines.push(`    audit of ${seen.node} at ${inMs(seen.atMs)}: there, ${status}, id ${seen.id}`);
  }
  if (seenGone !== undefined) {
    lines.push(`    audit of ${seenGone.node} at ${inMs(seenGone.atMs)}: gone`);
  }
  return lines.join("\n");
}

/** `delete by bob, 1200 ms to 1210 ms: ok by node2, 1 of 1, on 2 nodes`. */
export function describe({ kind, person, startMs, messages, outcome }: Operation): string {
  const begun = `${kind} by ${person}, ${inMs(startMs)}`;
  switch (outcome.kind) {
    case "open":
      return `${begun}: no answer`;
    case "ok":
      return `${begun} to ${inMs(outcome.atMs)}: ok${describeAnswer(outcome.answer, messages)}`;
    case "refused":
    case "unknown":
      return `${begun} to ${inMs(outcome.atMs)}: ${outcome.kind} (${outcome.why})`;
    default:
      return outcome satisfies never;
  }
}

function describeAnswer(answer: Answer, messages: readonly Message[]): string {
  const { node, copies, count, id } = answer;
  return [
    node === undefined ? "" : ` by ${node}`,
    count === undefined ? "" : `, ${count} of ${messages.length}`,
    copies === undefined ? "" : `, on ${copies} nodes`,
    id === undefined ? "" : `, id ${id}`,
  ].join("");
}

function inMs(ms: number): string {
  return `${Math.round(ms)} ms`;
}

export function sumOfTallies(tallies: Iterable<Tally>): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    for (const kind of OPERATION_KINDS) {
      for (const end of ENDS) sum[kind][end] += tally[kind][end];
    }
  }
  return sum;
}

function emptyTally(): Tally {
  const none = () => ({ open: 0, ok: 0, refused: 0, unknown: 0 });
  return {
    ...{ send: none(), repeat: none(), resend: none(), read: none(), "read all": none() },
    ...{ delete: none(), list: none() },
  };
}
