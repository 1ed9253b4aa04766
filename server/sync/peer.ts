import type { Timer } from "../commit.ts";
import type { VersionVector } from "../core/version_vector.ts";
import type { Log, LogEvent } from "../log.ts";
import { Link, type LinkParts, parsePeerVector } from "./link.ts";
import { type Membership, refusalOf } from "./membership.ts";
import type { CalledNode, Hello, Packet, PacketStream, StreamEnd, Transport } from "./packet.ts";

export interface PeerParts {
  readonly membership: Membership;
  readonly transport: Transport;
  readonly timer: Timer;
  /** From 0, to below 1. */
  readonly random: () => number;
  /** What this node says first, as of now, and the vector in it. */
  readonly greet: () => { readonly hello: Hello; readonly vector: VersionVector };
  /** The parts of a link that do not depend on its stream. */
  readonly linkParts: Omit<LinkParts, "stream" | "onEnd" | "onPresence">;
  readonly onPresence: LinkParts["onPresence"];
  /** The other node said hello, and has taken part from now on. */
  readonly onUp: (peer: Peer, link: Link) => void;
  readonly onDown: (peer: Peer) => void;
  /** A try to reach it came to nothing, and it has not called either. */
  readonly onFailure: (peer: Peer) => void;
  /** A line for the operator. */
  readonly log: Log;
}

/** How long a node may take to say hello, in ms. */
const HELLO_MAX_MS = 2000;
/** Between tries: doubles from the first to the last, with jitter. */
const BACKOFF_MIN_MS = 30;
/** Doublings of it: up to about 1 s. */
const FAILURES_MAX = 5;
/** A link that ended sooner counts as a failure, in ms. */
const STABLE_MS = 1000;
/** How long a call goes before a call from the other side, when both call at once, in ms. */
const PRECEDENCE_MS = 300;

