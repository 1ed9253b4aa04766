import type { ByteSink, ByteSource } from "../../codec/frame.ts";
import type { Host } from "./host.ts";

/** One TCP connection. `Deno.Conn` is one. */
export interface Socket extends ByteSource, ByteSink {
  /** Ends reads and writes that are under way. */
  close(): void;
}

export interface Clock {
  nowMs(): number;
  /** Calls `action` once after `delayMs`, unless what this returns is called before. */
  after(delayMs: number, action: () => void): () => void;
}

/** All that a client takes from outside itself: tests hand in their own. */
export interface Outside {
  /** Connects, or rejects when `timeoutMs` have passed. */
  connect(host: Host, timeoutMs: number): Promise<Socket>;
  readonly clock: Clock;
  /** From 0, to below 1. */
  random(): number;
  /** A new UUID. */
  uuid(): string;
}
