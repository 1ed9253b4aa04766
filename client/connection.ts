import {
  type ChatConversation,
  type ChatMessage,
  type ChatUser,
  type Event,
  type FoundMessages,
  LIST_ITEMS_MAX,
  type NodeStatus,
  type ReplyKind,
  type ReplyPayload,
  type Request,
  type RequestPayload,
} from "../codec/message.ts";
import { timedKey } from "../codec/timed_key.ts";
import { type Dialed, Dialer } from "./connection/dialer.ts";
import { ClosedError, SessionEndedError, UnknownOutcomeError } from "./connection/errors.ts";
import { formatHost, type Host } from "./connection/host.ts";
import {
  checkContent,
  checkIds,
  checkKey,
  checkName,
  checkPassword,
} from "./connection/input_limits.ts";
import type { Link } from "./connection/link.ts";
import {
  type ChatClientOptions,
  type ClientLimits,
  type ClientTimeouts,
  type ConnectionState,
  LIMITS_DEFAULT,
  TIMEOUTS_DEFAULT,
} from "./connection/options.ts";
import type { Outside } from "./connection/outside.ts";
import { payloadOf } from "./connection/reply.ts";
import { RequestQueue } from "./connection/request_queue.ts";
import {
  type Credentials,
  Keyring,
  lookUp,
  NotAcceptedError,
  redeemer,
  type Session,
  signInWithPassword,
} from "./connection/sign_in.ts";
import { Subscription } from "./connection/subscription.ts";

export * from "./connection/errors.ts";
export { formatHost, type Host, parseHost, PORT_DEFAULT } from "./connection/host.ts";
export {
  checkContent,
  checkKey,
  checkName,
  CONTENT_BYTES_MAX,
  NAME_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MIN,
} from "./connection/input_limits.ts";
export type {
  ChatClientOptions,
  ClientLimits,
  ClientTimeouts,
  ConnectionState,
} from "./connection/options.ts";
export type { Clock, Outside, Socket } from "./connection/outside.ts";
export type { Credentials, Session } from "./connection/sign_in.ts";
export type { ClientEvent, Subscription } from "./connection/subscription.ts";

/** Where a message is after it was sent. */
export type Sent = ReplyPayload<"sent">;

/** What a change came to: how many messages it touched, on how many nodes it is durable. */
export interface Changed {
  readonly count: number;
  readonly copies: number;
}

/**
 * A client of `chat` that follows to another server when its own is lost. Requests may be made at
 * any time and at once: they are sent in their order, and again over the next connection if the one
 * they went over was lost before the answer. A message is sent with a key, so it is never two.
 *
 * ```ts
 * import { ChatClient } from "./connection.ts";
 * import { denoOutside } from "./deno_outside.ts";
 *
 * const client = new ChatClient({
 *   hosts: [{ host: "127.0.0.1", port: 9001 }, { host: "127.0.0.1", port: 9002 }],
 *   outside: denoOutside,
 *   onState: (state) => console.error(state),
 * });
 * await client.signIn({ user: "alice", password: "correct horse", create: true });
 * const events = await client.subscribe();
 * const { id, copies } = await client.send("bob", "hello");
 * console.log(`${id} is stored on ${copies} nodes`);
 * for await (const event of events) {
 *   if (event.kind === "message") console.log(event.payload.sender, event.payload.content);
 * }
 * ```
 *
 * Every request may reject with {@linkcode RefusedError}, as the server's answer; with
 * {@linkcode InvalidInputError} before anything is sent; and with {@linkcode SessionEndedError},
 * {@linkcode UnreachableError} or {@linkcode ClosedError} once the client has ended.
 */
export class ChatClient implements AsyncDisposable {
  readonly #outside: Outside;
  readonly #timeouts: ClientTimeouts;
  readonly #limits: ClientLimits;
  readonly #onState: (state: ConnectionState) => void;
  readonly #dialer: Dialer;
  readonly #requests: RequestQueue;
  #keyring: Keyring | undefined;
  #session: Session | undefined;
  #signedInMs = 0;
  #connection: Dialed<Session> | undefined;
  #subscription: Subscription | undefined;
  #ended = Promise.resolve();
  #isClosed = false;

