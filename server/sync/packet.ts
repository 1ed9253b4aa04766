import type { AccountId } from "../core/operation.ts";

/** The packets of proto/sync.proto, whatever carries them. */
export type Packet =
  | ({ readonly kind: "hello" } & Hello)
  | { readonly kind: "want"; readonly nodes: readonly string[]; readonly allBut: boolean }
  | { readonly kind: "lines"; readonly lines: Uint8Array; readonly part?: StatePart | undefined }
  | { readonly kind: "offer"; readonly state: string; readonly bytes: number }
  | { readonly kind: "take"; readonly state: string; readonly from: number }
  | { readonly kind: "ack"; readonly packets: number; readonly vector: string }
  | ({ readonly kind: "presence" } & PresenceChange)
  | ({ readonly kind: "attempts" } & AttemptsChange)
  | { readonly kind: "ping"; readonly number: number }
  | { readonly kind: "pong"; readonly number: number; readonly time: number };

/** What of a state was sent: all before `end`. */
export interface StatePart {
  /** The same text means the same bytes, on the same node. */
  readonly state: string;
  readonly end: number;
  /** Of the whole state. */
  readonly bytes: number;
}

export interface Hello {
  readonly protocol: number;
  readonly node: string;
  readonly origin: string;
  readonly process: string;
  readonly version: string;
  readonly features: readonly string[];
  readonly vector: string;
  readonly nodes: readonly string[];
  readonly configuration: string;
}

export interface PresenceChange {
  readonly fromScratch: boolean;
  readonly online: readonly AccountId[];
  readonly offline: readonly AccountId[];
}

/** Passwords that were tried, as in proto/sync.proto: what it means is for the throttle. */
export interface AttemptsChange {
  readonly fromScratch: boolean;
  readonly accounts: readonly AttemptCount[];
  readonly addresses: readonly AttemptCount[];
}

export interface AttemptCount {
  readonly key: string;
  readonly count: number;
}

/** Why a stream ended. */
export interface StreamEnd {
  readonly why: string;
  /**
   * `refused`: the other side said no, and says so again. `busy`: it has a stream with this node, or
   * is about to. `lost`: anything else.
   */
  readonly kind: "refused" | "busy" | "lost";
}

export interface PacketSink {
  onPacket(packet: Packet): void;
  /** Called once, whoever ended it. */
  onEnd(end: StreamEnd): void;
}

/** Carries packets between two nodes, in order, both ways. */
export interface PacketStream {
  /** The node that has called, by its certificate; undefined where nobody has to show one. */
  readonly caller?: string | undefined;
  /** Where a call came from: an IP address. */
  readonly callerAddress?: string | undefined;
  /** To be called at once: what came until then is kept. */
  receive(sink: PacketSink): void;
  /** Ignored once it has ended. */
  send(packet: Packet): void;
  /** Ends it. Whoever was called may say why it refuses; others hear it as their end. */
  close(end: StreamEnd): void;
}

/** A node that is called. */
export interface CalledNode {
  readonly name: string;
  /** Where it listens for nodes, as `host:port`. */
  readonly address: string;
}

/** Connects nodes. */
export interface Transport {
  /** Whatever goes wrong is told as the stream's end. */
  dial(node: CalledNode): PacketStream;
}
