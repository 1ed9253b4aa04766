import type { ChatMessage, Event } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import type { ChatClient, ClientEvent, Clock, ConnectionState, Sent } from "../connection.ts";
import { messageOf, parseSlash } from "../slash/slash_table.ts";
import type { Paint } from "../text/paint.ts";
import { counted, dateAndTime, messageLines, renamedText, timeOfDay } from "../text/wording.ts";
import type { EndOfInput } from "../dialog/dialog.ts";
import { isEnd, isTellable, textOf } from "../dialog/tellable.ts";
import type { LineScreen } from "./line_screen.ts";
import { ShownMessages } from "./shown_messages.ts";
import { runSlashCommand } from "./slash_commands.ts";

/** Messages shown when a conversation is opened. */
const OPENING_MESSAGES = 20;
/** A send that takes longer is said to be under way. */
const SLOW_SEND_MS = 400;
/** For answers to what was sent last, when the person leaves. */
const LEAVING_MS = 1_000;

export interface LineClientParts {
  readonly client: ChatClient;
  readonly screen: LineScreen;
  readonly paint: Paint;
  readonly clock: Clock;
  /** Whether messages in other conversations ring the bell. */
  readonly rings: boolean;
}

/** The interactive client in lines: what is entered, what comes in, and what is known of each. */
export class LineClient {
  readonly client: ChatClient;
  readonly screen: LineScreen;
  readonly paint: Paint;
  readonly shown = new ShownMessages();
  readonly #clock: Clock;
  readonly #rings: boolean;
  /** Sends that are not answered: their events may come before their answers. */
  readonly #sending = new Set<Promise<Sent>>();
  /** Answered, or printed, after all that was entered before. */
  readonly #settled = new Set<Promise<void>>();
  #open: string | undefined;
  #isLeaving = false;
  #lastState = "";

  constructor({ client, screen, paint, clock, rings }: LineClientParts) {
    this.client = client;
    this.screen = screen;
    this.paint = paint;
    this.#clock = clock;
    this.#rings = rings;
    screen.setPrompt("> ");
  }

  /** The friend that plain text goes to. */
  get open(): string | undefined {
    return this.#open;
  }

  /** Serves the person until they leave, or the session ends; resolves with why. */
  async run(): Promise<EndOfInput> {
    const events = await this.client.subscribe();
    await this.#welcome();
    const listening = this.#listen(events);
    const entering = this.#takeLines();
    const why = await Promise.race([entering, listening]);
    if (why === "end") await this.#finishSending();
    return why;
  }

  /** A script's messages are all sent; a person who leaves does not wait for long. */
  async #finishSending(): Promise<void> {
    const all = Promise.allSettled(this.#settled);
    if (!this.screen.isInteractive) return void await all;
    const patience = Promise.withResolvers<void>();
    const cancel = this.#clock.after(LEAVING_MS, patience.resolve);
    await Promise.race([all, patience.promise]);
    cancel();
    const { size } = this.#sending;
    if (size > 0) this.print(`Not known to be stored: ${size} of your messages`);
  }

  /** What the connection's states mean to the person. */
  onState(state: ConnectionState): void {
    if (state.state === "ended") return;
    const text = state.state === "connected"
      ? `connected to ${printable(state.node)} (${state.host})`
      : `no connection to ${state.host}: ${printable(state.why)}; trying on`;
    // A host that stays away is news once.
    if (text !== this.#lastState) this.print(this.paint.faint(`-- ${text}`));
    this.#lastState = text;
  }

  print(...lines: readonly string[]): void {
    this.screen.print(...lines);
  }

  /** Makes `friend` the one that plain text goes to: shows the newest messages, and reads them. */
  async openConversation(friend: string): Promise<void> {
    const messages = await this.client.history({ with: friend, limit: OPENING_MESSAGES });
    this.#open = friend;
    this.screen.setPrompt(`${printable(friend)}> `);
    this.print(this.paint.strong(`-- ${printable(friend)} --`));
    this.printHistory(messages);
    if (messages.some((message) => this.isUnread(message))) await this.client.readMessages(friend);
  }

  closeConversation(): void {
    this.#open = undefined;
    this.screen.setPrompt("> ");
  }

  /** A message with its day and whom it went to, as it may be of any conversation. */
  printFound(message: ChatMessage): void {
    const number = this.shown.numberOf(message.id);
    const head = `[${number}] ${dateAndTime(message.time)}  to ${printable(message.recipient)} `;
    this.print(...messageLines(message, head, this.paint));
  }

  /** Messages with a line above the first unread one. */
  printHistory(messages: readonly ChatMessage[]): void {
    const firstUnread = messages.find((message) => this.isUnread(message));
    for (const message of messages) {
      if (message === firstUnread) this.print(this.paint.strong("-- unread --"));
      this.#printMessage(message);
    }
  }

  /** Whether it is to this account, which may write to itself, and not read. */
  isUnread({ recipient, status }: ChatMessage): boolean {
    return status === "unread" && recipient === this.client.session.user;
  }

  /** Sends to a friend without waiting: what becomes of it is printed when it is known. */
  send(friend: string, content: string): void {
    const number = this.shown.number();
    const sent = this.client.send(friend, content);
    this.#sending.add(sent);
    this.#track(this.#tellOutcome(number, sent));
  }

  async #takeLines(): Promise<EndOfInput> {
    while (!this.#isLeaving) {
      const entered = await this.screen.next();
      if ("end" in entered) return entered.end;
      try {
        await this.#enter(entered.line);
      } catch (error) {
        this.#explain(error);
      }
    }
    return "end";
  }

