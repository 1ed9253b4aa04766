import type { ChatMessage } from "../../codec/message.ts";
import type { Conversation, History, Message } from "../../server/testing/people/history.ts";
import type { Random } from "../../server/testing/random.ts";
import { ClosedError, type Credentials, WireClient } from "../../server/testing/wire_client.ts";

/** Sent at once before their replies are waited for. */
const IN_FLIGHT = 8;

/**
 * A user who sends to one friend, deletes some of that, and reads what another friend sends, while
 * the server is killed at any moment; and who notes in the history what was acknowledged.
 */
export class CrashClient {
  readonly me: Credentials;
  readonly #friend: string;
  readonly #history: History;
  /** Whose messages this client reads. */
  admirer: CrashClient | undefined;
  readonly #random: Random;
  #count = 0;

  constructor(me: Credentials, friend: string, history: History, random: Random) {
    this.me = me;
    this.#friend = friend;
    this.#history = history;
    this.#random = random;
  }

  /** Works until the server closes the connection or `stopped` says so. */
  async work(port: number, stopped: () => boolean): Promise<void> {
    await untilClosed(async () => {
      const client = await WireClient.resumed(port, this.me);
      try {
        while (!stopped()) {
          await this.#sendSome(client);
          if (this.#random.oneIn(3)) await this.#deleteSome(client);
          if (this.#random.oneIn(3)) await this.#readSome(client);
        }
      } finally {
        client.close();
      }
    });
  }

  /** Sends again, with its key, each message of which it is unknown whether it was stored. */
  async settle(port: number): Promise<void> {
    const client = await WireClient.resumed(port, this.me);
    for (const message of this.conversation.messages()) {
      const isMine = message.sender === this.me.name;
      if (isMine && message.id === undefined) await this.#send(client, "resend", [message]);
    }
    client.close();
  }

  /** With the friend, as it should be. */
  get conversation(): Conversation {
    return this.#history.between(this.me.name, this.#friend);
  }

  /** The whole conversation with the friend, as the server has it. */
  async listed(port: number): Promise<ChatMessage[]> {
    const client = await WireClient.resumed(port, this.me);
    const pages: (readonly ChatMessage[])[] = [];
    for (;;) {
      const before = pages[0]?.[0]?.id;
      const payload = { with: this.#friend, ...(before === undefined ? {} : { before }) };
      const page = await client.expect("messages", { kind: "list_messages", payload });
      if (page.length === 0) break;
      pages.unshift(page);
    }
    client.close();
    return pages.flat();
  }

  async #sendSome(client: WireClient): Promise<void> {
    const { name: sender } = this.me;
    const messages = Array.from({ length: IN_FLIGHT }, () => {
      const content = `${sender} ${this.#count++} ${"x".repeat(this.#random.below(200))}`;
      const key = crypto.randomUUID();
      return this.#history.write({ sender, recipient: this.#friend, key, content });
    });
    await this.#send(client, "send", messages);
  }

  async #send(
    client: WireClient,
    kind: "send" | "resend",
    messages: readonly Message[],
  ): Promise<void> {
    const operations = messages.map((one) => this.#history.begin(kind, this.me.name, [one]));
    for (const { key, content } of messages) {
      const payload = { to: this.#friend, content, key };
      await client.send({ kind: "send_message", payload });
    }
    for (const operation of operations) {
      const reply = await client.reply();
      if (reply.kind !== "sent") throw new Error(`Cannot go on: ${JSON.stringify(reply)}`);
      const { id, copies } = reply.payload;
      this.#history.succeed(operation, { node: undefined, id, copies });
    }
  }

  /** Some of the newest, so that deletes meet messages of the same batches. */
  async #deleteSome(client: WireClient): Promise<void> {
    const some = await this.#newest(client, this.#friend);
    const messages = this.#known(some, this.#friend).filter(() => this.#random.oneIn(3));
    await this.#change(client, "delete", messages);
  }

  async #readSome(client: WireClient): Promise<void> {
    if (this.admirer === undefined) return;
    const { name } = this.admirer.me;
    const messages = this.#known(await this.#newest(client, name), name);
    await this.#change(client, "read", messages.filter(() => this.#random.oneIn(2)));
  }

  async #change(
    client: WireClient,
    kind: "read" | "delete",
    messages: readonly Message[],
  ): Promise<void> {
    const operation = this.#history.begin(kind, this.me.name, messages);
    const ids = messages.flatMap(({ id }) => id ?? []);
    const request = { kind: `${kind}_messages`, payload: ids } as const;
    const { copies } = await client.expect("done", request);
    // All of these are there, or were read before: with one node, all that was asked holds.
    this.#history.succeed(operation, { node: undefined, copies });
  }

  #known(listed: readonly ChatMessage[], friend: string): Message[] {
    const conversation = this.#history.between(this.me.name, friend);
    return listed.flatMap(({ id }) => conversation.withId(id) ?? []);
  }

  #newest(client: WireClient, friend: string): Promise<readonly ChatMessage[]> {
    const payload = { with: friend, limit: 20 };
    return client.expect("messages", { kind: "list_messages", payload });
  }
}

/** That the server is gone is what this is about; everything else is a fault. */
async function untilClosed(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const gone = error instanceof ClosedError || error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.ConnectionRefused;
    if (!gone) throw error;
  }
}
