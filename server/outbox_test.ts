import { assertEquals } from "@std/assert";
import { FrameDecoder } from "../codec/frame.ts";
import { readServerMessage, type Reply } from "../codec/message.ts";
import { type CopiesReply, Outbox } from "./outbox.ts";
import { WaitingTotal } from "./guard/waiting_total.ts";

const ROOMY = new WaitingTotal(Infinity, () => {});
const PONG: Reply = { kind: "pong", payload: null };

function done(count: number): CopiesReply {
  return { withCopies: (copies) => ({ kind: "done", payload: { count, copies } }) };
}

/** Takes what is written, at most `bytesAtOnce` a write. */
class Sink {
  readonly writes: Uint8Array[] = [];
  readonly #bytesAtOnce: number;

  constructor(bytesAtOnce = Infinity) {
    this.#bytesAtOnce = bytesAtOnce;
  }

  write(bytes: Uint8Array): Promise<number> {
    const taken = bytes.slice(0, this.#bytesAtOnce);
    this.writes.push(taken);
    return Promise.resolve(taken.length);
  }

  /** What a client understands of it: each reply's kind, and its count if it has one. */
  get replies(): (string | number)[] {
    const decoder = new FrameDecoder({ payloadBytesMax: 1000 });
    const replies: (string | number)[] = [];
    for (const bytes of this.writes) {
      for (const frame of decoder.push(bytes)) {
        const reply = readServerMessage(frame);
        if (reply !== undefined) {
          replies.push(reply.kind === "done" ? reply.payload.count : reply.kind);
        }
      }
    }
    decoder.end();
    return replies;
  }
}

function outboxTo(sink: Sink) {
  const progress = { settled: 0, copied: 0, copiesOf: () => 1 };
  return { progress, outbox: new Outbox(sink, progress, () => 0, ROOMY, () => {}) };
}

Deno.test("Outbox holds back what is not settled, and all that comes after it", async () => {
  const sink = new Sink();
  const { progress, outbox } = outboxTo(sink);
  outbox.push(0, PONG);
  outbox.push(1, PONG);
  outbox.push(0, PONG);
  outbox.push(2, PONG);
  outbox.flush();
  await outbox.below(1000);
  assertEquals(sink.replies, ["pong"]);
  progress.settled = 1;
  outbox.flush();
  assertEquals(outbox.isHolding, true);
  progress.settled = 2;
  outbox.flush();
  await outbox.below(0);
  assertEquals(sink.replies, ["pong", "pong", "pong", "pong"]);
});

Deno.test("Outbox holds back what tells of copies until there are enough, and all that comes after it", async () => {
  const sink = new Sink();
  const { progress, outbox } = outboxTo(sink);
  progress.settled = 2;
  outbox.push(1, { ...done(1), isPrompt: true });
  outbox.push(1, done(2));
  outbox.push(1, PONG);
  outbox.push(2, done(3));
  outbox.flush();
  await outbox.below(1000);
  assertEquals(sink.replies, [1]);
  progress.copied = 1;
  outbox.flush();
  await outbox.below(256);
  assertEquals(sink.replies, [1, 2, "pong"]);
  progress.copied = 2;
  outbox.flush();
  await outbox.below(0);
  assertEquals(sink.replies, [1, 2, "pong", 3]);
});

Deno.test("Outbox writes together what was settled together", async () => {
  const sink = new Sink();
  const { outbox } = outboxTo(sink);
  for (let count = 0; count < 100; count++) outbox.push(0, done(count));
  outbox.flush();
  await outbox.below(0);
  assertEquals(sink.writes.length, 1);
  assertEquals(sink.replies.length, 100);
});

Deno.test("Outbox goes on where a short write ended", async () => {
  const sink = new Sink(7);
  const { outbox } = outboxTo(sink);
  outbox.push(0, done(1));
  outbox.push(0, PONG);
  outbox.flush();
  await outbox.below(0);
  assertEquals(sink.replies, [1, "pong"]);
});

Deno.test("Outbox drops what waits once it is closed, and lets go of those who wait for it", async () => {
  const sink = new Sink();
  const { outbox } = outboxTo(sink);
  outbox.push(1, done(1));
  const waiting = outbox.below(0);
  outbox.close();
  await waiting;
  outbox.push(0, PONG);
  outbox.flush();
  assertEquals([sink.writes.length, outbox.waitingBytes], [0, 0]);
});

Deno.test("Outbox says so when its sink is gone, and lets go of those who wait for it", async () => {
  const broken = Promise.withResolvers<void>();
  const sink = { write: () => Promise.reject(new Error("gone")) };
  const outbox = new Outbox(
    sink,
    { settled: 0, copied: 0, copiesOf: () => 1 },
    () => 0,
    ROOMY,
    broken.resolve,
  );
  outbox.push(0, PONG);
  outbox.flush();
  await broken.promise;
  await outbox.below(0);
});

Deno.test("WaitingTotal counts what outboxes take, and no more once it is out or dropped", async () => {
  let full = 0;
  const total: WaitingTotal = new WaitingTotal(1000, () => full++);
  const progress = { settled: 0, copied: 0, copiesOf: () => 1 };
  const never = { write: () => new Promise<number>(() => {}) };
  const stuck = new Outbox(never, progress, () => 0, total, () => {});
  const flowing = new Outbox(new Sink(), progress, () => 0, total, () => {});
  const told = new Uint8Array(100);
  stuck.push(0, told);
  stuck.push(1, told);
  stuck.flush();
  for (let count = 0; count < 5; count++) {
    flowing.push(0, told.subarray(0, 50));
    flowing.flush();
    await flowing.below(0);
  }
  await Promise.resolve();
  assertEquals([full, total.isOver], [0, false]);
  stuck.push(1, told);
  stuck.push(1, new Uint8Array(600));
  await Promise.resolve();
  assertEquals([full, total.isOver], [1, true]);
  stuck.close();
  assertEquals(total.isOver, false);
  flowing.push(0, told);
  flowing.flush();
  await flowing.below(0);
  assertEquals(total.isOver, false);
});
