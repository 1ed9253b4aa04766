/** Prints what a state takes per message: `deno run --v8-flags=--expose-gc memory_bench.ts [COUNT]`. */

import { apply } from "./apply.ts";
import { messageIdOf } from "./message_id.ts";
import { ChatState } from "./state.ts";

const ACCOUNTS = 1000;
const CONTENT_BYTES = 100;

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 1_000_000);
  const before = usage();
  const startMs = performance.now();
  const state = filled(count);
  const elapsedMs = performance.now() - startMs;
  const after = usage();
  console.log(`${count} messages of ${CONTENT_BYTES} bytes, ${ACCOUNTS} accounts`);
  console.log(`  made and applied  ${(elapsedMs / count * 1000).toFixed(2)} µs each`);
  for (const part of ["heapUsed", "external", "rss"] as const) {
    const bytes = after[part] - before[part];
    console.log(
      `  ${part.padEnd(16)}  ${(bytes / 2 ** 20).toFixed(0)} MiB, ${
        (bytes / count).toFixed(0)
      } B each`,
    );
  }
  console.log(`  digest            ${state.digest}`);
}

function filled(count: number): ChatState {
  const state = new ChatState();
  const text = new TextEncoder();
  const bytes = new TextDecoder();
  for (let index = 0; index < count; index++) {
    apply(state, {
      kind: "message_sent",
      id: messageIdOf(accountOf(index), crypto.randomUUID()),
      sender: "alice",
      recipient: "bob",
      recipientAccount: accountOf(index * 7 + 1),
      // Decoded anew, as from a journal: a string of its own for every message.
      content: bytes.decode(text.encode(String(index).padEnd(CONTENT_BYTES, "."))),
      timeMs: 1_700_000_000_000 + index,
      tick: 0,
      origin: "node1.e1",
      seq: index + 1,
    });
  }
  return state;
}

function accountOf(index: number): string {
  return `account${String(index % ACCOUNTS).padStart(5, "0")}`;
}

function usage(): Deno.MemoryUsage {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage();
}