/** Keeps a stream with one other node, whoever of the two called, for as long as it runs. */
export class Peer {
  readonly config: CalledNode;
  readonly #parts: PeerParts;
  #link: Link | undefined;
  #linkEnded = Promise.withResolvers<void>();
  #lastHello: Hello | undefined;
  /** What was durable there when it was last heard of. */
  #lastTheirs: VersionVector | undefined;
  #callingSinceMs: number | undefined;
  #why = "not reached yet";
  #logged = "";
  #stopped = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(config: CalledNode, parts: PeerParts) {
    this.config = config;
    this.#parts = parts;
  }

  get name(): string {
    return this.config.name;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** The other node's last hello. */
  get hello(): Hello | undefined {
    return this.#link?.hello ?? this.#lastHello;
  }

  /** What is durable there, as far as it is known: a node that is gone still has its disk. */
  get theirs(): VersionVector | undefined {
    return this.#link?.theirs ?? this.#lastTheirs;
  }

  /** Why there is no link. */
  get why(): string {
    return this.#why;
  }

  /** Calls the other node whenever there is no stream with it, until it is stopped. */
  async run(): Promise<void> {
    const { timer } = this.#parts;
    for (let failures = 0; !this.#isStopped;) {
      if (this.#link !== undefined) {
        const sinceMs = timer.nowMs();
        await this.#linkEnded.promise;
        if (timer.nowMs() - sinceMs > STABLE_MS) failures = 0;
      } else {
        const end = await this.#call();
        if (this.#link !== undefined || this.#isStopped) continue;
        if (end !== undefined && end.kind !== "busy") this.#failed(end);
      }
      // No pause after the loss of a link that held.
      if (failures > 0) await this.#pause(BACKOFF_MIN_MS * 2 ** failures);
      failures = Math.min(failures + 1, FAILURES_MAX);
    }
  }

  /** A node that calls by this peer's name, and says `hello`, which was checked. */
  answer(stream: PacketStream, hello: Hello, theirs: VersionVector): StreamEnd | Link {
    const { membership, greet, timer } = this.#parts;
    const { node } = membership;
    if (this.#isStopped) return { kind: "lost", why: `${node} is stopping` };
    if (this.#link !== undefined) {
      const isOther = this.#link.hello.process !== hello.process;
      const whose = isOther ? `another process of ${hello.node}` : hello.node;
      return { kind: "busy", why: `${node} has a stream with ${whose} already` };
    }
    const callingMs = timer.nowMs() - (this.#callingSinceMs ?? -Infinity);
    if (callingMs < PRECEDENCE_MS && node < hello.node) {
      return { kind: "busy", why: `${node} is calling ${hello.node} itself` };
    }
    const own = greet();
    stream.send({ kind: "hello", ...own.hello });
    return this.#begin(stream, hello, theirs, own.vector);
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#link?.close({ kind: "lost", why: `${this.#parts.membership.node} is stopping` });
    this.#linkEnded.resolve();
  }

  /** Calls once; resolves with the end of the stream if that came before a link, else with nothing. */
  async #call(): Promise<StreamEnd | undefined> {
    const { transport, greet, timer, membership } = this.#parts;
    const stream = transport.dial(this.config);
    const greeted = Promise.withResolvers<StreamEnd | undefined>();
    const own = greet();
    let link: Link | undefined;
    const fail = (end: StreamEnd) => {
      stream.close(end);
      greeted.resolve(end);
    };
    const stopWaiting = timer.after(
      HELLO_MAX_MS,
      () => fail({ kind: "lost", why: "no answer" }),
    );
    this.#callingSinceMs = timer.nowMs();
    stream.receive({
      onPacket: (packet) => {
        if (link !== undefined) return link.take(packet);
        const answer = readAnswer(packet, this.config.name, membership);
        if ("why" in answer) return fail(answer);
        // Both called at once, and both were answered: on both sides the same stream is kept.
        if (membership.node < this.config.name) {
          this.#link?.close({ kind: "busy", why: "there is another stream" });
        }
        if (this.#link !== undefined || this.#isStopped) {
          return fail({ kind: "busy", why: "there is a stream already" });
        }
        link = this.#begin(stream, answer.hello, answer.theirs, own.vector);
        greeted.resolve(undefined);
      },
      onEnd(end) {
        link?.ended(end);
        greeted.resolve(end);
      },
    });
    stream.send({ kind: "hello", ...own.hello });
    const end = await Promise.race([greeted.promise, this.#stopped.promise]);
    stopWaiting();
    this.#callingSinceMs = undefined;
    if (this.#isStopped && link === undefined) fail({ kind: "lost", why: "this node is stopping" });
    return end ?? undefined;
  }

  #begin(
    stream: PacketStream,
    hello: Hello,
    theirs: VersionVector,
    told: VersionVector,
  ): Link {
    const link: Link = new Link(
      {
        ...this.#parts.linkParts,
        stream,
        onPresence: (change) => this.#parts.onPresence(change),
        onEnd: (end) => this.#lost(link, end),
      },
      hello,
      theirs,
      told,
    );
    this.#link = link;
    this.#linkEnded = Promise.withResolvers();
    this.#logged = "";
    this.#parts.log(`in sync with ${this.name} (chat ${hello.version})`, {
      event: "peer_connected",
      node: this.name,
    });
    this.#parts.onUp(this, link);
    return link;
  }

  #lost(link: Link, { why }: StreamEnd): void {
    if (this.#link !== link) return;
    this.#lastHello = link.hello;
    this.#lastTheirs = link.theirs;
    this.#link = undefined;
    this.#why = why;
    if (!this.#isStopped) {
      this.#parts.log(`lost ${this.name}: ${why}`, { event: "peer_lost", node: this.name });
    }
    this.#parts.onDown(this);
    this.#linkEnded.resolve();
  }

  #failed({ kind, why }: StreamEnd): void {
    this.#why = why;
    const [sentence, event]: [string, LogEvent] = kind === "refused"
      ? [`${this.name} refuses this node: ${why}`, "refused_by_peer"]
      : [`cannot reach ${this.name} at ${this.config.address}: ${why}`, "peer_unreachable"];
    // Once, not for every try.
    if (sentence !== this.#logged) this.#parts.log(sentence, { event, node: this.name });
    this.#logged = sentence;
    this.#parts.onFailure(this);
  }

  async #pause(wholeMs: number): Promise<void> {
    const passed = Promise.withResolvers<void>();
    const delayMs = wholeMs * (0.5 + this.#parts.random() / 2);
    const cancel = this.#parts.timer.after(delayMs, passed.resolve);
    await Promise.race([passed.promise, this.#stopped.promise]);
    cancel();
  }
}

/** What the first packet of a node says that was called by its name. */
function readAnswer(
  packet: Packet,
  name: string,
  membership: Membership,
): StreamEnd | { readonly hello: Hello; readonly theirs: VersionVector } {
  if (packet.kind !== "hello") return { kind: "lost", why: `it began with ${packet.kind}` };
  if (packet.node !== name) return { kind: "refused", why: `it is ${packet.node}, not ${name}` };
  const refusal = refusalOf(packet, membership);
  if (refusal !== undefined) return { kind: "refused", why: refusal };
  try {
    return { hello: packet, theirs: parsePeerVector(packet.vector) };
  } catch (error) {
    return { kind: "lost", why: error instanceof Error ? error.message : String(error) };
  }
}
