import type { Commit, OperationName, Replication, Timer } from "../commit.ts";
import type { Entry } from "../core/state_record.ts";
import type { VersionVector } from "../core/version_vector.ts";
import type { WrittenBatch } from "../journal/journal.ts";
import type { Log } from "../log.ts";
import type { OwnOrigin } from "../own_origin.ts";
import { type Link, parsePeerVector, type Want } from "./link.ts";
import {
  describeConfiguration,
  differencesTo,
  type Membership,
  refusalOf,
  SYNC_PROTOCOL,
} from "./membership.ts";
import type { OperationLog } from "./outgoing.ts";
import { Peer } from "./peer.ts";
import { RecentBatches } from "./recent_batches.ts";
import type {
  AttemptsChange,
  CalledNode,
  Hello,
  PacketStream,
  PresenceChange,
  StatePart,
  StreamEnd,
  Transport,
} from "./packet.ts";

export interface ClusterParts {
  readonly membership: Membership;
  readonly peers: readonly CalledNode[];
  readonly version: string;
  /** Random, new for every process. */
  readonly process: string;
  readonly transport: Transport;
  readonly commit: Commit;
  readonly origin: OwnOrigin;
  readonly log: OperationLog;
  readonly timer: Timer;
  /** Wall clock, ms since 1970. */
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly nextTurn: () => Promise<void>;
  readonly presence: ClusterPresence;
  readonly attempts: ClusterAttempts;
  /** The journal holds another node's state now: more than it has to. */
  readonly onStateMerged: () => void;
  /** A line for the operator. */
  readonly tell: Log;
}

/** Who is signed in, here and elsewhere. */
export interface ClusterPresence {
  /** The accounts that are signed in on this node. */
  local(): Iterable<string>;
  changed(node: string, change: PresenceChange): void;
  /** There is no stream with the node any more. */
  lost(node: string): void;
}

/** Passwords that were tried, here and elsewhere. */
export interface ClusterAttempts {
  /** What a node has to know that was not told. */
  all(): AttemptsChange;
  heard(change: AttemptsChange): void;
}

/** What an operator wants to know of another node. */
export interface PeerView {
  readonly name: string;
  readonly state: "connected" | "catching_up" | "unreachable";
  readonly why?: string;
  readonly version?: string;
  /** Operations that it has and this node lacks. */
  readonly behind: number;
  /** Operations that this node has and it lacks. */
  readonly ahead: number;
  readonly skewMs?: number;
  readonly roundTripUs?: number;
}

/** How long a node that calls may take to say who it is, in ms. */
const HELLO_MAX_MS = 2000;
/** A node that catches up at its start, and gets nothing for so long, serves what it has. */
const STALL_MAX_MS = 10_000;
const STALL_LOOK_MS = 500;
/** What the operator is told of a node that was refused, in UTF-16 units at most. */
const REFUSAL_UNITS_MAX = 500;
const NODE_UNITS_MAX = 40;
const NO_HELLO: StreamEnd = { kind: "lost", why: "a node says hello first" };
/** Clocks further apart than this are worth a warning, in ms. */
const SKEW_WARNING_MS = 1000;

/** After so long without a part of the state that it takes, a node takes another one's, in ms. */
const STATE_PAUSE_MAX_MS = 2000;
/** With clocks further apart than this nobody can say how old anything is, in ms. */
const SKEW_MAX_MS = 60 * 60 * 1000;

