import { printable } from "../../codec/printable.ts";
import type { ChatClient, ClientEvent, Clock, ConnectionState } from "../connection.ts";
import { changePasswordDialog, deleteAccountDialog } from "../dialog/account_dialog.ts";
import type { Dialog, EndOfInput } from "../dialog/dialog.ts";
import { agrees } from "../dialog/sign_in_dialog.ts";
import { isEnd, isTellable, textOf } from "../dialog/tellable.ts";
import { longestName } from "../slash/longest_name.ts";
import { counted } from "../text/wording.ts";
import type { Effect, ServerEffect } from "./effect.ts";
import { frameOf } from "./frame.ts";
import type { Model } from "./model.ts";
import { Notifier, type Notifying } from "./notifier.ts";
import { pageOf } from "./page_of.ts";
import type { Terminal } from "./terminal.ts";
import { firstModel, type Happening, update } from "./update.ts";

/** Frames are drawn at most this often, in ms; the first after a pause at once. */
const FRAME_MS = 16;
/** How often the node is asked what it knows of the others. */
const STATUS_EVERY_MS = 5_000;
/** A node that takes longer to say how it is may be in trouble, in ms. */
const SILENT_MS = 2_000;
/** For answers to what was sent last, when the person leaves. */
const LEAVING_MS = 1_000;
/** Names that are offered to complete one. */
const NAMES_MAX = 20;
const PEOPLE_MAX = 1_000;
/** Messages that are found at once. */
const SEARCH_PAGE = 100;

/** What a person entered before, in this and in earlier sessions. */
export interface InputLog {
  /** Oldest first. */
  read(): Promise<readonly string[]>;
  add(text: string): Promise<void>;
}

export interface ScreenClientParts {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** ms since 1970. */
  readonly wallMs: () => number;
  readonly notifying: Notifying;
  readonly inputs: InputLog;
  /** What the person is told at first. */
  readonly intro?: readonly string[];
}

/**
 * The interactive client on a whole terminal: lets what happens change the model, draws it, and does
 * what follows.
 */
export class ScreenClient implements Dialog {
  readonly isInteractive = true;
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #wallMs: () => number;
  readonly #inputs: InputLog;
  readonly #notifier: Notifier;
  #model: Model;
  #client: ChatClient | undefined;
  /** A frame is due, or may not be drawn yet. */
  #isDue = false;
  #drawnMs = -Infinity;
  readonly #left = Promise.withResolvers<EndOfInput>();
  #hasLeft = false;
  #answer: ((text: string | undefined) => void) | undefined;
  /** Sends that are not answered. */
  readonly #sending = new Set<Promise<void>>();
  /** What was entered is logged in its order. */
  #logged = Promise.resolve();
  #isAsking = false;
  readonly #lastWords: string[] = [];

