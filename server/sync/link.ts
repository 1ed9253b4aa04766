import type { Timer } from "../commit.ts";
import { isOrigin, nodeOf } from "../core/operation.ts";
import { type Entry, isStateRecord } from "../core/state_record.ts";
import { VersionVector } from "../core/version_vector.ts";
import { readLines } from "../journal/lines.ts";
import { Outgoing, type OutgoingParts } from "./outgoing.ts";
import type {
  AttemptsChange,
  Hello,
  Packet,
  PacketStream,
  PresenceChange,
  StatePart,
  StreamEnd,
} from "./packet.ts";

/** Whose operations a node wants of another one. */
export interface Want {
  readonly nodes: readonly string[];
  /** Those of all nodes but these. */
  readonly allBut: boolean;
}

export interface LinkParts extends Omit<OutgoingParts, "send" | "offer" | "onFailure"> {
  readonly stream: PacketStream;
  readonly timer: Timer;
  /** Wall clock, ms since 1970. */
  readonly wallMs: () => number;
  /** What is durable here: read, never changed. */
  readonly durable: VersionVector;
  /** Takes in operations; resolves once they are durable here. Throws if one cannot come next. */
  readonly accept: (entries: readonly Entry[]) => Promise<void>;
  /** The other node has not all that is wanted of it but as a state. */
  readonly onOffer: (link: Link, state: string) => void;
  /** So much of the other's state is durable here. */
  readonly onStatePart: (link: Link, part: StatePart) => void;
  /** More is durable on the other node, or it has become live. */
  readonly onProgress: () => void;
  readonly onPresence: (change: PresenceChange) => void;
  readonly onAttempts: (change: AttemptsChange) => void;
  /** Called once. */
  readonly onEnd: (end: StreamEnd) => void;
}

/** How often each side asks for a sign of life, in ms. */
export const PING_EVERY_MS = 500;
/** How long without one until a stream is given up, in ms. */
export const SILENCE_MAX_MS = 3000;
/** A timer this late means that the process was stopped: what came meanwhile is not read yet. */
const LATE_MS = 500;
/** Longest vector that is looked at, in characters. */
export const PEER_VECTOR_TEXT_MAX = 2 ** 20;

/** The stream with another node, once both have said hello: operations and presence, both ways. */
export class Link {
  readonly hello: Hello;
  /** What is durable on the other node, as far as it is known. */
  readonly theirs: VersionVector;
  readonly #parts: LinkParts;
  readonly #outgoing: Outgoing;
  /** What the other was told of this node's vector. */
  readonly #told: VersionVector;
  #packetsDurable = 0;
  #isAckDue = false;
  #want = "";
  #heardMs: number;
  #pings = 0;
  #pingedMs = 0;
  #roundTripMs: number | undefined;
  #skewMs: number | undefined;
  #stopTimer = (): void => {};
  #hasEnded = false;
  /** Whether this side has asked for the other's state. */
  #isTaking = false;

