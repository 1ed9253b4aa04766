import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { columnsOf } from "../text/columns.ts";
import { ME, PEOPLE, ReferenceServer } from "../testing/reference_server.ts";
import { type Conversation, isAtEnd } from "./conversation.ts";
import type { Effect } from "./effect.ts";
import { frameOf } from "./frame.ts";
import { conversationWith, type Model, openConversation } from "./model.ts";
import { firstModel, type Happening, update } from "./update.ts";

/** Many more in a campaign: see docs/TESTING.md. */
const STORIES = Number(Deno.env.get("CHAT_STORIES") ?? 100);

/** What goes on in the world, as far as a client of alice's has to do with it. */
type Step =
  | { readonly kind: "press"; readonly key: string }
  | { readonly kind: "enter"; readonly text: string }
  | { readonly kind: "resize"; readonly columns: number; readonly rows: number }
  | {
    readonly kind: "write";
    readonly who: number;
    readonly isOwn: boolean;
    readonly isLate: boolean;
    readonly content: string;
    readonly count: number;
  }
  | { readonly kind: "read"; readonly who: number; readonly isOwn: boolean; readonly nth: number }
  | { readonly kind: "delete"; readonly who: number; readonly nth: number; readonly count: number }
  | { readonly kind: "presence"; readonly who: number; readonly online: boolean }
  | { readonly kind: "answer" | "reply" | "event"; readonly count: number }
  | { readonly kind: "refuse" | "fail_over" | "settle" };

const KEYS = [
  ..."alt+1 alt+2 alt+3 alt+4 alt+a ctrl+n ctrl+p pageup pageup pagedown home end f2 escape up down"
    .split(" "),
  ..."enter tab delete".split(" "),
];
const INPUTS = [
  ...["yes", "no", "so\nbe it", "/msg bob", "/msg carol yes", "/msg dora", `/msg ${ME}`],
  ...["/delete", "/delete 3", "/search yes", "/search e", "/close", "/users", "/help"],
];

const who = fc.nat(PEOPLE.length - 1);
const content = fc.constantFrom("yes", "no", "so\nbe it", "e ".repeat(70));
const count = fc.integer({ min: 1, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("press"), key: fc.constantFrom(...KEYS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("enter"), text: fc.constantFrom(...INPUTS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("resize"),
      columns: fc.integer({ min: 1, max: 90 }),
      rows: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("write"),
      who,
      isOwn: fc.boolean(),
      isLate: fc.boolean(),
      content,
      count,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      who,
      isOwn: fc.boolean(),
      nth: fc.nat(8),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("delete"), who, nth: fc.nat(20), count }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("presence"), who, online: fc.boolean() }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constantFrom("answer", "reply", "event"), count }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("refuse", "fail_over", "settle") }) },
);

/** Alice at her screen, and all that it depends on. */
class World {
  readonly #server: ReferenceServer;
  #model = firstModel({ columns: 64, rows: 12 });
  /** Conversations that alice began: they stand where she did, until a list has them. */
  readonly #begun = new Set<string>();

