/**
 * Prints what a state takes per message and how long its pauses are, with every read and every
 * delete an operation of its own:
 * `deno task bench:memory [MESSAGES [CONTENT_BYTES [READ_PERCENT [DELETED_PERCENT]]]]`.
 *
 * Heap, external and RSS are what was added since before the first message, after a full collection.
 * Add `trace-gc` to the task's V8 flags to see every collection.
 */

import { apply } from "./apply.ts";
import { messageIdOf } from "./message_id.ts";
import type { MessageId, Operation } from "./operation.ts";
import { ChatState } from "./state.ts";

const ACCOUNTS = 1000;
/** Every account writes to this many others. */
const FRIENDS = 20;
/** Messages that come between one and its read, and ten times as many before its delete. */
const LAG = 100;

const text = new TextEncoder();
const bytes = new TextDecoder();

interface Load {
  readonly messages: number;
  readonly contentBytes: number;
  readonly readPercent: number;
  readonly deletedPercent: number;
}

if (import.meta.main) {
  const [messages = 1_000_000, contentBytes = 100, readPercent = 50, deletedPercent = 20] = Deno
    .args.map(Number);
  measure({ messages, contentBytes, readPercent, deletedPercent });
}

function measure(load: Load): void {
  const before = usage();
  const { state, operations, elapsedMs, pauses } = filled(load);
  const highestRss = Deno.memoryUsage().rss;
  const after = usage();
  const textBytes = state.messages.presentCount * load.contentBytes;
  console.log(
    `${load.messages} messages of ${load.contentBytes} bytes, ${load.readPercent} % read, ` +
      `${load.deletedPercent} % deleted; ${ACCOUNTS} accounts, ${FRIENDS} friends each`,
  );
  const perMessage = (bytes: number) => `${(bytes / load.messages).toFixed(0)} B per message`;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`.padStart(10);
  for (const part of ["heapUsed", "external", "rss"] as const) {
    const bytes = after[part] - before[part];
    console.log(`  ${part.padEnd(18)}${mib(bytes)}, ${perMessage(bytes)}`);
  }
  console.log(`  text              ${mib(textBytes)}, ${perMessage(textBytes)}`);
  const besides = after.rss - before.rss - textBytes;
  console.log(`  rss besides text  ${mib(besides)}, ${perMessage(besides)}`);
  console.log(`  rss before last gc${mib(highestRss)}`);
  console.log(`  apply             ${(elapsedMs / operations * 1000).toFixed(2)} µs per operation`);
  console.log(
    `  pauses            ${Math.max(...pauses).toFixed(0)} ms the longest, ` +
      `${pauses.length} of over 1 ms, ${pauses.reduce((sum, ms) => sum + ms, 0).toFixed(0)} ms all`,
  );
  collect();
  const startMs = performance.now();
  collect();
  console.log(`  full collection   ${(performance.now() - startMs).toFixed(0)} ms`);
  console.log(`  digest            ${state.digest}`);
}

/** A pause is an `apply` of over 1 ms: growth, or a collection during it. */
function filled({ messages, contentBytes, readPercent, deletedPercent }: Load) {
  const state = new ChatState();
  const pauses: number[] = [0];
  let seq = 0;
  let elapsedMs = 0;
  const applyNext = (fact: FactOf<Operation>) => {
    seq++;
    const at = { timeMs: 1_700_000_000_000 + seq, tick: 0, origin: "node1.e1", seq };
    const operation: Operation = { ...fact, ...at };
    const startMs = performance.now();
    apply(state, operation);
    const tookMs = performance.now() - startMs;
    elapsedMs += tookMs;
    if (tookMs > 1) pauses.push(tookMs);
  };
  for (let index = 0; index < messages + LAG * 10; index++) {
    if (index < messages) applyNext(messageAt(index, contentBytes));
    const read = index - LAG;
    if (read >= 0 && read < messages && read % 100 < readPercent) {
      applyNext({ kind: "messages_read", ids: [idAt(read)], by: recipientAt(read) });
    }
    const deleted = index - LAG * 10;
    // From the other end, so that some are read and some are not.
    if (deleted >= 0 && 99 - deleted % 100 < deletedPercent) {
      applyNext({ kind: "messages_deleted", ids: [idAt(deleted)], by: senderAt(deleted) });
    }
  }
  return { state, operations: seq, elapsedMs, pauses };
}

type FactOf<O> = O extends Operation ? Omit<O, "timeMs" | "tick" | "origin" | "seq"> : never;

function messageAt(index: number, contentBytes: number): FactOf<Operation> {
  return {
    kind: "message_sent",
    id: idAt(index),
    sender: "alice",
    recipient: "bob",
    recipientAccount: recipientAt(index),
    // Decoded anew, as from a journal: a string of its own for every message.
    content: bytes.decode(text.encode(String(index).padEnd(contentBytes, "."))),
  };
}

function idAt(index: number): MessageId {
  // Spread over all their bits, as random ones would be, and the same for read and delete.
  const hex = [1, 2, 3, 4].map((lane) =>
    (Math.imul(index + 1, 0x9e3779b1 * lane) >>> 0).toString(16).padStart(8, "0")
  ).join("");
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return messageIdOf(senderAt(index), uuid);
}

function senderAt(index: number): string {
  return accountOf(index % ACCOUNTS);
}

function recipientAt(index: number): string {
  return accountOf(index % ACCOUNTS + 1 + Math.floor(index / ACCOUNTS) % FRIENDS);
}

function accountOf(number: number): string {
  return `account${String(number % ACCOUNTS).padStart(5, "0")}`;
}

function usage(): Deno.MemoryUsage {
  collect();
  return Deno.memoryUsage();
}

function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