  constructor({ terminal, clock, wallMs, notifying, inputs, intro }: ScreenClientParts) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#wallMs = wallMs;
    this.#inputs = inputs;
    this.#notifier = new Notifier(
      notifying,
      clock,
      (sequence) => terminal.signal(sequence),
      (error) => this.#tellFailure("run the program that notifies", error),
    );
    this.#model = firstModel(terminal.size, intro);
    terminal.listen({
      onPress: (press) => this.#happen({ kind: "pressed", press }),
      onResize: (size) => this.#happen({ kind: "resized", size }),
    });
    this.#drawSoon();
  }

  print(...lines: readonly string[]): void {
    this.#happen({ kind: "told", lines });
  }

  ask(text: string, { isHidden = false } = {}): Promise<string | undefined> {
    if (this.#hasLeft) return Promise.resolve(undefined);
    this.#answer?.(undefined);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#happen({ kind: "asked", text, isHidden });
    });
  }

  onState(state: ConnectionState): void {
    this.#happen({ kind: "connection", state });
  }

  /** Ends the session, as if the person had left. */
  end(why: EndOfInput): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#left.resolve(why);
    this.#answer?.(undefined);
  }

  /** Whether the person left, and how. */
  get left(): Promise<EndOfInput> {
    return this.#left.promise;
  }

  /** Serves the person who is signed in until they leave, or the session ends. */
  async run(client: ChatClient): Promise<EndOfInput> {
    this.#client = client;
    const events = await client.subscribe();
    const { user } = client.session;
    this.#happen({ kind: "signed_in", me: user, inputs: await this.#readInputs() });
    const stopAsking = this.#askAgainAndAgain();
    try {
      const why = await Promise.race([this.left, this.#listen(events)]);
      if (why === "end") await this.#finishSending();
      return why;
    } finally {
      stopAsking();
      await this.#logged;
    }
  }

  /** What is left to be said when the terminal is as before. */
  get lastWords(): readonly string[] {
    const { size } = this.#sending;
    const unsent = `not known to be stored: ${counted(size, "message")}`;
    return size === 0 ? this.#lastWords : [...this.#lastWords, unsent];
  }

  close(): void {
    this.end("end");
    this.#terminal.close();
  }

  async #readInputs(): Promise<readonly string[]> {
    try {
      return await this.#inputs.read();
    } catch (error) {
      this.#tellFailure("recall what was entered before", error);
      return [];
    }
  }

  async #listen(events: AsyncIterable<ClientEvent>): Promise<EndOfInput> {
    for await (const event of events) this.#happen({ kind: "event", event });
    return await this.left;
  }

  async #finishSending(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const cancel = this.#clock.after(LEAVING_MS, patience.resolve);
    await Promise.race([Promise.all(this.#sending), patience.promise]);
    cancel();
  }

  #askAgainAndAgain(): () => void {
    let cancel = () => {};
    const ask = () => {
      if (this.#model.connection?.state !== "lost") {
        this.#do({ kind: "ask_status", isForPerson: false });
      }
      cancel = this.#clock.after(STATUS_EVERY_MS, ask);
    };
    cancel = this.#clock.after(STATUS_EVERY_MS, ask);
    return () => cancel();
  }

  #happen(happening: Happening): void {
    const { model, effects } = update(this.#model, happening, this.#wallMs());
    this.#model = model;
    this.#drawSoon();
    for (const effect of effects) this.#do(effect);
  }

  /** What happens together is drawn together. */
  #drawSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const waitMs = Math.max(0, this.#drawnMs + FRAME_MS - this.#clock.nowMs());
    this.#clock.after(waitMs, () => {
      this.#isDue = false;
      this.#drawnMs = this.#clock.nowMs();
      this.#terminal.draw(frameOf(this.#model));
    });
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "answer": {
        const answer = this.#answer;
        this.#answer = undefined;
        return answer?.(effect.text);
      }
      case "leave":
        return this.end(effect.why);
      case "redraw":
        return this.#terminal.forget();
      case "notify":
        return this.#notifier.tell(effect.from, effect.text);
      case "remember_input":
        this.#logged = this.#logged.then(() => this.#inputs.add(effect.text))
          .catch((error) => this.#tellFailure("keep what was entered", error));
        return;
      default:
        if (this.#client !== undefined) this.#askFor(this.#client, effect);
    }
  }

  #askFor(client: ChatClient, effect: ServerEffect): void {
    switch (effect.kind) {
      case "load_conversations":
        return this.#hear(
          client.conversations(),
          (listed) => ({ kind: "conversations", listed }),
          (why) => ({ kind: "no_conversations", why }),
        );
      case "load_messages": {
        const { number, with: friend, position, limit } = effect;
        return this.#hear(
          pageOf(client, friend, position, limit),
          (messages) => ({ kind: "page", number, with: friend, position, messages }),
          (why) => ({ kind: "no_page", number, with: friend, why }),
        );
      }
      case "send":
        return this.#send(client, effect);
      case "mark_read":
        return this.#track(client.readMessages(effect.which));
      case "address": {
        const { text } = effect;
        return this.#hear(
          addresseeOf(client, text),
          ({ name, person, content }) =>
            person === undefined
              ? { kind: "not_addressed", text, why: `There is nobody called ${name}` }
              : { kind: "addressed", text, person, content },
          (why) => ({ kind: "not_addressed", text, why }),
        );
      }
      case "list_people": {
        const { pattern } = effect;
        return this.#hear(
          client.users({ pattern, limit: PEOPLE_MAX }),
          (people) => ({ kind: "people", pattern, people }),
        );
      }
      case "find_names": {
        const { prefix, typed } = effect;
        return this.#hear(
          client.users({ pattern: `${prefix}*`, limit: NAMES_MAX }),
          (people) => ({ kind: "names", prefix, typed, names: people.map(({ name }) => name) }),
        );
      }
      case "search": {
        const { text, before } = effect;
        const position = before === undefined ? {} : { before };
        return this.#hear(
          client.search({ text, limit: SEARCH_PAGE, ...position }),
          ({ messages, next }) => ({ kind: "found", text, messages, next }),
          (why) => ({ kind: "not_found", why }),
        );
      }
      case "ask_status":
        return this.#askStatus(client, effect.isForPerson);
      case "delete_message":
        return this.#track(this.#deleteMessage(client, effect));
      case "change_password":
        return this.#track(changePasswordDialog(client, this));
      case "delete_account":
        return this.#track(this.#deleteAccount(client));
      default:
        return effect satisfies never;
    }
  }

  /** Lets an answer, or a refusal, happen when it is there; a refusal is told unless it is more. */
  #hear<T>(
    answer: Promise<T>,
    toHappening: (answer: T) => Happening,
    refused: (why: string) => Happening = (why) => ({ kind: "told", lines: [why] }),
  ): void {
    this.#track(this.#heard(answer, toHappening, refused));
  }

  #heard<T>(
    answer: Promise<T>,
    toHappening: (answer: T) => Happening,
    refused: (why: string) => Happening,
  ): Promise<void> {
    return answer.then(
      (answer) => this.#happen(toHappening(answer)),
      (error) => {
        if (!isTellable(error)) throw error;
        this.#happen(refused(textOf(error)));
      },
    );
  }

  #send(client: ChatClient, { number, to, content }: Extract<Effect, { kind: "send" }>): void {
    const settled = this.#heard(
      client.send(to, content),
      (sent) => ({ kind: "sent", number, to, sent }),
      (why) => ({ kind: "not_sent", number, to, why }),
    ).catch((error) => this.#fail(error));
    this.#sending.add(settled);
    void settled.finally(() => this.#sending.delete(settled));
  }

  #askStatus(client: ChatClient, isForPerson: boolean): void {
    if (this.#isAsking && !isForPerson) return;
    this.#isAsking = true;
    const stopWaiting = this.#clock.after(SILENT_MS, () => this.#happen({ kind: "silent" }));
    const asked = client.status()
      .then((status) => this.#happen({ kind: "status", status, isForPerson }))
      .finally(() => {
        stopWaiting();
        this.#isAsking = false;
      });
    this.#track(asked);
  }

  async #deleteMessage(
    client: ChatClient,
    { id, shown }: Extract<Effect, { kind: "delete_message" }>,
  ): Promise<void> {
    if (!await agrees(this, `Delete "${shown}" for both sides? [y/N] `)) {
      return this.print("It stays");
    }
    const { count } = await client.deleteMessages([id]);
    this.print(count === 0 ? "It was gone already" : "Deleted");
  }

  async #deleteAccount(client: ChatClient): Promise<void> {
    const { user } = client.session;
    if (!await deleteAccountDialog(client, this)) return;
    this.#lastWords.push(`${printable(user)} is deleted`);
    this.end("end");
  }

  /** Lets something go on by itself. */
  #track(work: Promise<unknown>): void {
    void work.catch((error) => this.#fail(error));
  }

  /** Of what a person talks well without, such as a file that cannot be written. */
  #tellFailure(action: string, error: unknown): void {
    this.print(`Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Refusals are told; that the session has ended, the events tell; all else is a bug. */
  #fail(error: unknown): void {
    if (isEnd(error)) return;
    if (isTellable(error)) this.print(textOf(error));
    else this.#left.reject(error);
  }
}

/** Whose name a text begins with, if it is somebody's, and what follows it. */
async function addresseeOf(client: ChatClient, text: string) {
  const name = await longestName(client, text);
  const [person] = await client.users({ pattern: name, limit: 1 });
  return { name, person, content: text.slice(name.length).trim() };
}
