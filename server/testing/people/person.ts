import {
  ChatClient,
  type ClientEvent,
  type ClientTimeouts,
  type Host,
  type Outside,
  RefusedError,
  UnansweredError,
} from "../../../client/connection.ts";
import type { ChatMessage } from "../../../codec/message.ts";
import { timedKey } from "../../../codec/timed_key.ts";
import type { Random } from "../random.ts";
import type { Credentials } from "../wire_client.ts";
import { EventView, type ToldMessage } from "./event_view.ts";
import { checkGlance } from "./explain.ts";
import type { Fault } from "./findings.ts";
import {
  type Answer,
  type Conversation,
  describe,
  excerpt,
  type History,
  type Message,
  type Operation,
} from "./history.ts";

export interface PersonOptions {
  readonly credentials: Credentials;
  /** Begins with the one that is tried first. */
  readonly hosts: readonly Host[];
  readonly friends: readonly string[];
  readonly history: History;
  /** So many messages are sent at once, at most. */
  readonly burstMax: number;
  /** Network, clock and randomness of the client. */
  readonly outside: Outside;
  readonly timeouts?: Partial<ClientTimeouts>;
}

/** Timeouts shorter than a person's, so that a paused node is given up and its requests go elsewhere. */
export const IMPATIENT = {
  connectMs: 1000,
  replyMs: 2500,
  heartbeatMs: 1000,
  backoffMinMs: 50,
  backoffMaxMs: 500,
  failoverJitterMs: 50,
  stableMs: 2000,
  signInGiveUpMs: 20_000,
};

export interface Work {
  /** Chooses the acts. */
  readonly random: Random;
  /** Between two acts, at most, in ms. */
  readonly paceMs: number;
  readonly stopped: () => boolean;
}

/** What a person may do next, and how often of all times together. */
const WEIGHTS = {
  /** One to a few messages at once. */
  send: 10,
  /** A few of the newest. */
  read: 3,
  /** All that a friend has sent. */
  readAll: 1,
  delete: 2,
  /** Most of a page of old messages: so conversations do not grow for ever. */
  tidy: 1,
  look: 2,
  /** Sends an acknowledged message again, with its key. */
  repeat: 1,
} as const;
export type Act = keyof typeof WEIGHTS;

/** Each as often as it is to be chosen. */
export const CHOICE: readonly Act[] = acts().flatMap((act) => Array(WEIGHTS[act]).fill(act));

/** Read or deleted at once, at most. */
const SOME = 4;
/** Of the newest, so many may be read, deleted or sent again. */
const RECENT = 60;
/** Of a message's text, in characters. */
const SHORT = 100;
const LONG = 20_000;
/** Messages of one look. */
const PAGE = 20;
/** Of a conversation, so many of the oldest and of the newest are not tidied away… */
const KEPT_FIRST = 10;
const KEPT_LAST = 60;
/** …and of those between them one in so many stays until the next time. */
const KEPT_BETWEEN = 8;

/** All that a person may do. */
export function acts(): readonly Act[] {
  return Object.keys(WEIGHTS) as Act[];
}

/**
 * A user of the real client, subscribed: sends, reads, deletes and lists, whatever happens to the
 * nodes, and notes in the history what was asked and what came of it.
 */