  constructor(pageMax: number, lengths: readonly number[]) {
    this.#server = new ReferenceServer(pageMax);
    lengths.forEach((length, who) => {
      const name = nameOf(who);
      for (let index = 0; index < length; index++) this.#server.write(name, ME, `${index} e`);
      this.#server.read(ME, ({ content, sender }) => sender === name && parseInt(content) % 3 > 0);
    });
    while (this.#server.nextEvent() !== undefined);
    this.#happen(connectedTo("node1"));
    this.#happen({ kind: "signed_in", me: ME, inputs: [] });
  }

  go(step: Step): void {
    switch (step.kind) {
      case "press":
        return this.#press(step.key);
      case "enter":
        return this.#enter(step.text);
      case "resize":
        this.#happen({ kind: "resized", size: step });
        return;
      case "write":
        return this.#write(step);
      case "read": {
        const [reader, sender] = step.isOwn ? [ME, nameOf(step.who)] : [nameOf(step.who), ME];
        const some = this.#some(step.who, step.nth, step.nth === 0 ? Infinity : 1);
        return this.#server.read(reader, (one) => one.sender === sender && some.has(one.id));
      }
      case "delete": {
        const some = this.#some(step.who, step.nth, step.count);
        this.#server.delete(({ id }) => some.has(id));
        return;
      }
      case "presence":
        return this.#server.tellPresence(nameOf(step.who), step.online);
      case "answer":
        return times(step.count, () => this.#server.answer());
      case "reply":
        return times(step.count, () => this.#takeReply());
      case "event":
        return times(step.count, () => this.#takeEvent());
      case "refuse":
        return this.#server.refuse(1);
      case "fail_over":
        return this.#failOver();
      case "settle":
        return this.settle();
      default:
        return step satisfies never;
    }
  }

  /** Lets all that is under way arrive; then the client knows what the server has. */
  settle(): void {
    while (!this.#server.isQuiet) {
      this.#server.answer();
      this.#takeReply();
      this.#takeEvent();
    }
    const listed = this.#server.conversations();
    assertEquals(this.#model.meanwhile.underWay, 0);
    for (const { name, unread } of listed) {
      const conversation = conversationWith(this.#model, name);
      assert(conversation !== undefined, `${name} is not listed`);
      assertEquals(conversation.unread, unread, `unread of ${name}`);
      assertEquals(conversation.pending.filter(({ failure }) => failure === undefined), []);
      assertEquals(conversation.load, undefined);
      this.#checkStretch(conversation);
    }
    const isSure = ({ name, pending }: Conversation) =>
      pending.length === 0 && !this.#begun.has(name) && listed.some((one) => one.name === name);
    const known = this.#model.conversations.filter(isSure).map(({ name }) => name);
    assertEquals(known, listed.map(({ name }) => name).filter((name) => known.includes(name)));
  }

  /** Alice looks at the end of every conversation, and then at all before it. */
  lookAtAll(): void {
    this.#server.refuse(0);
    for (const { name } of this.#server.conversations()) {
      this.#press("escape", "escape");
      while (this.#model.editor.text !== "") this.#press("ctrl+u", "ctrl+k");
      this.#enter(`/msg ${name}`);
      this.settle();
      this.#press("end");
      this.settle();
      const conversation = conversationWith(this.#model, name);
      assert(conversation !== undefined && isAtEnd(conversation), `${name} is not at its end`);
      assertEquals(conversation.unread, 0);
      const { length } = this.#server.conversation(name);
      const loaded = conversation.stretch?.messages.length;
      assert(conversation.stretch?.hasOldest || (loaded ?? 0) >= 250);
      if (conversation.stretch?.hasOldest) assertEquals(loaded, length);
    }
  }

  #checkStretch({ name, stretch }: Conversation): void {
    if (stretch === undefined) return;
    const all = this.#server.conversation(name);
    const { hasOldest, hasNewest } = stretch;
    const messages = stretch.messages.map(({ copies: _copies, ...message }) => message);
    const from = all.findIndex(({ id }) => id === messages[0]?.id);
    const to = hasNewest ? all.length : from + messages.length;
    assertEquals(messages, messages.length === 0 ? [] : all.slice(from, to));
    if (hasOldest && messages.length > 0) assertEquals(from, 0);
    if (hasOldest && hasNewest) assertEquals(messages.length, all.length);
  }

  #write({ who, isOwn, isLate, content, count }: Extract<Step, { kind: "write" }>): void {
    const [sender, recipient] = isOwn ? [ME, nameOf(who)] : [nameOf(who), ME];
    times(count, () => this.#server.write(sender, recipient, content, isLate));
  }

  /** Messages with somebody, from the last but `nth` back. */
  #some(who: number, nth: number, count: number): ReadonlySet<string> {
    const newestFirst = this.#server.conversation(nameOf(who)).toReversed();
    return new Set(newestFirst.slice(nth, nth + count).map(({ id }) => id));
  }

  #press(...keys: readonly string[]): void {
    for (const key of keys) this.#happen({ kind: "pressed", press: { kind: "key", key } });
  }

  #enter(text: string): void {
    this.#happen({ kind: "pressed", press: { kind: "text", text } });
    this.#press("enter");
  }

  #takeReply(): void {
    const happening = this.#server.nextReply();
    if (happening !== undefined) this.#happen(happening);
  }

  #takeEvent(): void {
    const event = this.#server.nextEvent();
    if (event === undefined) return;
    const before = this.#model;
    const effects = this.#happen({ kind: "event", event });
    const notified = effects.filter(({ kind }) => kind === "notify").length;
    if (event.kind !== "message") return assertEquals(notified, 0);
    const { sender, status } = event.payload;
    const isNews = !event.late && status === "unread" && sender !== ME;
    const isInSight = before.open === sender && before.panel === undefined;
    if (!isNews || isInSight) assertEquals(notified, 0);
  }

  #failOver(): void {
    this.#server.failOver();
    this.#happen({
      kind: "connection",
      state: { state: "lost", host: "127.0.0.1:9001", why: "refused", nextTryMs: 1 },
    });
    this.#happen(connectedTo("node2"));
  }

  #happen(happening: Happening): readonly Effect[] {
    const { model, effects } = update(this.#model, happening, this.#server.nowMs);
    this.#followBegun(model, happening);
    this.#model = model;
    for (const effect of effects) {
      // What was entered meanwhile may have closed again what was opened, and read.
      const isOver = happening.kind === "addressed";
      if (effect.kind === "mark_read" && !isOver) checkMarked(model, effect.which);
      this.#server.ask(effect);
    }
    checkFrame(model);
    for (const conversation of model.conversations) this.#checkOnce(conversation);
    return effects;
  }

  #followBegun({ conversations }: Model, happening: Happening): void {
    if (happening.kind === "conversations") {
      for (const { name } of happening.listed) this.#begun.delete(name);
    }
    if (happening.kind !== "addressed" && happening.kind !== "pressed") return;
    for (const { name } of conversations) {
      if (conversationWith(this.#model, name) === undefined) this.#begun.add(name);
    }
  }

  /** Nothing is shown twice: neither a message, nor what was sent and the message that it is. */
  #checkOnce({ stretch, pending }: Conversation): void {
    const messages = stretch?.messages ?? [];
    assertEquals(new Set(messages.map(({ id }) => id)).size, messages.length);
    const isInOrder = messages.every(({ time }, at) => (messages[at - 1]?.time ?? 0) <= time);
    assert(isInOrder, "messages are not in the order of their times");
    for (const { content } of pending) {
      const stored = messages.filter((one) => one.sender === ME && one.content === content);
      const sent = pending.filter((one) => one.content === content);
      const shown = stored.length + sent.filter(({ twin }) => twin === undefined).length;
      const there = new Set([
        ...stored.map(({ id }) => id),
        ...sent.map(({ number }) => this.#server.sent.get(number) ?? number),
      ]);
      assert(shown <= there.size, `${content} is shown ${shown} times and not ${there.size}`);
    }
  }
}

