import { assertEquals } from "@std/assert";
import type { ChatMessage, Event } from "../../../codec/message.ts";
import { EventView } from "./event_view.ts";

const HELLO: ChatMessage = {
  id: "1",
  sender: "alice",
  recipient: "bob",
  content: "hello",
  time: 1000,
  status: "unread",
};
const READ: ChatMessage = { ...HELLO, status: "read" };
const cursor = "";
const told = (message: ChatMessage): Event => ({
  kind: "message",
  payload: { ...message, cursor },
});
const read: Event = { kind: "read", payload: { reader: "bob", ids: ["1"], cursor } };
const deleted: Event = { kind: "deleted", payload: { ids: ["1"], cursor } };

const CASES: readonly {
  what: string;
  events: Event[];
  listed: ChatMessage[];
  faults: string[];
}[] = [
  { what: "nothing wrong", events: [told(HELLO), read], listed: [READ], faults: [] },
  { what: "nothing wrong in deletion", events: [told(HELLO), deleted], listed: [], faults: [] },
  { what: "a missed message", events: [], listed: [HELLO], faults: ["missed event"] },
  { what: "a missed read", events: [told(HELLO)], listed: [READ], faults: ["missed event"] },
  { what: "a missed deletion", events: [told(HELLO)], listed: [], faults: ["missed event"] },
  {
    what: "a doubled message",
    events: [told(HELLO), told(HELLO)],
    listed: [HELLO],
    faults: ["doubled event"],
  },
  {
    what: "a message told after its deletion, which is not told again",
    events: [deleted, told(HELLO)],
    listed: [],
    faults: ["missed event"],
  },
  {
    what: "a doubled message with another time",
    events: [told(HELLO), told({ ...HELLO, time: 999 })],
    listed: [HELLO],
    faults: ["doubled event"],
  },
  {
    what: "a deletion that did not last",
    events: [told(HELLO), deleted],
    listed: [HELLO],
    faults: ["resurrected"],
  },
  {
    what: "a read that did not last",
    events: [told(HELLO), read],
    listed: [HELLO],
    faults: ["unread again"],
  },
  {
    what: "others' mail",
    events: [told({ ...HELLO, sender: "carol", recipient: "dave" })],
    listed: [HELLO],
    faults: ["foreign"],
  },
  {
    what: "another text",
    events: [told(HELLO), told({ ...HELLO, content: "bye" })],
    listed: [HELLO],
    faults: ["altered"],
  },
];

for (const { what, events, listed, faults } of CASES) {
  Deno.test(`EventView finds ${what}`, () => {
    const found: string[] = [];
    const view = new EventView("bob", () => 0, (fault) => found.push(fault));
    for (const event of events) view.take(event, "node1");
    view.compare(listed);
    assertEquals(found, faults);
  });
}