  async #enter(line: string): Promise<void> {
    if (line.trim() === "") return;
    const command = parseSlash(line);
    if (command !== undefined) {
      this.#isLeaving = await runSlashCommand(this, command) === "leave";
      return;
    }
    const content = messageOf(line);
    if (this.#open === undefined) {
      this.print("Nobody to send it to: /msg NAME opens a conversation");
    } else this.send(this.#open, content);
  }

  /** Refusals are told; what ends the client, and bugs, are thrown on. */
  #explain(error: unknown): void {
    if (!isTellable(error)) throw error;
    this.print(printable(textOf(error)));
  }

  async #tellOutcome(number: number, sent: Promise<Sent>): Promise<void> {
    const stopWaiting = this.#clock.after(
      SLOW_SEND_MS,
      () => this.print(this.paint.faint(`[${number}] sending…`)),
    );
    try {
      const { id, copies } = await sent;
      this.shown.name(number, id);
      this.print(this.paint.faint(`[${number}] stored on ${counted(copies, "node")}`));
    } catch (error) {
      if (isEnd(error) || !(error instanceof Error)) return;
      this.print(this.paint.strong(`[${number}] not sent: ${printable(textOf(error))}`));
    } finally {
      stopWaiting();
      this.#sending.delete(sent);
    }
  }

  async #welcome(): Promise<void> {
    const { user, node } = this.client.session;
    this.print(`You are ${printable(user)} on ${printable(node)}. /help tells what can be done.`);
    for await (const { name, unread } of this.client.allUsers()) {
      if (unread > 0) this.print(`${this.paint.name(printable(name))}: ${unread} unread`);
    }
  }

  async #listen(events: AsyncIterable<ClientEvent>): Promise<EndOfInput> {
    for await (const event of events) this.#tell(event);
    return "end";
  }

  #tell(event: ClientEvent): void {
    switch (event.kind) {
      case "message":
        return this.#tellMessage(event.payload, event.late);
      case "read":
        return this.#tellRead(event.payload);
      case "deleted":
        return this.#tellNumbers(event.payload.ids, "deleted");
      case "presence": {
        const { name, online } = event.payload;
        if (name !== this.#open) return;
        const presence = online ? "online" : "offline";
        return this.print(this.paint.faint(`-- ${printable(name)} is ${presence}`));
      }
      case "renamed":
        return this.print(this.paint.strong(`-- ${renamedText(event.payload)}`));
      default:
        return event satisfies never;
    }
  }

  #tellMessage(message: ChatMessage, isLate: boolean): void {
    if (this.shown.has(message.id)) return;
    const { sender, recipient } = message;
    if (sender === this.client.session.user) return this.#tellOwn(message, recipient);
    if (sender === this.#open) {
      this.#printMessage(message);
      return this.#read(message);
    }
    const [first = "", ...rest] = messageLines(message, timeOfDay(message.time), this.paint);
    this.print(`${this.paint.strong("*")} ${first}`, ...rest);
    if (this.#rings && !isLate) this.screen.ring();
  }

  /** What another device of the same account sent; one's own sends get their ids first. */
  #tellOwn(message: ChatMessage, recipient: string): void {
    this.#track(
      Promise.allSettled(this.#sending).then(() => {
        if (recipient !== this.#open) return;
        if (!this.shown.has(message.id)) this.#printMessage(message);
        if (this.isUnread(message)) this.#read(message);
      }),
    );
  }

  #read({ id }: ChatMessage): void {
    this.#track(this.client.readMessages([id]).then(() => undefined));
  }

  #tellRead({ reader, ids }: Extract<Event, { kind: "read" }>["payload"]): void {
    if (reader === this.client.session.user) return;
    this.#tellNumbers(ids, `read by ${printable(reader)}`);
  }

  #tellNumbers(ids: readonly string[], what: string): void {
    const numbers = this.shown.numbersOf(ids);
    if (numbers.length > 0) this.print(this.paint.faint(`[${numbers.join(", ")}] ${what}`));
  }

  #printMessage(message: ChatMessage): void {
    const number = this.shown.numberOf(message.id);
    const head = `[${number}] ${timeOfDay(message.time)}`;
    this.print(...messageLines(message, head, this.paint));
  }

  /** Lets something go on by itself; leaving waits for it. */
  #track(work: Promise<void>): void {
    const settled = work.catch((error) => {
      // That the session has ended, the events tell.
      if (!isEnd(error)) this.#explain(error);
    });
    this.#settled.add(settled);
    void settled.finally(() => this.#settled.delete(settled));
  }
}
