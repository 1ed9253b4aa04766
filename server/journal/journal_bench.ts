/**
 * The hot path (a batch of 64 messages) and a start with 100,000 of them:
 * `deno bench --quiet -P server/journal`.
 */

import type { Operation } from "../core/operation.ts";
import { BatchEncoder } from "./batch.ts";
import { openDataDirectory } from "./data_directory.ts";
import { denoFiles } from "./deno_files.ts";

const BATCH = 64;
const LINES = 100_000;

const batch = Array.from({ length: BATCH }, (_, index) => message(index + 1));
const encoder = new BatchEncoder();

Deno.bench(`BatchEncoder.encode() ${BATCH} messages`, () => {
  encoder.encode(batch, 0);
});

const empty = await Deno.makeTempDir();
const writing = await open(empty);

Deno.bench(`Journal.writeBatch() ${BATCH} messages, synced`, async () => {
  await writing.journal.writeBatch(batch);
});

const full = await Deno.makeTempDir();
await fill(full);

Deno.bench(`openDataDirectory() with ${LINES} messages`, { n: 10 }, async () => {
  const opened = await open(full);
  await opened.close();
});

globalThis.addEventListener("unload", () => {
  for (const directory of [empty, full]) Deno.removeSync(directory, { recursive: true });
});

async function fill(directory: string): Promise<void> {
  const opened = await open(directory);
  for (let seq = 1; seq <= LINES; seq += BATCH) {
    const count = Math.min(BATCH, LINES - seq + 1);
    await opened.journal.writeBatch(Array.from({ length: count }, (_, i) => message(seq + i)));
  }
  await opened.close();
}

async function open(directory: string) {
  return await openDataDirectory({
    directory,
    node: "node1",
    files: denoFiles,
    newEpoch: () => "k3v9x2aq",
    apply: () => undefined,
  });
}

/** About 300 bytes as a line. */
function message(seq: number): Operation {
  return {
    kind: "message_sent",
    id: `ab2cd3ef4gh5.${seq.toString(16).padStart(32, "0")}`,
    sender: "alice",
    recipient: "bob",
    recipientAccount: "xk4mq2ztr7wd",
    content:
      `The disk of machine ${seq} is almost full: 97 % used, 12 GB left. Please have a look at it.`,
    timeMs: 1_795_000_000_000 + seq,
    tick: 0,
    origin: "node1.k3v9x2aq",
    seq,
  };
}