export class Person {
  readonly name: string;
  readonly view: EventView;
  /** Connections so far. */
  connections = 0;
  readonly #client: ChatClient;
  readonly #outside: Outside;
  readonly #friends: readonly string[];
  readonly #history: History;
  readonly #burstMax: number;
  readonly #acts: Record<Act, (random: Random) => Promise<void>> = {
    send: (random) => this.#sendSome(random),
    read: (random) => this.#readSome(random),
    readAll: (random) => this.#readAll(random),
    delete: (random) => this.#deleteSome(random),
    tidy: (random) => this.#tidy(random),
    look: (random) => this.#look(random),
    repeat: (random) => this.#repeat(random),
  };
  /** The newest of what was sent, oldest first. */
  readonly #sent: Message[] = [];
  /** Sent since the last time that all was settled, and not known to be on enough nodes. */
  #unsafe = new Set<Message>();
  #listening = Promise.resolve();

  private constructor(
    { credentials, friends, history, burstMax, outside, ...options }: PersonOptions,
  ) {
    this.name = credentials.name;
    this.#burstMax = burstMax;
    this.#friends = friends;
    this.#history = history;
    this.#outside = outside;
    this.view = new EventView(
      this.name,
      history.nowMs,
      (fault, message, what) => this.#report(fault, message, what),
    );
    this.#client = new ChatClient({
      ...options,
      outside,
      onState: ({ state }) => {
        if (state === "connected") this.connections++;
      },
    });
  }

  /** Signed in and subscribed. */
  static async join(options: PersonOptions): Promise<Person> {
    const person = new Person(options);
    const { name: user, token } = options.credentials;
    await person.#client.signIn({ user, token });
    const subscription = await person.#client.subscribe();
    person.#listening = person.#listen(subscription);
    return person;
  }

  /** Does one thing, chosen and filled in by `random` alone; resolves when it is answered or given up. */
  async act(act: Act, random: Random): Promise<void> {
    await this.#acts[act](random);
  }

  /** Works until `stopped` says so, and all that was asked is answered or given up. */
  async work({ random, paceMs, stopped }: Work): Promise<void> {
    while (!stopped()) {
      await this.act(random.pick(CHOICE) ?? "send", random);
      await this.#pause(random.below(paceMs));
    }
  }

  /**
   * Sends again, with its key, each message of which it is unknown whether it was stored, or whether
   * it still is. With all nodes there, one answer is enough.
   */
  async settle(): Promise<void> {
    while (this.#unsafe.size > 0) {
      const unsafe = this.#unsafe;
      this.#unsafe = new Set([...unsafe].filter(({ id }) => id === undefined));
      await Promise.all([...unsafe].map((message) => this.#send("resend", message)));
      for (const message of unsafe) if (message.id !== undefined) this.#unsafe.delete(message);
    }
  }

  /** Resolves when all was told that the node knows. */
  async upToDate(): Promise<void> {
    // The first may have overtaken a subscription that was just renewed: the second cannot.
    await this.#client.ping();
    await this.#client.ping();
    // Events that came before the answer are taken within this turn of the event loop.
    await this.#pause(0);
  }

  async leave(): Promise<void> {
    await this.#client.close();
    await this.#listening;
  }

  async #listen(events: AsyncIterable<ClientEvent>): Promise<void> {
    try {
      for await (const event of events) {
        this.view.take(event, this.#node);
        if (event.kind === "message") this.#checkTold(event.payload);
      }
    } catch (error) {
      this.#history.findings.report("stuck", `${this.name}: ${error}`);
    }
  }

  async #sendSome(random: Random): Promise<void> {
    const burst = Array.from({ length: 1 + random.below(this.#burstMax) }, () => {
      const message = this.#write(random);
      this.#sent.push(message);
      if (this.#sent.length > RECENT) this.#sent.shift();
      this.#unsafe.add(message);
      return this.#send("send", message);
    });
    await Promise.all(burst);
  }

  #write(random: Random): Message {
    const recipient = this.#friend(random);
    const conversation = this.#with(recipient);
    let content = `${this.name} ${hexOf(random, 6)} ${"x".repeat(lengthOf(random))}`;
    while (conversation.knows(content)) content += "x";
    const key = this.#newKey(random);
    return this.#history.write({ sender: this.name, recipient, key, content });
  }

  /** Of either kind: what keys without a time stand for is remembered for ever. */
  #newKey(random: Random): string {
    const uuid = uuidOf(random);
    const { time } = this.#client.session;
    return time === undefined || random.oneIn(2) ? uuid : timedKey(uuid, time);
  }

  async #send(kind: "send" | "repeat" | "resend", message: Message): Promise<void> {
    const { recipient, content, key } = message;
    const reply = await this.#outcome(
      this.#history.begin(kind, this.name, [message]),
      () => this.#client.send(recipient, content, { key }),
      ({ copies, id }) => ({ copies, id }),
    );
    if (reply !== undefined && reply.copies >= this.#history.safeCopies) {
      this.#unsafe.delete(message);
    }
  }

  async #repeat(random: Random): Promise<void> {
    const again = random.pick(this.#sent);
    if (again?.id !== undefined) await this.#send("repeat", again);
  }

  async #readSome(random: Random): Promise<void> {
    const unread = this.view.newest(RECENT).filter(({ id, recipient }) =>
      recipient === this.name && !this.view.isRead(id)
    );
    await this.#change("read", someOf(unread, random));
  }

  async #deleteSome(random: Random): Promise<void> {
    await this.#change("delete", someOf(this.view.newest(RECENT), random));
  }

  async #tidy(random: Random): Promise<void> {
    const there = [...this.#with(this.#friend(random)).messages()].flatMap(identified)
      .filter(({ operations }) => operations.every(({ kind }) => kind !== "delete"));
    const old = there.slice(KEPT_FIRST, Math.max(KEPT_FIRST, there.length - KEPT_LAST));
    await this.#change("delete", old.filter(() => !random.oneIn(KEPT_BETWEEN)));
  }

  async #change(kind: "read" | "delete", told: readonly ToldMessage[]): Promise<void> {
    if (told.length === 0) return;
    const ids = told.map(({ id }) => id);
    const messages = told.flatMap((message) => this.#written(message) ?? []);
    await this.#outcome(
      this.#history.begin(kind, this.name, messages),
      () => kind === "read" ? this.#client.readMessages(ids) : this.#client.deleteMessages(ids),
      ({ count, copies }) => ({ count, copies }),
    );
  }

  async #readAll(random: Random): Promise<void> {
    const friend = this.#friend(random);
    const operation = this.#history.begin("read all", this.name);
    this.#with(friend).readAlls.push(operation);
    await this.#outcome(
      operation,
      () => this.#client.readMessages(friend),
      ({ copies }) => ({ copies }),
    );
  }

  async #look(random: Random): Promise<void> {
    const friend = this.#friend(random);
    const operation = this.#history.begin("list", this.name);
    const page = await this.#outcome(
      operation,
      () => this.#client.history({ with: friend, limit: PAGE }),
      () => ({}),
    );
    if (page === undefined) return;
    checkGlance(this.#history, this.#with(friend), page, { operation, node: this.#node });
  }

  /** Notes what came of it. undefined if it was refused, or if nobody knows whether it was done. */
  async #outcome<T>(
    operation: Operation,
    request: () => Promise<T>,
    answerOf: (reply: T) => Omit<Answer, "node">,
  ): Promise<T | undefined> {
    try {
      const reply = await request();
      this.#history.succeed(operation, { ...answerOf(reply), node: this.#node });
      return reply;
    } catch (error) {
      if (error instanceof UnansweredError) this.#history.giveUp(operation, error.message);
      else if (error instanceof RefusedError) this.#refused(operation, error);
      else throw error;
      return undefined;
    }
  }

  #refused(operation: Operation, { code, message: why }: RefusedError): void {
    this.#history.refuse(operation, why);
    // A node that lost its disk, and the others from sight, serves what it has got of them.
    if (code === "no_such_user" && this.#history.safeCopies > 1) return;
    const about = operation.messages.map(excerpt);
    this.#history.findings.report("refused", [describe(operation), ...about].join("\n"));
  }

  /** Whatever is told was written by one of the two, for the two. */
  #checkTold(told: ChatMessage): void {
    const conversation = this.#withOther(told);
    const message = conversation.withContent(told.content);
    if (message?.sender === told.sender || conversation.isForgotten(told.content)) return;
    if (this.#isNameless(told)) return;
    this.#report("foreign", told, `${this.name} was told of ${told.content}`);
  }

  /** A node that lost its disk may have got a message, and not yet the account of who is in it, too. */
  #isNameless({ sender, recipient, content }: ChatMessage): boolean {
    const other = sender === this.name ? recipient : sender;
    return this.#history.safeCopies > 1 && !this.#friends.includes(other) &&
      this.#friends.some((friend) => this.#with(friend).knows(content));
  }

  #report(fault: Fault, told: ToldMessage, what: string): void {
    const message = this.#written(told);
    const lines = message === undefined ? [what] : [what, excerpt(message)];
    this.#history.findings.report(fault, lines.join("\n"));
  }

  #written(told: ToldMessage): Message | undefined {
    return this.#withOther(told).withContent(told.content);
  }

  #withOther({ sender, recipient }: Pick<ToldMessage, "sender" | "recipient">): Conversation {
    return this.#with(sender === this.name ? recipient : sender);
  }

  #with(friend: string): Conversation {
    return this.#history.between(this.name, friend);
  }

  #friend(random: Random): string {
    return random.pick(this.#friends) ?? this.name;
  }

  /** That answered last. */
  get #node(): string {
    return this.#client.session.node;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#outside.clock.after(ms, resolve));
  }
}

/** A few of these. */
function someOf<T>(items: readonly T[], random: Random): T[] {
  const wanted = 1 + random.below(SOME);
  return items.filter(() => random.below(Math.max(1, items.length)) < wanted);
}

/** With its id, once that is known. */
function identified(message: Message): (Message & ToldMessage)[] {
  const { id } = message;
  return id === undefined ? [] : [{ ...message, id }];
}

/** Mostly short; now and then so long that few of them fill a packet between nodes. */
function lengthOf(random: Random): number {
  return random.below(random.oneIn(50) ? LONG : SHORT);
}

/** Of version 4: other random bits may spell version 7, with a time long before there were keys. */
export function uuidOf(random: Random): string {
  return hexOf(random, 16).replace(/^(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-8$4-");
}

function hexOf(random: Random, bytes: number): string {
  return random.bytes(bytes).toHex();
}
