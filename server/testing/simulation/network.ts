import type { Socket } from "../../../client/connection.ts";
import type { Connection } from "../../session.ts";
import type { Packet, PacketStream, Transport } from "../../sync/packet.ts";
import type { Random } from "../random.ts";
import { ByteEnd } from "./byte_end.ts";
import { Channel } from "./channel.ts";
import type { EndKeeper } from "./connection_end.ts";
import { PacketEnd, RESET } from "./packet_end.ts";
import type { Process, Scheduler } from "./scheduler.ts";

/** How long what is sent is under way, in µs. */
export interface NetworkSpeed {
  readonly minUs: number;
  readonly maxUs: number;
}

/** Told of what nodes say, before they say it. */
export interface NetworkWitness {
  packet(machine: string, to: string, packet: Packet): void;
  /** `connection` is the same object for all bytes of one connection. */
  toClient(machine: string, connection: object, bytes: Uint8Array): void;
}

export interface NetworkParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly speed: NetworkSpeed;
  readonly witness: NetworkWitness;
  /** Of calls between nodes, one in so many arrives twice; 0 is none. */
  readonly duplicateOneIn: number;
}

interface Listener {
  readonly process: Process;
  readonly welcomeNode?: (stream: PacketStream) => void;
  readonly welcomeClient?: (connection: Connection) => void;
}

/** A segment that was lost is sent again so much later, in µs at most. */
const RETRANSMIT_US = 1_500_000;
/** A call of which its caller knows nothing is there for so long, in µs at most. */
const ORPHAN_US = 5_000_000;
const REFUSED = "connection refused";

/**
 * Machines that reach each other over TCP: bytes come in order or not at all, what is lost is sent
 * again for as long as the connection lasts, and a machine that is gone says nothing.
 */
export class SimulatedNetwork implements EndKeeper {
  readonly #parts: NetworkParts;
  readonly #listeners = new Map<string, Listener>();
  readonly #down = new Set<string>();
  readonly #cuts = new Set<string>();
  readonly #ends = new Set<PacketEnd | ByteEnd>();

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  listenForNodes(process: Process, welcomeNode: (stream: PacketStream) => void): void {
    this.#listeners.set(process.name, { ...this.#listenerOf(process), welcomeNode });
  }

  listenForClients(process: Process, welcomeClient: (connection: Connection) => void): void {
    this.#listeners.set(process.name, { ...this.#listenerOf(process), welcomeClient });
  }

  /** Clients are refused from now on. */
  refuseClients(process: Process): void {
    const { welcomeClient: _, ...rest } = this.#listenerOf(process);
    this.#listeners.set(process.name, rest);
  }

