import type { Reply } from "../../codec/message.ts";
import {
  ClosedError,
  type Credentials,
  type Door,
  WireClient,
} from "../../server/testing/wire_client.ts";
import { type Quantiles, quantiles } from "../load/round.ts";
import type { People } from "./site.ts";

/** Each sender sends so often, in ms, whether or not it was answered: what waits counts in full. */
const SEND_EVERY_MS = 40;
const CONTENT_CHARACTERS = 100;
/** How often somebody comes anew, in ms. */
const COME_EVERY_MS = 500;
/** How long somebody tries to sign in, and how long an answer or an event is waited for, in ms. */
const PATIENCE_MS = 30_000;
/** How long who was told that the server is busy waits, in ms. */
const BUSY_MS = 500;

/** How people sign in that come anew. */
export type SignInBy = "token" | "password";

/** What people met with for a while. */
export interface Seen {
  /** From sending to the acknowledgement. */
  readonly sends: Quantiles;
  /** Who came anew, and how long it took at most. */
  readonly came: number;
  readonly comingMsMax: number;
  /** What none of them should meet with. */
  readonly faults: string[];
}

/**
 * People who send to a friend at a steady pace, a friend who is told of it, and others who come and go:
 * what each of them meets with, whatever is done to the server meanwhile.
 */
export class Watch {
  readonly #door: Door;
  readonly #friend: WireClient;
  readonly #people: People;
  readonly #password: string;
  readonly #senders: readonly WireClient[];
  /** Contents that were acknowledged and are still to be told, and those that were told. */
  readonly #untold = new Set<string>();
  readonly #told = new Set<string>();
  #faults: string[] = [];
  #timesMs: number[] = [];
  #number = 0;
  #came = 0;
  #comingMsMax = 0;

  private constructor(
    door: Door,
    people: People,
    password: string,
    senders: readonly WireClient[],
    friend: WireClient,
  ) {
    this.#door = door;
    this.#people = people;
    this.#password = password;
    this.#senders = senders;
    this.#friend = friend;
    void this.#listen();
  }

  /** Senders are on the first of these nodes, their friend is on the last. */
  static async start(doors: readonly Door[], people: People, password: string): Promise<Watch> {
    const [first = 0, last = 0] = [doors[0], doors.at(-1)];
    const friend = await WireClient.resumed(last, people.friend);
    await friend.expect("done", { kind: "subscribe", payload: {} });
    const senders = await Promise.all(people.senders.map((it) => WireClient.resumed(first, it)));
    return new Watch(first, people, password, senders, friend);
  }

  /** Lets people go on until `end`, and waits for all that they are still to be told. */
  async until(end: Promise<unknown>, signInBy: SignInBy): Promise<Seen> {
    [this.#timesMs, this.#faults, this.#came, this.#comingMsMax] = [[], [], 0, 0];
    let isOver = false;
    const over = end.finally(() => isOver = true);
    const going = () => !isOver;
    const deeds = [
      this.#come(going, signInBy),
      ...this.#senders.map((it) => this.#pace(it, going)),
    ];
    await over;
    await Promise.all(deeds);
    await this.#allTold();
    return {
      sends: quantiles(this.#timesMs),
      came: this.#came,
      comingMsMax: this.#comingMsMax,
      faults: this.#faults,
    };
  }

  close(): void {
    for (const client of [this.#friend, ...this.#senders]) client.close();
  }

  async #pace(sender: WireClient, going: () => boolean): Promise<void> {
    const unanswered: Promise<void>[] = [];
    // Not all at the same moment.
    await pause(Math.random() * SEND_EVERY_MS);
    for (let dueMs = performance.now(); going(); dueMs += SEND_EVERY_MS) {
      unanswered.push(this.#send(sender));
      await pause(dueMs + SEND_EVERY_MS - performance.now());
    }
    await Promise.all(unanswered);
  }

  async #send(sender: WireClient): Promise<void> {
    const content = String(this.#number++).padEnd(CONTENT_CHARACTERS, "x");
    const payload = { to: this.#people.friend.name, content };
    const sentMs = performance.now();
    const reply = await inTime(sender.request({ kind: "send_message", payload }));
    this.#timesMs.push(performance.now() - sentMs);
    if (typeof reply === "string") this.#faults.push(`a message got no answer: ${reply}`);
    else if (reply.kind !== "sent") this.#faults.push(`a message was answered ${textOf(reply)}`);
    else if (!this.#told.has(content)) this.#untold.add(content);
  }

  /** Somebody comes anew, over and over. */
  async #come(going: () => boolean, by: SignInBy): Promise<void> {
    while (going()) {
      const startMs = performance.now();
      const end = await inTime(this.#signInAnew(by, startMs + PATIENCE_MS));
      const tookMs = performance.now() - startMs;
      this.#comingMsMax = Math.max(this.#comingMsMax, tookMs);
      if (end === "in") this.#came++;
      else this.#faults.push(`somebody could not sign in by ${by}: ${end}`);
      await pause(COME_EVERY_MS - tookMs);
    }
  }

  async #signInAnew(by: SignInBy, deadlineMs: number): Promise<string> {
    const { friend } = this.#people;
    for (;;) {
      const reply = await this.#trySignIn(by, friend);
      if (typeof reply !== "string" && reply.kind === "login_success") return "in";
      const why = typeof reply === "string" ? reply : textOf(reply);
      if (by === "token" || performance.now() > deadlineMs) return why;
      await pause(BUSY_MS);
    }
  }

  async #trySignIn(by: SignInBy, { name, token }: Credentials): Promise<Reply | string> {
    let client: WireClient | undefined;
    try {
      client = await WireClient.connect(this.#door);
      if (by === "token") return await client.request({ kind: "resume", payload: [name, token] });
      await client.request({ kind: "login_name", payload: name });
      return await client.request({ kind: "login_password", payload: this.#password });
    } catch (error) {
      return whyClosed(error);
    } finally {
      client?.close();
    }
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const event = await this.#friend.event();
        if (event.kind !== "message") continue;
        const { content } = event.payload;
        if (this.#told.has(content)) this.#faults.push("the friend was told of a message twice");
        this.#told.add(content);
        this.#untold.delete(content);
      }
    } catch (error) {
      this.#faults.push(`the friend is told of nothing more: ${whyClosed(error)}`);
    }
  }

  async #allTold(): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (this.#untold.size > 0 && performance.now() < deadlineMs) await pause(10);
    if (this.#untold.size === 0) return;
    this.#faults.push(`the friend was not told of ${this.#untold.size} acknowledged messages`);
    this.#untold.clear();
  }
}

/** What came of it, or why it is not waited for any more. */
async function inTime<T>(work: Promise<T>): Promise<T | string> {
  const overdue = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => overdue.resolve(`nothing came in ${PATIENCE_MS / 1000} s`),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([work, overdue.promise]);
  } catch (error) {
    return whyClosed(error);
  } finally {
    clearTimeout(timer);
  }
}

function whyClosed(error: unknown): string {
  if (error instanceof ClosedError) return "the server hung up";
  if (error instanceof Deno.errors.ConnectionRefused) return "the server does not listen";
  if (error instanceof Deno.errors.ConnectionReset) return "the server reset the connection";
  throw error;
}

function textOf(reply: Reply): string {
  if (reply.kind !== "error") return reply.kind;
  return `${reply.payload.code}: ${reply.payload.sentence}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