/** All other nodes, and what they have: see {@linkcode Replication}. */
export class Cluster implements Replication {
  readonly #parts: ClusterParts;
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #running: Promise<void>[] = [];
  /** Nodes that could not be asked yet, and did not fail to answer: with what they had. */
  readonly #awaited = new Map<string, VersionVector | undefined>();
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #recent = new RecentBatches();
  readonly #asked = new Set<string>();
  readonly #onChange: (() => void)[] = [];
  /** The link from which this node takes a state now, and when a part of it came. */
  #taking: { readonly link: Link; heardMs: number } | undefined;
  /** By the node's name, what is here of a state whose stream broke off. */
  readonly #stateParts = new Map<string, StatePart>();
  #isStopped = false;
  #lastRefusal = "";

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { commit, log, timer, wallMs, nextTurn } = parts;
    const peerParts = {
      membership: parts.membership,
      transport: parts.transport,
      timer,
      random: parts.random,
      greet: () => this.#greet(),
      linkParts: {
        timer,
        wallMs,
        log,
        recent: this.#recent,
        nextTurn,
        durable: commit.durable,
        accept: (entries: readonly Entry[]) => commit.accept(entries),
        onProgress: () => commit.copiesChanged(),
        onOffer: (link: Link, state: string) => this.#takeState(link, state),
        onStatePart: (link: Link, part: StatePart) => this.#tookState(link, part),
        onAttempts: (change: AttemptsChange) => parts.attempts.heard(change),
      },
      onUp: (peer: Peer, link: Link) => this.#up(peer, link),
      onDown: (peer: Peer) => this.#down(peer),
      onFailure: (peer: Peer) => this.#settleFor(peer.name),
      log: parts.tell,
    };
    this.#peers = new Map(parts.peers.map((config) => [
      config.name,
      new Peer(config, {
        ...peerParts,
        onPresence: (change) => parts.presence.changed(config.name, change),
      }),
    ]));
    for (const name of this.#peers.keys()) this.#awaited.set(name, undefined);
  }

  /** Calls all other nodes, from now on. */
  start(): void {
    for (const peer of this.#peers.values()) this.#running.push(peer.run());
    this.#parts.commit.onProgress(() => this.#lookWhetherCaughtUp());
    this.#lookWhetherCaughtUp();
  }

  /**
   * Resolves once this node has what every other one had when it was reached, or it could not be
   * reached: then nobody who signs in is told of a state that is long past.
   */
  async caughtUp(): Promise<void> {
    let lackedBefore = "";
    let sinceMs = this.#parts.timer.nowMs();
    let cancel = (): void => {};
    const look = () => {
      const nowMs = this.#parts.timer.nowMs();
      const lacked = this.#lacked();
      if (lacked !== lackedBefore) sinceMs = nowMs;
      lackedBefore = lacked;
      if (nowMs - sinceMs > STALL_MAX_MS) this.#caughtUp.resolve();
      else cancel = this.#parts.timer.after(STALL_LOOK_MS, look);
    };
    look();
    await this.#caughtUp.promise;
    cancel();
  }

  /** A node calls. */
  welcome(stream: PacketStream): void {
    let link: Link | undefined;
    let hasEnded = false;
    const refuse = (end: StreamEnd, node?: string) => {
      hasEnded = true;
      stopWaiting();
      stream.close(end);
      if (end.kind === "refused" || end === NO_HELLO) this.#tellRefusal(stream, end, node);
    };
    const stopWaiting = this.#parts.timer.after(HELLO_MAX_MS, () => refuse(NO_HELLO));
    stream.receive({
      onPacket: (packet) => {
        if (hasEnded) return;
        if (link !== undefined) return link.take(packet);
        stopWaiting();
        if (packet.kind !== "hello") return refuse(NO_HELLO);
        const answer = this.#answer(stream, packet);
        if ("why" in answer) refuse(answer, packet.node);
        else link = answer;
      },
      onEnd(end) {
        stopWaiting();
        link?.ended(end);
      },
    });
  }

  /** Says goodbye to all. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#caughtUp.resolve();
    for (const peer of this.#peers.values()) peer.stop();
    await Promise.all(this.#running);
  }

  get reachable(): number {
    return this.#links().filter((link) => link.isLive).length;
  }

  /**
   * What is durable on all nodes of the configuration, if all are here, none has anything that this one
   * lacks, and no clock is far off: all that any of them did by then is known to all. Else undefined.
   */
  knownByAll(): VersionVector | undefined {
    const { durable } = this.#parts.commit;
    const common = durable.copy();
    for (const { link, theirs } of this.#peers.values()) {
      if (link?.isLive !== true || theirs === undefined || !durable.includes(theirs)) {
        return undefined;
      }
      if (Math.abs(link.skewMs ?? Infinity) > SKEW_MAX_MS) return undefined;
      for (const [origin, seq] of common.entries()) {
        common.advance(origin, Math.min(seq, theirs.seqOf(origin)));
      }
    }
    return common;
  }

  /** Whether a node is being sent what it missed. */
  get isBeingRead(): boolean {
    return this.#links().some((link) => !link.isLive);
  }

  publish(entries: readonly Entry[], written: WrittenBatch | undefined): void {
    this.#recent.add(entries, written);
    for (const link of this.#links()) link.published();
  }

  copiesElsewhere(operation: OperationName): number {
    return this.#countPeers((theirs) => theirs.covers(operation));
  }

  copiesOfAllElsewhere(known: VersionVector): number {
    return this.#countPeers((theirs) => theirs.includes(known));
  }

  /** An account has signed in on this node, or has nobody left here. */
  tellPresence(account: string, online: boolean): void {
    const change = online
      ? { fromScratch: false, online: [account], offline: [] }
      : { fromScratch: false, online: [], offline: [account] };
    for (const link of this.#links()) link.tellPresence(change);
  }

  /** A password was tried on this node. */
  tellAttempts(change: AttemptsChange): void {
    for (const link of this.#links()) link.tellAttempts(change);
  }

  /** Told whenever a node was reached or lost. */
  onChange(listener: () => void): void {
    this.#onChange.push(listener);
  }

  /** Whether there is a stream with this node; undefined if it is none of the configuration. */
  reaches(name: string): boolean | undefined {
    const peer = this.#peers.get(name);
    return peer === undefined ? undefined : peer.link !== undefined;
  }

  peers(): PeerView[] {
    return [...this.#peers.values()].map((peer) => this.#viewOf(peer));
  }

  warnings(): string[] {
    return [...this.#peers.values()].flatMap((peer) => [
      ...(peer.hello === undefined ? [] : differencesTo(peer.hello, this.#parts.membership)),
      ...skewWarning(peer),
    ]);
  }

  #greet(): { hello: Hello; vector: VersionVector } {
    const { membership, origin, process, version, commit } = this.#parts;
    const vector = commit.durable.copy();
    const hello = {
      protocol: SYNC_PROTOCOL,
      node: membership.node,
      origin: origin.current,
      process,
      version,
      features: [],
      vector: vector.toString(),
      nodes: membership.nodes.map(({ name }) => name),
      configuration: describeConfiguration(membership),
    };
    return { hello, vector };
  }

  #answer(stream: PacketStream, hello: Hello): Link | StreamEnd {
    if (this.#isStopped) {
      return { kind: "lost", why: `${this.#parts.membership.node} is stopping` };
    }
    const refusal = calledAsAnother(hello, stream) ?? refusalOf(hello, this.#parts.membership);
    const peer = this.#peers.get(hello.node);
    if (refusal !== undefined || peer === undefined) {
      return { kind: "refused", why: refusal ?? "there is no such node" };
    }
    try {
      return peer.answer(stream, hello, parsePeerVector(hello.vector));
    } catch (error) {
      return { kind: "refused", why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Once, not for every try. */
  #tellRefusal({ callerAddress: address }: PacketStream, { why }: StreamEnd, node?: string): void {
    const named = node?.slice(0, NODE_UNITS_MAX).toWellFormed();
    const whom = named === undefined ? "somebody" : JSON.stringify(named);
    const sentence = `refused ${whom}: ${why.slice(0, REFUSAL_UNITS_MAX).toWellFormed()}`;
    if (sentence !== this.#lastRefusal) {
      this.#parts.tell(sentence, { event: "peer_refused", node: named, address });
    }
    this.#lastRefusal = sentence;
  }

  #up(peer: Peer, link: Link): void {
    const { origin, presence, attempts, commit } = this.#parts;
    if (link.theirs.seqOf(origin.current) > commit.durable.seqOf(origin.current)) {
      origin.disown(`${peer.name} knows more of the last one than this node`);
    }
    this.#asked.add(peer.name);
    if (this.#asked.size === this.#peers.size) origin.confirm();
    if (this.#awaited.has(peer.name)) this.#awaited.set(peer.name, link.theirs.copy());
    link.tellPresence({ fromScratch: true, online: [...presence.local()], offline: [] });
    link.tellAttempts(attempts.all());
    this.#share();
    this.#lookWhetherCaughtUp();
    this.#tellChange();
  }

  /** From one node at a time: the second one's state is mostly the same. */
  #takeState(link: Link, state: string): void {
    const nowMs = this.#parts.timer.nowMs();
    // It may have got elsewhere what it was behind in, and sends nothing then.
    if (this.#taking !== undefined && nowMs - this.#taking.heardMs < STATE_PAUSE_MAX_MS) return;
    this.#taking = { link, heardMs: nowMs };
    const part = this.#stateParts.get(link.hello.node);
    link.takeState(state, part?.state === state ? part.end : 0);
  }

  #tookState(link: Link, part: StatePart): void {
    this.#stateParts.set(link.hello.node, part);
    if (this.#taking?.link === link) this.#taking.heardMs = this.#parts.timer.nowMs();
    if (part.end < part.bytes) return;
    this.#stateParts.delete(link.hello.node);
    if (this.#taking?.link === link) this.#taking = undefined;
    this.#parts.onStateMerged();
  }

  #down(peer: Peer): void {
    if (this.#taking?.link.hasEnded) this.#taking = undefined;
    this.#parts.presence.lost(peer.name);
    this.#share();
    this.#parts.commit.copiesChanged();
    // It is called again at once: only if that fails it is not waited for.
    this.#tellChange();
  }

  #tellChange(): void {
    for (const listener of this.#onChange) listener();
  }

  /**
   * Every node is asked for its own operations, and one of them also for those of all who cannot be
   * asked: each operation comes once, and comes whoever is gone.
   */
  #share(): void {
    const up = [...this.#peers.values()].filter(({ link }) => link !== undefined);
    const names = up.map(({ name }) => name);
    for (const [index, { name, link }] of up.entries()) {
      const want: Want = index === 0
        ? { nodes: names.filter((other) => other !== name), allBut: true }
        : { nodes: [name], allBut: false };
      link?.want(want);
    }
  }

  /** The node cannot be waited for. */
  #settleFor(name: string): void {
    this.#awaited.delete(name);
    this.#lookWhetherCaughtUp();
  }

  #lookWhetherCaughtUp(): void {
    for (const [name, had] of this.#awaited) {
      if (had !== undefined && this.#parts.commit.durable.includes(had)) this.#awaited.delete(name);
    }
    if (this.#awaited.size === 0) this.#caughtUp.resolve();
  }

  /** How much it is that is waited for: it changes as long as there is any progress. */
  #lacked(): string {
    const { durable, settled } = this.#parts.commit;
    // A state counts as known only when all of it is here.
    const merged = this.#taking === undefined ? 0 : settled;
    return [merged, ...[...this.#awaited.values()].map((had) => had && durable.lag(had))].join();
  }

  #links(): Link[] {
    const links: Link[] = [];
    for (const { link } of this.#peers.values()) if (link !== undefined) links.push(link);
    return links;
  }

  #countPeers(has: (theirs: VersionVector) => boolean): number {
    let count = 0;
    for (const { theirs } of this.#peers.values()) if (theirs !== undefined && has(theirs)) count++;
    return count;
  }

  #viewOf({ name, link, hello, theirs, why }: Peer): PeerView {
    const { durable } = this.#parts.commit;
    const state = link === undefined
      ? "unreachable" as const
      : link.isLive
      ? "connected" as const
      : "catching_up" as const;
    return {
      name,
      state,
      ...(link === undefined && { why }),
      ...(hello !== undefined && { version: hello.version }),
      behind: theirs === undefined ? 0 : durable.lag(theirs),
      ahead: theirs === undefined ? 0 : theirs.lag(durable),
      ...(link?.skewMs !== undefined && { skewMs: Math.round(link.skewMs) }),
      ...(link?.roundTripMs !== undefined && { roundTripUs: Math.round(link.roundTripMs * 1000) }),
    };
  }
}

/** Why a node may not take part that says it is another one than its certificate's. */
function calledAsAnother({ node }: Hello, { caller }: PacketStream): string | undefined {
  if (caller === undefined || caller === node) return undefined;
  return `${node} calls with the certificate of ${caller}`;
}

function skewWarning({ name, link }: Peer): string[] {
  const skewMs = link?.skewMs ?? 0;
  if (Math.abs(skewMs) < SKEW_WARNING_MS) return [];
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  return [`the clock of ${name} is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} this one's`];
}