  /** A process ended: its machine resets its connections, unless that has no power. */
  ended(process: Process, isMachineDown: boolean): void {
    if (this.#listeners.get(process.name)?.process === process) {
      this.#listeners.delete(process.name);
    }
    if (isMachineDown) this.#down.add(process.name);
    for (const end of [...this.#ends]) {
      if (end.process !== process) continue;
      this.#ends.delete(end);
      if (!isMachineDown) end.sayReset();
    }
  }

  machineIsUp(name: string): void {
    this.#down.delete(name);
  }

  /** What is sent that way waits, and is lost if the connection is given up before it is mended. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  mend(from: string, to: string): void {
    if (!this.#cuts.delete(`${from} ${to}`)) return;
    for (const end of this.#ends) if (isOn(end, from, to)) end.out.mended();
  }

  heal(): void {
    for (const pair of [...this.#cuts]) {
      const [from = "", to = ""] = pair.split(" ");
      this.mend(from, to);
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  /** All connections between two machines are reset, as by a firewall. */
  reset(a: string, b: string): void {
    for (const end of this.#ends) {
      if (isOn(end, a, b) || isOn(end, b, a)) this.#tellReset(end);
    }
  }

  /** Connects a node with others: the host of an address is a machine's name. */
  transportOf(process: Process): Transport {
    const { random, duplicateOneIn } = this.#parts;
    return {
      dial: ({ address }) => {
        const [machine = ""] = address.split(":");
        const near = this.#dial(process, machine);
        const isDouble = duplicateOneIn > 0 && random.oneIn(duplicateOneIn);
        if (isDouble) near.twin = this.#dialUnknown(process, machine);
        return near;
      },
    };
  }

  /** A client's connection. Rejects when it is refused, or after `timeoutMs`. */
  connect(process: Process, to: string, timeoutMs: number): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const { scheduler, random } = this.#parts;
    const cancel = scheduler.after(process, timeoutMs * 1000, `no connection to ${to}`, () => {
      near.close();
      reject(new Error(`no connection within ${timeoutMs} ms`));
    }, { isTimer: true });
    const refused = () => {
      cancel();
      reject(new Error(REFUSED));
    };
    const near = new ByteEnd(this, process, this.#channel(process.name, to), random);
    this.#ends.add(near);
    near.out.send(() => this.#listeners.get(to)?.process, `connect from ${process.name}`, () => {
      const { welcomeClient, process: server } = this.#listeners.get(to) ?? {};
      if (server === undefined || this.isCut(to, process.name)) return near.out.silence();
      const back = this.#channel(to, process.name);
      if (welcomeClient === undefined) {
        return back.send(() => process, `${to} refuses`, refused, () => {});
      }
      const far = new ByteEnd(this, server, back, random);
      this.#ends.add(far);
      [near.other, far.other] = [far, near];
      far.onWrite = (bytes) => this.#parts.witness.toClient(to, far, bytes);
      back.send(() => process, `connected to ${to}`, () => {
        cancel();
        resolve(near);
      }, () => {});
      welcomeClient(far);
    }, () => scheduler.after(process, this.#latencyUs(), `${to} refuses`, refused));
    return promise;
  }

  forget(end: PacketEnd | ByteEnd): void {
    this.#ends.delete(end);
  }

  sent({ way: { from, to } }: Channel, packet: Packet): void {
    this.#parts.witness.packet(from, to, packet);
  }

  refuse({ way: { from, to } }: Channel, end: PacketEnd | ByteEnd): void {
    if (!this.isCut(to, from)) this.#tellReset(end);
  }

  #tellReset(end: PacketEnd | ByteEnd): void {
    const { scheduler } = this.#parts;
    scheduler.after(end.process, this.#latencyUs(), "connection reset", () => end.reset());
  }

  #listenerOf(process: Process): Listener {
    const before = this.#listeners.get(process.name);
    return before?.process === process ? before : { process };
  }

  #dial(process: Process, to: string): PacketEnd {
    const near = new PacketEnd(this, process, this.#channel(process.name, to));
    const refused = () => near.ended({ kind: "lost", why: REFUSED });
    this.#ends.add(near);
    near.out.send(() => this.#listeners.get(to)?.process, `call from ${process.name}`, () => {
      const { welcomeNode, process: server } = this.#listeners.get(to) ?? {};
      // A handshake takes both ways.
      if (server === undefined || this.isCut(to, process.name)) return near.out.silence();
      const back = this.#channel(to, process.name);
      if (welcomeNode === undefined) {
        return back.send(() => process, `${to} refuses`, refused, () => {});
      }
      const far = new PacketEnd(this, server, back);
      this.#ends.add(far);
      [near.other, far.other] = [far, near];
      welcomeNode(far);
    }, () => this.#parts.scheduler.after(process, this.#latencyUs(), `${to} refuses`, refused));
    return near;
  }

  /** A second call with the same packets, of which its caller knows nothing. */
  #dialUnknown(process: Process, to: string): PacketEnd {
    const near = this.#dial(process, to);
    near.receive({ onPacket() {}, onEnd() {} });
    const { scheduler, random } = this.#parts;
    const delayUs = random.below(ORPHAN_US);
    scheduler.after(process, delayUs, `forget a call to ${to}`, () => near.close(RESET));
    return near;
  }

  #channel(from: string, to: string): Channel {
    const { scheduler, random } = this.#parts;
    return new Channel({
      ...{ from, to, scheduler },
      latencyUs: () => this.#latencyUs(),
      retransmitUs: () => random.below(RETRANSMIT_US),
      isCut: () => this.isCut(from, to),
      isDown: () => this.#down.has(to),
      isGivenUp: () => random.oneIn(3),
    });
  }

  #latencyUs(): number {
    const { random, speed } = this.#parts;
    // Now and then much longer, so that what was sent later elsewhere comes before.
    return random.between(speed.minUs, speed.maxUs) * (random.oneIn(50) ? 20 : 1);
  }
}

function isOn({ out: { way } }: PacketEnd | ByteEnd, from: string, to: string): boolean {
  return way.from === from && way.to === to;
}
