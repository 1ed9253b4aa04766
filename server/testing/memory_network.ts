import { setImmediate } from "node:timers";
import type { Packet, PacketSink, PacketStream, StreamEnd, Transport } from "../sync/packet.ts";

/** Lets everything that is ready happen. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Packets from one node to another, by name. */
interface Wire {
  readonly from: string;
  readonly to: string;
}

/** Streams between nodes of one process. Addresses are the nodes' names. */
export class MemoryNetwork {
  readonly #welcomes = new Map<string, (stream: PacketStream) => void>();
  readonly #cuts = new Set<string>();
  readonly #streams = new Set<MemoryStream>();
  /** Every packet that arrived, with who sent it to whom. */
  readonly delivered: (Wire & { readonly packet: Packet })[] = [];
  underWay = 0;

  listen(name: string, welcome: (stream: PacketStream) => void): void {
    this.#welcomes.set(name, welcome);
  }

  /** As if the process was killed: its streams break, and nobody listens. */
  crash(name: string): void {
    this.#welcomes.delete(name);
    for (const stream of [...this.#streams]) {
      if (stream.wire.from === name) stream.other?.end({ kind: "lost", why: "connection reset" });
    }
  }

  /** What is sent that way is swallowed, and nothing is closed. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  /** Lets two nodes talk again. */
  mend(a: string, b: string): void {
    // A stream that has lost bytes never carries another.
    for (const stream of this.#streams) {
      const { from, to } = stream.wire;
      const isTheirs = from === a && to === b || from === b && to === a;
      if (isTheirs && (this.isCut(a, b) || this.isCut(b, a))) stream.isSilent = true;
    }
    this.#cuts.delete(`${a} ${b}`);
    this.#cuts.delete(`${b} ${a}`);
  }

  /** Lets all talk again. */
  heal(): void {
    for (const pair of [...this.#cuts]) {
      const [from = "", to = ""] = pair.split(" ");
      this.mend(from, to);
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  transportOf(from: string): Transport {
    return {
      dial: ({ address: to }) => {
        const near = new MemoryStream(this, { from, to });
        const far = new MemoryStream(this, { from: to, to: from });
        near.other = far;
        far.other = near;
        this.#streams.add(near).add(far);
        this.#carry(near, () => {
          const welcome = this.#welcomes.get(to);
          if (welcome === undefined) near.end({ kind: "lost", why: "nothing listens there" });
          else welcome(far);
        });
        return near;
      },
    };
  }

  send(stream: MemoryStream, packet: Packet): void {
    this.#carry(stream, () => {
      this.delivered.push({ ...stream.wire, packet });
      stream.other?.take(packet);
    });
  }

  end(stream: MemoryStream, end: StreamEnd): void {
    this.#streams.delete(stream);
    this.#carry(stream, () => stream.other?.end(end));
  }

  /** Resolves once nothing is under way any more. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 5; calm++) {
      await nextTurn();
      if (this.underWay > 0) calm = 0;
    }
  }

  #carry(stream: MemoryStream, arrive: () => void): void {
    const { from, to } = stream.wire;
    if (stream.isSilent || this.isCut(from, to)) return;
    this.underWay++;
    setImmediate(() => {
      this.underWay--;
      arrive();
    });
  }
}

/** One end of a stream. */
class MemoryStream implements PacketStream {
  readonly wire: Wire;
  readonly #network: MemoryNetwork;
  other: MemoryStream | undefined;
  isSilent = false;
  #sink: PacketSink | undefined;
  #end: StreamEnd | undefined;

  constructor(network: MemoryNetwork, wire: Wire) {
    this.#network = network;
    this.wire = wire;
  }

  receive(sink: PacketSink): void {
    this.#sink = sink;
    if (this.#end !== undefined) sink.onEnd(this.#end);
  }

  send(packet: Packet): void {
    if (this.#end === undefined) this.#network.send(this, packet);
  }

  close(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#network.end(this, end);
  }

  take(packet: Packet): void {
    if (this.#end === undefined) this.#sink?.onPacket(packet);
  }

  end(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#sink?.onEnd(end);
  }
}
