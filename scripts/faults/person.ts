import { ChatClient, type Host, RefusedError, UnansweredError } from "../../client/connection.ts";
import { denoOutside } from "../../client/deno_outside.ts";
import type { ChatMessage } from "../../codec/message.ts";
import type { Credentials } from "../../server/testing/wire_client.ts";
import type { Entry, Ledger } from "../crash/ledger.ts";
import type { Random } from "../random.ts";
import type { Books } from "./books.ts";
import { EventView, type ToldMessage } from "./event_view.ts";

/** Shorter than a person's, so that a paused node is given up and its requests go elsewhere. */
const TIMEOUTS = {
  connectMs: 1000,
  replyMs: 2500,
  heartbeatMs: 1000,
  backoffMinMs: 50,
  backoffMaxMs: 500,
  failoverJitterMs: 50,
  stableMs: 2000,
  signInGiveUpMs: 20_000,
};
/** Between two things a person does, at most. */
const PACE_MS = 150;
/** Sent at once, at most. */
const BURST = 5;
/** Read or deleted at once, at most. */
const SOME = 4;
/** Of the newest, so many may be read, deleted or sent again. */
const RECENT = 60;

interface Sent {
  readonly to: string;
  readonly entry: Entry;
}

/**
 * A user of the real client, subscribed and never still: sends, reads, deletes and lists, whatever
 * happens to the nodes, and enters in the books what was acknowledged.
 */
export class Person {
  readonly name: string;
  readonly view: EventView;
  /** Connections so far. */
  connections = 0;
  readonly #client: ChatClient;
  readonly #friends: readonly string[];
  readonly #books: Books;
  readonly #random: Random;
  readonly #sent: Sent[] = [];
  /** Sent since the last time that all was settled, and not known to be on enough nodes. */
  #unsafe = new Set<Sent>();
  #listening = Promise.resolve();
  #count = 0;