  constructor(options: ChatClientOptions) {
    this.#outside = options.outside;
    this.#timeouts = { ...TIMEOUTS_DEFAULT, ...options.timeouts };
    this.#limits = { ...LIMITS_DEFAULT, ...options.limits };
    this.#onState = options.onState ?? (() => {});
    this.#dialer = new Dialer(options.hosts, options.outside, this.#timeouts);
    this.#requests = new RequestQueue(this.#limits, options.outside);
  }

  /** Of the connection there is, or was last: the account, its node, and the token to resume by. */
  get session(): Session {
    if (this.#session === undefined) {
      throw new ClosedError("Cannot tell the session: sign in first");
    }
    return this.#session;
  }

  /** Whether there is an account of this name, over a connection of its own. */
  async lookUp(name: string): Promise<boolean> {
    const user = checkName(name);
    return await this.#once((link) => lookUp(link, user));
  }

  /**
   * Signs in, and keeps the client signed in until it is closed. Throws
   * {@linkcode NoSuchAccountError} unless the account exists or is to be created,
   * {@linkcode WrongPasswordError}, {@linkcode OneTimeTokenError} if that is what the password was,
   * {@linkcode SessionEndedError} if no node takes the token, and {@linkcode UnreachableError} after
   * `signInGiveUpMs`.
   */
  async signIn(credentials: Credentials): Promise<Session> {
    if (this.#connection !== undefined || this.#isClosed) {
      throw new ClosedError("Cannot sign in: the client is signed in already, or closed");
    }
    const user = checkName(credentials.user);
    const keyring = "password" in credentials
      ? new Keyring(user, [checkPassword(credentials.password)])
      : new Keyring(user, [], credentials.token);
    const begin = beginningOf({ ...credentials, user }, keyring);
    const dialed = await this.#dial(this.#timeouts.signInGiveUpMs, begin).catch((error) => {
      throw outcomeFor(user, error);
    });
    this.#keyring = keyring;
    this.#ended = this.#stayConnected(dialed, keyring);
    return dialed.value;
  }

  /**
   * A new key for a message. It tells its time, by the server's clock: so servers can forget, some day,
   * what was deleted.
   */
  newKey(): string {
    const { uuid, clock } = this.#outside;
    const time = this.#session?.time;
    return time === undefined ? uuid() : timedKey(uuid(), time + clock.nowMs() - this.#signedInMs);
  }

  /**
   * Sends a message, and resolves once it is stored. `key` is its own unique id: what is sent with
   * the same key again, by whatever client of the account, is the same message.
   */
  async send(to: string, content: string, { key }: { key?: string } = {}): Promise<Sent> {
    const payload = {
      to: checkName(to),
      content: checkContent(content),
      key: key === undefined ? this.newKey() : checkKey(key),
    };
    return await this.#ask("sent", { kind: "send_message", payload });
  }

  /** Marks messages as read: all that a friend sent, or those of these ids. */
  async readMessages(which: string | readonly string[]): Promise<Changed> {
    if (typeof which === "string") {
      return await this.#ask("done", { kind: "read_messages", payload: checkName(which) });
    }
    return await this.#inChunks("read_messages", which);
  }

  /**
   * The newest messages with a friend, oldest first, of those before message id `before`; or the oldest
   * of those after message id `after`, from the very beginning if that is empty.
   */
  async history(query: RequestPayload<"list_messages">): Promise<readonly ChatMessage[]> {
    const payload = { ...query, with: checkName(query.with) };
    return await this.#ask("messages", { kind: "list_messages", payload });
  }

  /** All messages with a friend, newest first, asked for as they are taken. */
  async *historyFromNewest(friend: string, before?: string): AsyncGenerator<ChatMessage, void> {
    let oldest = before;
    do {
      const position = oldest === undefined ? {} : { before: oldest };
      const page = await this.history({ with: friend, limit: LIST_ITEMS_MAX, ...position });
      yield* page.toReversed();
      oldest = page[0]?.id;
    } while (oldest !== undefined);
  }

  /**
   * The newest of the account's messages that have every word of `text`, newest first. A page may hold
   * few, or none: as long as there is a `next`, there may be more before it.
   */
  async search(query: RequestPayload<"search_messages">): Promise<FoundMessages> {
    const { with: friend } = query;
    const payload = friend === undefined ? query : { ...query, with: checkName(friend) };
    return await this.#ask("found", { kind: "search_messages", payload });
  }

  /** Whom the account has messages with: those with the latest message first. */
  async conversations(
    query: RequestPayload<"list_conversations"> = {},
  ): Promise<readonly ChatConversation[]> {
    return await this.#ask("conversations", { kind: "list_conversations", payload: query });
  }

  /** People by name, of those that match `pattern` and come after the name `after`. */
  async users(query: RequestPayload<"list_users"> = {}): Promise<readonly ChatUser[]> {
    return await this.#ask("users", { kind: "list_users", payload: query });
  }

  /** All people that match `pattern`, by name, asked for as they are taken. */
  async *allUsers(pattern = "*"): AsyncGenerator<ChatUser, void> {
    let after: string | undefined;
    do {
      const position = after === undefined ? {} : { after };
      const page = await this.users({ pattern, limit: LIST_ITEMS_MAX, ...position });
      yield* page;
      after = page.at(-1)?.name;
    } while (after !== undefined);
  }

  /** Deletes messages, for both sides. Any number: over 1,000 they are several requests. */
  async deleteMessages(ids: readonly string[]): Promise<Changed> {
    return await this.#inChunks("delete_messages", ids);
  }

  /**
   * Deletes the account and its messages, and closes the client. Like {@linkcode changePassword},
   * throws {@linkcode UnknownOutcomeError} if the connection is lost before the answer.
   */
  async deleteAccount(): Promise<Changed> {
    const request = { kind: "delete_account", payload: null } as const;
    const changed = await this.#ask("done", request, "delete the account");
    await this.close();
    return changed;
  }

  /** Changes the password: the account's other sessions end, this one goes on with a new token. */
  async changePassword(old: string, password: string): Promise<Changed> {
    const payload = [checkPassword(old), checkPassword(password)] as const;
    try {
      const request = { kind: "change_password", payload } as const;
      const { count, copies, token } = await this.#ask("done", request, "change the password");
      this.#keyring?.replacePasswords([password], token);
      if (token !== undefined) this.#session = { ...this.session, token };
      return { count, copies };
    } catch (error) {
      if (error instanceof UnknownOutcomeError) this.#keyring?.replacePasswords([password, old]);
      throw error;
    }
  }

  /**
   * The account's events from now on, or from a cursor on; a client subscribes once. Events that
   * are not taken fast enough hold up the reading of the connection.
   */
  async subscribe({ since }: { since?: string } = {}): Promise<Subscription> {
    if (this.#subscription !== undefined) {
      throw new ClosedError("Cannot subscribe: the client has done so already");
    }
    const { eventsMax: itemsMax, eventBytesMax: bytesMax } = this.#limits;
    const subscription = new Subscription(since, { itemsMax, bytesMax });
    this.#subscription = subscription;
    if (this.#connection !== undefined) void subscription.attach(this.#connection.link);
    await subscription.started;
    return subscription;
  }

  /** Asks the server for a sign of life; resolves with the time it took, in ms. */
  async ping(): Promise<number> {
    const startMs = this.#outside.clock.nowMs();
    await this.#ask("pong", { kind: "ping", payload: null });
    return this.#outside.clock.nowMs() - startMs;
  }

  /** How the node is. Without sign-in, of the first host that answers. */
  async status(): Promise<NodeStatus> {
    const request = { kind: "status", payload: null } as const;
    if (this.#keyring !== undefined) return await this.#ask("status", request);
    return await this.#once(async (link) => payloadOf(await link.request(request), "status"));
  }

  /** Signs out, and closes the client. */
  async logout(): Promise<void> {
    try {
      await this.#ask("done", { kind: "logout", payload: null }, "sign out");
    } catch (error) {
      // It is over either way.
      if (!(error instanceof UnknownOutcomeError)) throw error;
    } finally {
      await this.close();
    }
  }

  /** Ends the connection, whatever is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#dialer.close();
    this.#connection?.link.close("the client was closed");
    this.#requests.fail(new ClosedError("Cannot send a request: the client is closed"));
    this.#subscription?.end();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask<K extends ReplyKind>(
    kind: K,
    request: Request,
    onlyOnce?: string,
  ): Promise<ReplyPayload<K>> {
    if (this.#keyring === undefined && !this.#isClosed) {
      throw new ClosedError(`Cannot send ${request.kind}: sign in first`);
    }
    return payloadOf(await this.#requests.add(request, onlyOnce), kind);
  }

  async #inChunks(
    kind: "read_messages" | "delete_messages",
    ids: readonly string[],
  ): Promise<Changed> {
    checkIds(ids);
    const asked: Promise<Changed>[] = [];
    // Also for no ids: how many nodes have that is for a server to say.
    for (let from = 0; from === 0 || from < ids.length; from += LIST_ITEMS_MAX) {
      const payload = ids.slice(from, from + LIST_ITEMS_MAX);
      asked.push(this.#ask("done", { kind, payload }));
    }
    const all = await Promise.all(asked);
    return {
      count: all.reduce((sum, { count }) => sum + count, 0),
      copies: Math.min(...all.map(({ copies }) => copies)),
    };
  }

  /** Asks one thing over a connection of its own. */
  async #once<T>(begin: (link: Link) => Promise<T>): Promise<T> {
    const { link, value } = await this.#dial(this.#timeouts.signInGiveUpMs, begin);
    link.close();
    return value;
  }

  async #dial<T>(
    giveUpMs: number,
    begin: (link: Link, host: Host) => Promise<T>,
  ): Promise<Dialed<T>> {
    return await this.#dialer.dial({
      begin,
      giveUpMs,
      sink: (event, bytes) => this.#accept(event, bytes),
      onFailure: ({ host, why, nextTryMs }) =>
        this.#onState({ state: "lost", host, why, nextTryMs }),
    });
  }

  #accept(event: Event, bytes: number): Promise<void> | undefined {
    if (event.kind === "renamed") this.#goBy(event.payload.to);
    return this.#subscription?.accept(event, bytes);
  }

  #goBy(user: string): void {
    if (this.#keyring !== undefined) this.#keyring.user = user;
    if (this.#session !== undefined) this.#session = { ...this.#session, user };
  }

  async #stayConnected(first: Dialed<Session>, keyring: Keyring): Promise<void> {
    this.#useConnection(first, keyring);
    try {
      for (let connection = first;;) {
        const { message: why } = await connection.link.lost;
        this.#requests.detach();
        if (this.#isClosed) return;
        const nextTryMs = this.#dialer.afterLoss(connection);
        this.#onState({ state: "lost", host: formatHost(connection.host), why, nextTryMs });
        await this.#dialer.pause(nextTryMs);
        connection = await this.#dial(
          this.#timeouts.giveUpMs,
          (link, host) => keyring.resume(link, host),
        );
        this.#useConnection(connection, keyring);
      }
    } catch (error) {
      if (this.#isClosed) return;
      this.#fail(outcomeFor(keyring.user, error));
    }
  }

  #useConnection(connection: Dialed<Session>, keyring: Keyring): void {
    const { link, host, value: session } = connection;
    this.#connection = connection;
    this.#session = session;
    this.#signedInMs = this.#outside.clock.nowMs();
    const { user: name } = keyring;
    if (keyring.renew(session)) this.#subscription?.rename(name, session.user);
    this.#onState({ state: "connected", host: formatHost(host), node: session.node });
    void this.#subscription?.attach(link);
    this.#requests.attach(link);
  }

  #fail(error: unknown): void {
    this.#requests.fail(error);
    this.#subscription?.end(error);
    this.#onState({ state: "ended", error });
  }
}

/** How a connection that is new begins. */
function beginningOf(
  credentials: Credentials,
  keyring: Keyring,
): (link: Link, host: Host) => Promise<Session> {
  if ("oneTimeToken" in credentials) return redeemer(credentials);
  if ("password" in credentials) return (link) => signInWithPassword(link, credentials);
  return (link, host) => keyring.signIn(link, host);
}

/** What a failure to sign in is to the caller: that no node takes a session means its end. */
function outcomeFor(user: string, error: unknown): unknown {
  return error instanceof NotAcceptedError ? new SessionEndedError(user, error.sentence) : error;
}
