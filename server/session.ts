import { CodecError, type CodecErrorCode } from "../codec/error.ts";
import { type ByteSource, byteStream, type Frame, FrameDecoder } from "../codec/frame.ts";
import {
  encodeMessage,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_BYTES_MAX_ANONYMOUS,
  readRequest,
  type Request,
  writeEvent,
} from "../codec/message.ts";
import { Asked } from "./asked.ts";
import type { Commit, Position } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import type { Cursor } from "./core/cursor.ts";
import type { ChatState } from "./core/state.ts";
import { FramePace } from "./guard/frame_pace.ts";
import { FrameWait } from "./guard/frame_wait.ts";
import type { Turn, Turns } from "./guard/turns.ts";
import type { WaitingTotal } from "./guard/waiting_total.ts";
import { ENDING_LIMITS, type EndingLimit, type Limits } from "./limits.ts";
import { type ByteSink, Outbox } from "./outbox.ts";
import type { Presence } from "./presence.ts";
import type { ConnectedClient, EndReason, SessionRegistry } from "./registry.ts";
import {
  type Outcome,
  refuse,
  type RequestContext,
  type RequestSession,
} from "./requests/context.ts";
import { usualName } from "./requests/name.ts";
import { decide, refuseUnread } from "./requests/table.ts";
import type { SessionLog, SignOutReason, Who } from "./session_log.ts";
import { Subscription } from "./subscription.ts";

/** A client's connection. */
export interface Connection extends ByteSource, ByteSink {
  /** Where it comes from: limits count per address. */
  readonly address: string;
  /** Why it broke off at TLS, if it did. */
  readonly tlsFault?: string | undefined;
  /** Says that nothing more will be written. */
  endWriting(): Promise<void>;
  /** Ends it at once; reads and writes under way fail or end. */
  close(): void;
}

/** What all sessions of a server share. */
export interface SessionParts {
  readonly state: ChatState;
  readonly commit: Commit;
  readonly registry: SessionRegistry;
  readonly presence: Presence;
  readonly limits: Limits;
  /** Whose turn it is to keep the process busy. */
  readonly turns: Turns;
  /** What waits in all outboxes. */
  readonly outboxTotal: WaitingTotal;
  /** Frames of all sessions of which not all has come. */
  readonly frameTotal: WaitingTotal;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whether all nodes are here, and this one has all that they have. */
  readonly isWhole: () => boolean;
  readonly told: SessionLog;
  contextOf(session: RequestSession): RequestContext;
  /** A fault of this program: what happened, for the log. */
  reportBug(error: unknown): void;
}

/** Whose turn it is for all who are not signed in: they come from as many addresses as they like. */
const STRANGERS = "strangers";
type TurnKey = Account | typeof STRANGERS;
/** What a stranger's frame counts for at least, and a byte of any, in ms: to read takes time, too. */
const STRANGERS_FRAME_MS = 0.25;
const BYTE_MS = 1 / 65_536;

/** How long a client that broke the protocol may take to read why. */
const LINGER_MS = 2000;
const LINGER_CHUNK_BYTES = 4096;

/** Faults after which the bytes that follow mean nothing. */
const BREAKS_THE_STREAM: ReadonlySet<CodecErrorCode> = new Set([
  "frame_too_large",
  "frame_truncated",
]);

/** One client connection: its frames in, its replies and events out, and who it is signed in as. */
export class Session implements RequestSession, ConnectedClient {
  readonly #connection: Connection;
  readonly #parts: SessionParts;
  readonly #outbox: Outbox;
  readonly #context: RequestContext;
  readonly #frameLimits = { payloadBytesMax: PAYLOAD_BYTES_MAX_ANONYMOUS };
  readonly #frameWait = new FrameWait();
  /** When anything came last. */
  #heardMs: number;
  #heldBytes = 0;
  /** The account's, or that of all who are not signed in. */
  #turn: Turn;
  #signedOutMs: number;
  readonly #waiting: Set<Session>;
  #account: Account | undefined;
  /** The password hash it signed in with: with another one, the session ends. */
  #credential: string | undefined;
  /** What its client knows the account by. */
  #name = "";
  #subscription: Subscription | undefined;
  /** Whether what was missed is still being sent. */
  #catchingUp = false;
  #ended = false;
  #isAnswering = false;
  /** Since when it only waits for its client to hang up. */
  #lingeringSinceMs: number | undefined;
  readonly #framePace = new FramePace();
  claimed: RequestSession["claimed"];
  readonly #asked = new Asked();
  slowUntilMs = 0;

