import type { ChatMessage } from "../../codec/message.ts";
import { ChatClient, type ClientEvent, type Host, type Outside, type Sent } from "../connection.ts";

/** Somebody of the demo: a client, all that it sent, and all that it was told. */
export class Person implements AsyncDisposable {
  readonly name: string;
  readonly client: ChatClient;
  /** Contents of messages. */
  readonly sent: string[] = [];
  readonly #told: ChatMessage[] = [];
  readonly #read = new Set<string>();
  /** Rejects when no more will be told. */
  readonly #ended: Promise<never>;
  #news = Promise.withResolvers<void>();

  private constructor(name: string, client: ChatClient, events: AsyncIterable<ClientEvent>) {
    this.name = name;
    this.client = client;
    this.#ended = this.#listen(events);
    // Whoever waits for news sees it.
    this.#ended.catch(() => undefined);
  }

  /** Signs up by way of the first of `hosts`, and keeps to it while it lives. */
  static async signUp(name: string, hosts: readonly Host[], outside: Outside): Promise<Person> {
    const client = new ChatClient({ hosts, outside });
    await client.signIn({ user: name, password: outside.uuid(), create: true });
    return new Person(name, client, await client.subscribe());
  }

  /** `alice on node1` */
  get place(): string {
    return `${this.name} on ${this.client.session.node}`;
  }

  async send(to: Person, content: string): Promise<Sent> {
    this.sent.push(content);
    return await this.client.send(to.name, content);
  }

  /** Contents of the messages that this person was told of, as often as they were told. */
  toldBy(sender: Person): string[] {
    return this.#told
      .filter((message) => message.sender === sender.name)
      .map(({ content }) => content);
  }

  async received(content: string): Promise<void> {
    await this.#until(() => this.#told.some((message) => message.content === content));
  }

  /** Resolves when so many of this person's messages are known to be read. */
  async seesRead(count: number): Promise<void> {
    await this.#until(() => this.#read.size >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  async #listen(events: AsyncIterable<ClientEvent>): Promise<never> {
    for await (const { kind, payload } of events) {
      if (kind === "message") this.#told.push(payload);
      else if (kind === "read") { for (const id of payload.ids) this.#read.add(id); }
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    }
    throw new Error(`The demo found that ${this.name} is told nothing any more`);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await Promise.race([this.#news.promise, this.#ended]);
  }
}
