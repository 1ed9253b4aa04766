import type { ChatMessage } from "../../codec/message.ts";
import { ClosedError, type Credentials, WireClient } from "../../server/testing/wire_client.ts";
import type { Random } from "../random.ts";
import { type Entry, Ledger } from "./ledger.ts";

/** Sent at once before their replies are waited for. */
const IN_FLIGHT = 8;

/**
 * A user who sends to one friend, deletes some of that, and reads what another friend sends, while
 * the server is killed at any moment; and who remembers what was acknowledged.
 */
export class CrashClient {
  readonly me: Credentials;
  readonly #friend: string;
  readonly ledger = new Ledger();
  /** Whose messages this client reads. */
  admirer: CrashClient | undefined;
  readonly #random: Random;
  #count = 0;

  constructor(me: Credentials, friend: string, random: Random) {
    this.me = me;
    this.#friend = friend;
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
    for (const entry of this.ledger.unknown()) await this.#send(client, [entry]);
    client.close();
  }

  /** The whole conversation with the friend. */
  async conversation(port: number): Promise<ChatMessage[]> {
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
    const entries = Array.from({ length: IN_FLIGHT }, () => {
      const content = `${this.me.name} ${this.#count++} ${"x".repeat(this.#random.below(200))}`;
      return this.ledger.add(this.me.name, crypto.randomUUID(), content);
    });
    await this.#send(client, entries);
  }

  async #send(client: WireClient, entries: readonly Entry[]): Promise<void> {
    for (const { key, content } of entries) {
      const payload = { to: this.#friend, content, key };
      await client.send({ kind: "send_message", payload });
    }
    for (const entry of entries) {
      const reply = await client.reply();
      if (reply.kind !== "sent") throw new Error(`Cannot go on: ${JSON.stringify(reply)}`);
      this.ledger.acknowledge(entry, reply.payload.id);
    }
  }

  /** Some of the newest, so that deletes meet messages of the same batches. */
  async #deleteSome(client: WireClient): Promise<void> {
    const newest = await this.#newest(client, this.#friend);
    const entries = newest.flatMap(({ id }) => this.ledger.find(id) ?? [])
      .filter(() => this.#random.oneIn(3));
    for (const entry of entries) entry.deletion = "asked";
    const ids = entries.flatMap(({ id }) => id ?? []);
    await client.expect("done", { kind: "delete_messages", payload: ids });
    for (const entry of entries) entry.deletion = "acknowledged";
  }

  async #readSome(client: WireClient): Promise<void> {
    if (this.admirer === undefined) return;
    const newest = await this.#newest(client, this.admirer.me.name);
    const ids = newest.map(({ id }) => id).filter(() => this.#random.oneIn(2));
    await client.expect("done", { kind: "read_messages", payload: ids });
    for (const id of ids) {
      const entry = this.admirer.ledger.find(id);
      if (entry !== undefined) entry.read = true;
    }
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
