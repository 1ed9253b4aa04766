import { messageIdOf } from "../core/message_id.ts";
import { type ExportLine, exportLine } from "../operator/export_line.ts";

/** Exports as another system would have made them. */

export const HASH = `scrypt$16$1$1$${"A".repeat(22)}$${"A".repeat(43)}`;
export const ALICE = "alicealiceal";
export const BOB = "bobbobbobbob";
const START_MS = 1_700_000_000_000;

export function accountLine(account: string, name: string, createdMs = START_MS): ExportLine {
  const created = { timeMs: createdMs, tick: 0 };
  const password = { hash: HASH, version: 1, changed: created };
  return { kind: "account", account, name, generation: 1, created, password };
}

/** From alice to bob. */
export function messageLine(number: number, timeMs = START_MS + number * 1000): ExportLine {
  return {
    kind: "message",
    id: messageIdOf(ALICE, `key ${number}`),
    senderAccount: ALICE,
    sender: "alice",
    recipient: "bob",
    recipientAccount: BOB,
    content: `message ${number}`,
    isRead: number % 2 === 0,
    sent: { timeMs, tick: 0 },
  };
}

/** A whole export of these lines. */
export function exportOf(...lines: readonly ExportLine[]): string {
  const count = (kind: ExportLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return [
    { kind: "start", node: "elsewhere", timeMs: START_MS } as const,
    ...lines,
    { kind: "end", accounts: count("account"), messages: count("message") } as const,
  ].map(exportLine).join("");
}

/** Alice, Bob, and so many messages between them. */
export function exportWith(messages: number): string {
  const lines = Array.from({ length: messages }, (_, index) => messageLine(index));
  return exportOf(accountLine(ALICE, "alice"), accountLine(BOB, "bob"), ...lines);
}

/** All but the first line, which tells when it was made. */
export function bodyOf(text: string): string {
  return text.slice(text.indexOf("\n") + 1);
}