  /** `waiting` gets this session whenever output of it waits for a commit. */
  constructor(connection: Connection, parts: SessionParts, waiting: Set<Session>) {
    this.#connection = connection;
    this.#parts = parts;
    this.#waiting = waiting;
    this.#signedOutMs = this.#heardMs = parts.nowMs();
    const { commit, nowMs, outboxTotal } = parts;
    this.#outbox = new Outbox(connection, commit, nowMs, outboxTotal, () => this.end());
    this.#turn = parts.turns.join(STRANGERS);
    this.#context = parts.contextOf(this);
  }

  get address(): string {
    return this.#connection.address;
  }

  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  get waitingBytes(): number {
    return this.#outbox.waitingBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Serves the connection until either side ends it. Never rejects. */
  async run(): Promise<void> {
    const decoder = new FrameDecoder(this.#frameLimits);
    const { nowMs } = this.#parts;
    try {
      for await (const frames of decoder.batches(byteStream(this.#connection))) {
        let busyFromMs = nowMs();
        this.#heardMs = busyFromMs;
        this.#frameWait.ends(busyFromMs);
        for (const frame of frames) {
          this.#frameWait.complete();
          if (this.#isTooFast()) busyFromMs = await this.#nextWindow();
          if (this.#turn.isOver) {
            const ticket = this.#beginWait();
            // Looked at right before it goes on: the first of those that are woken may take all of it.
            do await this.#turn.next(ticket); while (this.#turn.isOver);
            busyFromMs = nowMs();
          }
          const waiting = this.#answer(frame);
          const busyToMs = nowMs();
          this.#turn.spend(busyFromMs, Math.max(busyToMs, busyFromMs + this.#leastMs(frame)));
          busyFromMs = busyToMs;
          // Most are answered at once: an await for each would cost as much as the rest.
          if (waiting !== undefined) {
            await this.#untilAnswered(waiting);
            busyFromMs = nowMs();
          }
          if (this.#ended) return;
        }
        this.flush();
        this.#frameWait.begins(decoder.isWithinFrame, nowMs());
        this.#hold(decoder.heldBytes);
      }
      // The client may have closed only its own side, and still want its replies.
      await this.#outbox.below(0);
    } catch (error) {
      if (error instanceof CodecError) {
        await this.#sayWhy(error).catch((after) => this.#parts.reportBug(after));
      } else this.#parts.reportBug(error);
    } finally {
      const { tlsFault } = this.#connection;
      if (tlsFault !== undefined) this.#parts.told.tlsFailed(this.address, tlsFault);
      this.end();
    }
  }

  tellNew(): void {
    if (this.#catchingUp || this.#subscription === undefined) return;
    for (;;) {
      const frame = this.#subscription.next();
      if (frame === undefined) break;
      this.#outbox.push(this.#parts.commit.position, frame);
    }
    this.#afterEvents();
  }

  tellNow(position: Position, frameAt: (cursor: string) => Uint8Array): void {
    if (this.#catchingUp || this.#subscription === undefined) return;
    this.#outbox.push(position, frameAt(this.#subscription.cursor));
    this.#afterEvents();
  }

  /** Sends what is settled by now. */
  flush(): void {
    this.#outbox.flush();
    if (this.#outbox.isHolding) this.#waiting.add(this);
    else this.#waiting.delete(this);
  }

  checkDeadlines(nowMs: number): void {
    const { signInDeadlineMs, frameDeadlineMs, silenceMs, writeStallMs } = this.#parts.limits;
    if (this.#account === undefined && nowMs - this.#signedOutMs > signInDeadlineMs) {
      this.end("signInDeadlineMs");
    }
    if (this.#frameWait.ms(nowMs) > frameDeadlineMs) this.end("frameDeadlineMs");
    if (nowMs - this.#heardMs > silenceMs) this.end("silenceMs");
    if (nowMs - (this.#lingeringSinceMs ?? nowMs) > LINGER_MS) this.end();
    if (nowMs - (this.#outbox.stalledSinceMs ?? nowMs) > writeStallMs) this.end("writeStallMs");
  }

  checkName(): void {
    const { state, commit } = this.#parts;
    if (this.#account === undefined || this.#catchingUp || this.#subscription === undefined) return;
    const [from, to] = [this.#name, state.accounts.nameOf(this.#account)];
    if (from === to) return;
    this.#name = to;
    this.tellNow(
      commit.position,
      (cursor) => encodeMessage(writeEvent, { kind: "renamed", payload: { from, to, cursor } }),
    );
  }

  checkCredential(): void {
    if (this.#account?.deleted || this.#account?.password?.hash !== this.#credential) {
      this.end("ended_elsewhere");
    }
  }

  isOneTooMany(account: Account): boolean {
    const { registry, limits } = this.#parts;
    return registry.connectionsOfAccount(account) >= limits.connectionsPerAccountMax;
  }

  signIn(account: Account): void {
    // It may have ended while the password was being hashed.
    if (this.#ended) return;
    this.#account = account;
    this.#takeTurnsAs(account, STRANGERS);
    this.#credential = account.password?.hash;
    this.#frameLimits.payloadBytesMax = PAYLOAD_BYTES_MAX;
    this.#name = this.#parts.state.accounts.nameOf(account);
    this.#parts.told.signedIn(this.#who, this.#asked.way);
    if (this.#parts.registry.signIn(this, account)) this.#parts.presence.cameHere(account);
  }

  /** Without a reason it is the request that is decided. */
  signOut(reason: SignOutReason = this.#asked.kind): void {
    const account = this.#account;
    if (account === undefined) return;
    this.#parts.told.signedOut(this.#who, reason);
    this.#account = undefined;
    this.#takeTurnsAs(STRANGERS, account);
    this.#signedOutMs = this.#parts.nowMs();
    this.#subscription = undefined;
    this.#frameLimits.payloadBytesMax = PAYLOAD_BYTES_MAX_ANONYMOUS;
    if (this.#parts.registry.signOut(this, account)) this.#parts.presence.leftHere(account);
  }

  renewCredential(passwordHash: string): void {
    this.#credential = passwordHash;
  }

  cursor(): string {
    return this.#parts.state.vector.toString();
  }

  subscribe(since: Cursor | undefined): number {
    if (this.#account === undefined) return 0;
    const { state, limits, nowMs, isWhole } = this.#parts;
    const sinceMs = nowMs();
    // By then it would have come, also if its client came sooner.
    const isLost = () => nowMs() - sinceMs >= limits.lostAfterMs && isWhole();
    const subscription = new Subscription(state, this.#account, since, isLost);
    this.#subscription = subscription;
    this.#catchingUp = true;
    return subscription.count();
  }

  async finish(): Promise<void> {
    await this.#outbox.below(0);
    this.end("stopping");
  }

  end(reason: EndReason = "disconnected"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hold(0);
    if (isLimit(reason)) this.#parts.told.hungUp(this.#who, reason);
    this.signOut(reason);
    this.#parts.turns.leave(STRANGERS);
    this.#waiting.delete(this);
    this.#parts.registry.remove(this);
    this.#outbox.close();
    this.#connection.close();
  }

  /** Resolves when the frame's reply is in the outbox; undefined if it is already. */
  #answer(frame: Frame): Promise<void> | undefined {
    let outcome: Outcome | Promise<Outcome>;
    let request: Request | undefined;
    try {
      // That it is to slow down was in the log when it was told so first.
      const unread = refuseUnread(this.#context, frame.type, this.#account);
      if (unread !== undefined) return this.#push(unread);
      request = readRequest(frame);
      this.#asked.note(request, this.claimed);
      outcome = decide(this.#context, request, this.#account);
    } catch (error) {
      if (!(error instanceof CodecError) || BREAKS_THE_STREAM.has(error.code)) throw error;
      outcome = refuse(error.code, error.message);
    }
    if (outcome instanceof Promise) return this.#answerLater(outcome, request);
    this.#tellRefusal(outcome, request);
    return this.#push(outcome);
  }

  #push(outcome: Outcome): Promise<void> | undefined {
    this.#outbox.push(this.#parts.commit.position, outcome);
    // What was missed comes before the replies to later requests.
    if (this.#catchingUp && this.#subscription !== undefined) {
      return this.#catchUp(this.#subscription);
    }
    if (this.#outbox.waitingBytes <= this.#parts.limits.outboxPauseBytes) return undefined;
    return this.#waitForReader();
  }

  /** So much of a frame is kept until the rest has come. */
  #hold(bytes: number): void {
    const keptBytes = this.#ended ? 0 : bytes;
    if (keptBytes === this.#heldBytes) return;
    this.#parts.frameTotal.changed(keptBytes - this.#heldBytes);
    this.#heldBytes = keptBytes;
  }

  async #untilAnswered(waiting: Promise<void>): Promise<void> {
    this.#isAnswering = true;
    await waiting;
    this.#isAnswering = false;
  }

  async #answerLater(outcome: Promise<Outcome>, request: Request | undefined): Promise<void> {
    this.flush();
    const reply = await outcome;
    this.#tellRefusal(reply, request);
    this.#outbox.push(this.#parts.commit.position, reply);
  }

  /** Reads no more requests of a client that does not read its replies. */
  async #waitForReader(): Promise<void> {
    this.flush();
    await this.#outbox.below(this.#parts.limits.outboxPauseBytes);
  }

  /** Sends what was missed at the speed of its reader. */
  async #catchUp(subscription: Subscription): Promise<void> {
    const { nowMs } = this.#parts;
    // A stretch of events is looked for and written in one go: what it took is looked at after it.
    for (let busyFromMs = nowMs(); this.#subscription === subscription && !this.#ended;) {
      const busyToMs = nowMs();
      this.#turn.spend(busyFromMs, busyToMs);
      busyFromMs = busyToMs;
      if (this.#turn.isOver) {
        const ticket = this.#beginWait();
        do await this.#turn.next(ticket); while (this.#turn.isOver);
        busyFromMs = nowMs();
        continue;
      }
      const frame = subscription.next();
      if (frame === undefined) {
        this.#catchingUp = false;
        this.checkName();
        this.flush();
        return;
      }
      this.#outbox.push(this.#parts.commit.position, frame);
      if (this.#outbox.waitingBytes > this.#parts.limits.outboxPauseBytes) {
        await this.#waitForReader();
        busyFromMs = nowMs();
      }
    }
  }

  /** Live events do not wait for a reader that is too slow: it resumes from its cursor. */
  #afterEvents(): void {
    // Once the others have the event, too: its end may be told with a cursor past it.
    if (this.#outbox.waitingBytes > this.#parts.limits.outboxBytesMax) {
      queueMicrotask(() => this.end("outboxBytesMax"));
    } else if (this.#outbox.isHolding) this.#waiting.add(this);
    else this.#outbox.flush();
  }

  /** One clear error, after the replies to all that came before it. */
  async #sayWhy({ code, message }: CodecError): Promise<void> {
    this.#parts.told.refused(this.#who, undefined, code);
    this.#outbox.push(this.#parts.commit.position, refuse(code, message));
    this.flush();
    await this.#outbox.below(0);
    // Closed with bytes unread, the connection would be reset, and the error lost on its way.
    this.#lingeringSinceMs = this.#parts.nowMs();
    await this.#connection.endWriting();
    const ignored = new Uint8Array(LINGER_CHUNK_BYTES);
    while (!this.#ended && await this.#connection.read(ignored) !== null);
  }

  get #who(): Who {
    const { address } = this;
    return this.#account === undefined ? { address } : { address, user: this.#name };
  }

  /** Refusals are few, and all else costs nothing here. */
  #tellRefusal(outcome: Outcome, request: Request | undefined): void {
    if ("withCopies" in outcome) return;
    const { told } = this.#parts;
    if (outcome.kind === "login_failed" && request !== undefined) {
      told.signInFailed(this.#whoTries(request), request.kind);
    } else if (outcome.kind === "error") {
      told.refused(this.#whoTries(request), request?.kind, outcome.payload.code);
    }
  }

  /** Of who is not signed in, the name that they try, if an account is called so. */
  #whoTries(request: Request | undefined): Who {
    if (this.#account !== undefined || request === undefined) return this.#who;
    const tried = this.#asked.nameTriedBy(request);
    const user = tried === undefined ? undefined : usualName(tried);
    const isKnown = user !== undefined && this.#parts.state.accounts.named(user) !== undefined;
    return isKnown ? { ...this.#who, user } : this.#who;
  }

  /** Whether this frame is over what one connection may send in a second. */
  #isTooFast(): boolean {
    const { limits, nowMs } = this.#parts;
    return this.#framePace.isOver(limits[this.#rateLimit], nowMs);
  }

  get #rateLimit(): "framesPerSecondMax" | "framesPerSecondAnonymousMax" {
    return this.#account === undefined ? "framesPerSecondAnonymousMax" : "framesPerSecondMax";
  }

  /** Gives the time at which it may go on. */
  async #nextWindow(): Promise<number> {
    this.#parts.told.slowedDown(this.#who, this.#rateLimit);
    this.flush();
    const { nowMs, sleep } = this.#parts;
    await sleep(this.#framePace.leftMs(nowMs()));
    return this.#framePace.begin(nowMs());
  }

  #leastMs({ payload }: Frame): number {
    return (this.#account === undefined ? STRANGERS_FRAME_MS : 0) + payload.length * BYTE_MS;
  }

  /** Its place among those who wait for the turn that they have together. */
  #beginWait(): number {
    this.flush();
    return this.#turn.ticket();
  }

  #takeTurnsAs(now: TurnKey, before: TurnKey): void {
    this.#turn = this.#parts.turns.join(now);
    this.#parts.turns.leave(before);
  }
}

function isLimit(reason: EndReason): reason is EndingLimit {
  return ENDING_LIMITS.some((limit) => limit === reason);
}
