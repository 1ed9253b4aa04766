import { assertEquals } from "@std/assert";
import { EventFeed, type FeedEvent } from "./event_feed.ts";
import { Uint32List } from "./uint32_list.ts";
import { VersionVector } from "./version_vector.ts";

Deno.test("EventFeed keeps every event and its source, on both sides of its pages' borders", () => {
  const feed = new EventFeed();
  const count = 3 * 2 ** 12 + 1;
  for (let number = 0; number < count; number++) {
    assertEquals(feed.length, number);
    assertEquals(feed.add(eventAt(number), sourceAt(number)), number);
    assertEquals(feed.eventOf(number), eventAt(number));
  }
  for (let number = 0; number < count; number++) {
    assertEquals(feed.eventOf(number), eventAt(number));
    assertEquals(feed.sourceOf(number), sourceAt(number));
  }
});

Deno.test("EventFeed.missing() gives what a cursor does not cover, in order of arrival", () => {
  const feed = new EventFeed();
  const numbers = new Uint32List();
  for (let number = 0; number < 9; number++) {
    feed.add(eventAt(number), sourceAt(number));
    if (number !== 4) numbers.push(number);
  }
  const cursor = new VersionVector();
  assertEquals([...feed.missing(numbers, cursor)], [0, 1, 2, 3, 5, 6, 7, 8]);
  cursor.advance("node0.e", 2);
  cursor.advance("node2.e", 9);
  cursor.advance("unheard.e", 9);
  assertEquals([...feed.missing(numbers, cursor)], [1, 6, 7]);
});

Deno.test("EventFeed.missing() gives also what is added during the walk, of new origins too", () => {
  const feed = new EventFeed();
  const numbers = new Uint32List();
  const add = (number: number) => numbers.push(feed.add(eventAt(number), sourceAt(number)));
  add(0);
  const walk = feed.missing(numbers, new VersionVector());
  assertEquals(walk.next().value, 0);
  add(1);
  assertEquals(walk.next().value, 1);
  assertEquals(walk.next().done, true);
});

/** Of all kinds and of few or many rows, also where pages meet. */
function eventAt(number: number): FeedEvent {
  const rows = Array.from({ length: number % 5 === 0 ? number % 1000 : 1 }, (_, at) => number + at);
  const kind = number % 7;
  if (kind < 2) return { kind: "message", row: number };
  if (kind < 4) return { kind: "read", reader: number * 3, rows };
  if (kind < 6) return { kind: "deleted", rows };
  return { kind: "message", row: number, isRepeat: true };
}

/** Sequence numbers 1, 2, 3… of three origins in turn. */
function sourceAt(number: number) {
  return { origin: `node${number % 3}.e`, seq: Math.floor(number / 3) + 1 };
}
