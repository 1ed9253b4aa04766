import type { Packet, PacketSink, PacketStream, StreamEnd } from "../../sync/packet.ts";
import type { Channel } from "./channel.ts";
import { carry, type EndKeeper } from "./connection_end.ts";
import type { Process } from "./scheduler.ts";

export const RESET: StreamEnd = { kind: "lost", why: "connection reset" };

/** One end of a stream between nodes. */
export class PacketEnd implements PacketStream {
  readonly process: Process;
  readonly out: Channel;
  /** Gets the same packets, unknown to whoever sends them. */
  twin: PacketEnd | undefined;
  other: PacketEnd | undefined;
  readonly #keeper: EndKeeper;
  #sink: PacketSink | undefined;
  readonly #kept: Packet[] = [];
  #end: StreamEnd | undefined;

  constructor(keeper: EndKeeper, process: Process, out: Channel) {
    this.#keeper = keeper;
    this.process = process;
    this.out = out;
  }

  receive(sink: PacketSink): void {
    this.#sink = sink;
    for (const packet of this.#kept.splice(0)) sink.onPacket(packet);
    if (this.#end !== undefined) sink.onEnd(this.#end);
  }

  send(packet: Packet): void {
    if (this.#end !== undefined || !this.process.isAlive) return;
    // The bytes are the sender's again once this returns.
    const sent = packet.kind === "lines" ? { ...packet, lines: packet.lines.slice() } : packet;
    this.#keeper.sent(this.out, sent);
    this.#carry(sent.kind, (other) => other.#take(sent));
    this.twin?.send(packet);
  }

  close(end: StreamEnd): void {
    if (this.#end !== undefined || !this.process.isAlive) return;
    this.#end = end;
    this.#keeper.forget(this);
    this.#carry(`end (${end.why})`, (other) => other.ended(end));
  }

  ended(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#keeper.forget(this);
    this.#sink?.onEnd(end);
  }

  reset(): void {
    this.ended(RESET);
  }

  /** Its process is gone, and its machine says so. */
  sayReset(): void {
    this.#carry("reset", (other) => other.reset());
  }

  #carry(what: string, arrive: (other: PacketEnd) => void): void {
    carry<PacketEnd>(this.#keeper, this, what, arrive);
  }

  #take(packet: Packet): void {
    if (this.#end !== undefined) return;
    if (this.#sink === undefined) this.#kept.push(packet);
    else this.#sink.onPacket(packet);
  }
}