  private constructor(
    name: string,
    hosts: readonly Host[],
    friends: readonly string[],
    books: Books,
    random: Random,
  ) {
    this.name = name;
    this.#friends = friends;
    this.#books = books;
    this.#random = random;
    this.view = new EventView(name, (fault, what) => books.report(fault, what));
    this.#client = new ChatClient({
      hosts,
      outside: { ...denoOutside, random: () => random.below(2 ** 32) / 2 ** 32 },
      timeouts: TIMEOUTS,
      onState: ({ state }) => {
        if (state === "connected") this.connections++;
      },
    });
  }

  /** Signed in and subscribed. `hosts` begins with the one that is tried first. */
  static async join(
    { name, token }: Credentials,
    hosts: readonly Host[],
    friends: readonly string[],
    books: Books,
    random: Random,
  ): Promise<Person> {
    const person = new Person(name, hosts, friends, books, random);
    await person.#client.signIn({ user: name, token });
    const subscription = await person.#client.subscribe();
    person.#listening = person.#listen(subscription);
    return person;
  }

  /** Works until `stopped` says so, and all that was asked is answered or given up. */
  async work(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      try {
        await this.#act();
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        this.#books.report("refused", `${this.name}: ${error.message}`);
      }
      await pause(this.#random.below(PACE_MS));
    }
  }

  /**
   * Sends again, with its key, each message of which it is unknown whether it was stored, or whether
   * it still is. With all nodes there, one answer is enough.
   */
  async settle(): Promise<void> {
    while (this.#unsafe.size > 0) {
      const unsafe = this.#unsafe;
      this.#unsafe = new Set([...unsafe].filter(({ entry }) => entry.id === undefined));
      await Promise.all([...unsafe].map((sent) => this.#send(sent)));
      for (const sent of unsafe) if (sent.entry.id !== undefined) this.#unsafe.delete(sent);
    }
  }

  /** Resolves when all was told that the node knows. */
  async upToDate(): Promise<void> {
    // The first may have overtaken a subscription that was just renewed: the second cannot.
    await this.#client.ping();
    await this.#client.ping();
    // Events that came before the answer are taken within this turn of the event loop.
    await pause(0);
  }

  async leave(): Promise<void> {
    await this.#client.close();
    await this.#listening;
  }

  async #listen(events: AsyncIterable<Parameters<EventView["take"]>[0]>): Promise<void> {
    try {
      for await (const event of events) {
        this.view.take(event, this.#client.session.node);
        if (event.kind === "message") this.#checkContent(event.payload);
      }
    } catch (error) {
      this.#books.report("stuck", `${this.name}: ${error}`);
    }
  }

  async #act(): Promise<void> {
    switch (this.#random.below(10)) {
      case 0:
      case 1:
        return await this.#readSome();
      case 2:
        return await this.#deleteSome();
      case 3:
        return await this.#look();
      case 4:
        return await this.#repeat();
      default:
        return await this.#sendSome();
    }
  }

  async #sendSome(): Promise<void> {
    const burst = Array.from({ length: 1 + this.#random.below(BURST) }, () => {
      const to = this.#friend();
      const content = `${this.name} ${this.#count++} ${"x".repeat(this.#random.below(100))}`;
      const entry = this.#with(to).add(this.name, crypto.randomUUID(), content);
      const sent = { to, entry };
      this.#sent.push(sent);
      this.#unsafe.add(sent);
      return this.#send(sent);
    });
    await Promise.all(burst);
  }

  async #send(sent: Sent): Promise<void> {
    const { to, entry } = sent;
    const { key, content } = entry;
    const reply = await unlessUnanswered(this.#client.send(to, content, { key }));
    if (reply === undefined) return;
    if (entry.id !== undefined && entry.id !== reply.id) {
      this.#books.report("doubled", `${content}: as ${entry.id} and as ${reply.id}`);
    }
    this.#with(to).acknowledge(entry, reply.id);
    this.#books.noteCopies(reply.copies);
    if (reply.copies >= this.#books.safeCopies) this.#unsafe.delete(sent);
  }

  /** The same key again has to be the same message, on whatever node. */
  async #repeat(): Promise<void> {
    const recent = this.#sent.slice(-RECENT);
    const again = recent[this.#random.below(Math.max(1, recent.length))];
    if (again?.entry.id === undefined) return;
    this.#books.repeats++;
    await this.#send(again);
  }

  async #readSome(): Promise<void> {
    const some = this.#some(({ id, recipient }) =>
      recipient === this.name && !this.view.isRead(id)
    );
    if (!await this.#change("readMessages", some)) return;
    for (const message of some) {
      const entry = this.#entryOf(message);
      if (entry !== undefined) entry.read = true;
    }
  }

  async #deleteSome(): Promise<void> {
    const some = this.#some(() => true);
    const entries = some.flatMap((message) => this.#entryOf(message) ?? []);
    // Its other side may delete the same at the same time.
    for (const entry of entries) if (entry.deletion === "none") entry.deletion = "asked";
    if (!await this.#change("deleteMessages", some)) return;
    for (const entry of entries) entry.deletion = "acknowledged";
  }

  /**
   * Whether all of it was done, to last: a node that has not heard of a message cannot change it.
   */
  async #change(
    what: "readMessages" | "deleteMessages",
    messages: readonly ToldMessage[],
  ): Promise<boolean> {
    if (messages.length === 0) return false;
    const changed = await unlessUnanswered(this.#client[what](messages.map(({ id }) => id)));
    if (changed === undefined) return false;
    this.#books.noteCopies(changed.copies);
    if (changed.count !== messages.length) return false;
    if (changed.copies < this.#books.safeCopies) return false;
    this.#books.changes++;
    return true;
  }

  async #look(): Promise<void> {
    const friend = this.#friend();
    const page = await unlessUnanswered(this.#client.history({ with: friend, limit: 20 }));
    const ids = new Set<string>();
    for (const message of page ?? []) {
      this.#checkContent(message);
      if (ids.has(message.id)) this.#books.report("doubled", `${message.content}: in one list`);
      ids.add(message.id);
    }
  }

  /** Whatever is shown was written by one of the two, for the two. */
  #checkContent(message: ChatMessage): void {
    const entry = this.#entryOf(message);
    if (entry !== undefined && entry.sender === message.sender) return;
    this.#books.report("foreign", `${this.name} was shown ${message.content}`);
  }

  #some(isWanted: (message: ToldMessage) => boolean): ToldMessage[] {
    const recent = this.view.newest(RECENT).filter(isWanted);
    const wanted = 1 + this.#random.below(SOME);
    return recent.filter(() => this.#random.below(Math.max(1, recent.length)) < wanted);
  }

  #entryOf({ sender, recipient, content }: Pick<ToldMessage, "sender" | "recipient" | "content">) {
    return this.#with(sender === this.name ? recipient : sender).findByContent(content);
  }

  #with(friend: string): Ledger {
    return this.#books.between(this.name, friend);
  }

  #friend(): string {
    return this.#random.pick(this.#friends) ?? this.name;
  }
}

/** undefined if connection after connection was lost: then nobody knows whether it was done. */
async function unlessUnanswered<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UnansweredError) return undefined;
    throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