/** Only what stands at the end of the open conversation is read. */
function checkMarked(model: Model, which: string | readonly string[]): void {
  const conversation = openConversation(model);
  assert(conversation !== undefined && isAtEnd(conversation));
  assert(model.panel === undefined, "what is not in sight is read");
  if (typeof which === "string") {
    assert(!conversation.stretch?.hasOldest);
    return assertEquals(which, conversation.name);
  }
  const loaded = new Set(conversation.stretch?.messages.map(({ id }) => id));
  assert(which.every((id) => loaded.has(id)));
}

function checkFrame(model: Model): void {
  const { columns, rows } = model.size;
  const frame = frameOf(model);
  assert(frame.rows.length <= rows, `${frame.rows.length} rows of ${rows}`);
  for (const row of frame.rows) {
    const width = row.reduce((sum, { text }) => sum + columnsOf(text), 0);
    assert(width <= columns, `${width} columns of ${columns}`);
  }
  const { cursor } = frame;
  assert(cursor.row >= 0 && cursor.row < rows && cursor.column >= 0 && cursor.column < columns);
}

function connectedTo(node: string): Happening {
  return { kind: "connection", state: { state: "connected", host: "127.0.0.1:9002", node } };
}

function nameOf(who: number): string {
  return PEOPLE[who] ?? ME;
}

function times(count: number, act: () => void): void {
  for (let index = 0; index < count; index++) act();
}

Deno.test("update() comes to know what the server has, in whatever order it hears of it", () => {
  const lengths = fc.array(fc.oneof(fc.nat(8), fc.constantFrom(0, 260)), {
    minLength: 0,
    maxLength: PEOPLE.length,
  });
  const steps = fc.array(step, { size: "max", maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 5, 40, 1_000), lengths, steps, (pageMax, lengths, steps) => {
      const world = new World(pageMax, lengths);
      for (const step of steps) world.go(step);
      world.settle();
      world.lookAtAll();
    }),
    { numRuns: STORIES },
  );
});