  /** `told` is what this side's hello said is durable here. */
  constructor(parts: LinkParts, hello: Hello, theirs: VersionVector, told: VersionVector) {
    this.#parts = parts;
    this.hello = hello;
    this.theirs = theirs;
    this.#told = told;
    this.#heardMs = parts.timer.nowMs();
    this.#outgoing = new Outgoing({
      log: parts.log,
      recent: parts.recent,
      nextTurn: parts.nextTurn,
      send: (lines, part) => parts.stream.send({ kind: "lines", lines, part }),
      offer: (offer) => parts.stream.send({ kind: "offer", ...offer }),
      onFailure: (error) => this.close({ kind: "lost", why: reasonOf(error) }),
    }, theirs);
    this.#beat();
  }

  /** Whether the other node has been sent all that it lacked: what is new, it acknowledges soon. */
  get isLive(): boolean {
    return this.#outgoing.isLive;
  }

  /** To the other node and back, in ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** How far its clock is ahead of this node's, in ms. */
  get skewMs(): number | undefined {
    return this.#skewMs;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  want(want: Want): void {
    const text = JSON.stringify(want);
    if (text === this.#want) return;
    this.#want = text;
    this.#parts.stream.send({ kind: "want", ...want });
  }

  /** There is more in the journal. */
  published(): void {
    this.#outgoing.published();
  }

  /** Asks for the state that was offered, from after what is here of it. */
  takeState(state: string, from: number): void {
    this.#isTaking = true;
    this.#parts.stream.send({ kind: "take", state, from });
  }

  tellPresence(change: PresenceChange): void {
    this.#parts.stream.send({ kind: "presence", ...change });
  }

  tellAttempts(change: AttemptsChange): void {
    this.#parts.stream.send({ kind: "attempts", ...change });
  }

  /** Takes a packet that came after the hello. */
  take(packet: Packet): void {
    if (this.#hasEnded) return;
    // Whatever comes is a sign of life: an answer may have to wait behind much else.
    this.#heardMs = this.#parts.timer.nowMs();
    try {
      this.#take(packet);
    } catch (error) {
      this.close({ kind: "lost", why: `it sent what cannot be taken: ${reasonOf(error)}` });
    }
  }

  close(end: StreamEnd): void {
    this.#parts.stream.close(end);
    this.ended(end);
  }

  /** The stream has ended. */
  ended(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopTimer();
    this.#outgoing.close();
    this.#parts.onEnd(end);
  }

  #take(packet: Packet): void {
    switch (packet.kind) {
      case "hello":
        throw new Error("a second hello");
      case "want":
        return this.#outgoing.want(wantedBy(packet));
      case "lines":
        return this.#takeLines(packet.lines, packet.part);
      case "offer":
        return this.#parts.onOffer(this, packet.state);
      case "take":
        return void this.#outgoing.sendState(packet);
      case "ack":
        return this.#takeAck(packet.packets, packet.vector);
      case "presence":
        return this.#parts.onPresence(packet);
      case "attempts":
        return this.#parts.onAttempts(packet);
      case "ping":
        return this.#parts.stream.send({
          kind: "pong",
          number: packet.number,
          time: this.#parts.wallMs(),
        });
      case "pong":
        return this.#takePong(packet.number, packet.time);
      default:
        packet satisfies never;
    }
  }

  #takeLines(lines: Uint8Array, part: StatePart | undefined): void {
    const entries = readLines(lines);
    const isState = part !== undefined || entries.some(isStateRecord);
    if (isState && !(this.#isTaking && part !== undefined)) {
      throw new Error("a state that was not asked for");
    }
    const sent = lastOf(entries);
    for (const origin of sent.entries().keys()) {
      if (!isOrigin(origin)) throw new Error("a strange origin");
    }
    const durable = this.#parts.accept(entries);
    // It sends only what is durable there, and need not be sent it.
    this.theirs.include(sent);
    this.#outgoing.has(sent);
    void durable.then(() => {
      this.#packetsDurable++;
      if (part !== undefined) this.#parts.onStatePart(this, part);
      // Those that became durable together are acknowledged together.
      if (this.#isAckDue) return;
      this.#isAckDue = true;
      queueMicrotask(() => this.#acknowledge());
    });
  }

  #acknowledge(): void {
    this.#isAckDue = false;
    const news = new VersionVector();
    for (const [origin, seq] of this.#parts.durable.entries()) {
      if (seq > this.#told.seqOf(origin)) news.advance(origin, seq);
    }
    this.#told.include(news);
    const vector = news.toString();
    this.#parts.stream.send({ kind: "ack", packets: this.#packetsDurable, vector });
  }

  #takeAck(packets: number, text: string): void {
    const vector = parsePeerVector(text);
    this.theirs.include(vector);
    this.#outgoing.has(vector);
    this.#outgoing.acknowledged(packets);
    this.#parts.onProgress();
  }

  #takePong(number: number, time: number): void {
    if (number !== this.#pings) return;
    this.#roundTripMs = this.#heardMs - this.#pingedMs;
    this.#skewMs = time + this.#roundTripMs / 2 - this.#parts.wallMs();
  }

  #beat(): void {
    this.#pingedMs = this.#parts.timer.nowMs();
    this.#parts.stream.send({ kind: "ping", number: ++this.#pings });
    const dueMs = this.#pingedMs + PING_EVERY_MS;
    this.#stopTimer = this.#parts.timer.after(PING_EVERY_MS, () => {
      const nowMs = this.#parts.timer.nowMs();
      // Answers may wait to be read.
      if (nowMs - dueMs > LATE_MS) this.#heardMs = nowMs;
      if (nowMs - this.#heardMs > SILENCE_MAX_MS) {
        return this.close({ kind: "lost", why: `no answer for ${SILENCE_MAX_MS / 1000} s` });
      }
      this.#acknowledge();
      this.#outgoing.rescue(this.#parts.durable);
      this.#beat();
    });
  }
}

/** The last operation of each origin. */
function lastOf(entries: readonly Entry[]): VersionVector {
  const last = new VersionVector();
  for (const [index, entry] of entries.entries()) {
    if (isStateRecord(entry)) {
      if (entry.kind === "coverage") last.include(VersionVector.of(entry.vector));
      continue;
    }
    // Those of one origin mostly come one after the other.
    if (entries[index + 1]?.origin !== entry.origin) last.advance(entry.origin, entry.seq);
  }
  return last;
}

/** A vector that another node sent. Throws if it is none. */
export function parsePeerVector(text: string): VersionVector {
  const vector = VersionVector.parse(text, PEER_VECTOR_TEXT_MAX);
  if (vector === undefined) throw new Error("a version vector that is none");
  return vector;
}

function wantedBy({ nodes, allBut }: Want): (origin: string) => boolean {
  const named = new Set(nodes);
  return (origin) => named.has(nodeOf(origin)) !== allBut;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
