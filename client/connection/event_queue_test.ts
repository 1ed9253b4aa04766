import { assertEquals, assertRejects } from "@std/assert";
import { EventQueue } from "./event_queue.ts";

Deno.test("EventQueue is full at either limit, and has room when it is half empty", async () => {
  const queue = new EventQueue<number>({ itemsMax: 4, bytesMax: 100 });
  for (const item of [1, 2, 3]) queue.push(item, 10);
  assertEquals(queue.isFull, false);
  queue.push(4, 10);
  assertEquals(queue.isFull, true);
  let hasRoom = false;
  const room = queue.room().then(() => hasRoom = true);
  const items = queue[Symbol.asyncIterator]();
  await items.next();
  assertEquals([queue.isFull, hasRoom], [false, false]);
  await items.next();
  await room;
  queue.push(5, 80);
  assertEquals(queue.isFull, true);
});

Deno.test("EventQueue.end() lets what is queued be taken, then tells the error", async () => {
  const queue = new EventQueue<number>({ itemsMax: 4, bytesMax: 100 });
  queue.push(1, 1);
  queue.end(new Error("over"));
  queue.push(2, 1);
  const items = queue[Symbol.asyncIterator]();
  assertEquals((await items.next()).value, 1);
  await assertRejects(() => items.next(), Error, "over");
});

Deno.test("EventQueue.end() frees a producer that waits for room", async () => {
  const queue = new EventQueue<number>({ itemsMax: 1, bytesMax: 100 });
  queue.push(1, 1);
  const room = queue.room();
  queue.end();
  await room;
  assertEquals(queue.isFull, false);
});
