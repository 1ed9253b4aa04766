import { type Frame, FrameDecoder } from "../../../codec/frame.ts";
import {
  isEvent,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  type ReplyPayload,
} from "../../../codec/message.ts";
import type { OperationName } from "../../commit.ts";
import { Cursor } from "../../core/cursor.ts";
import type { Operation } from "../../core/operation.ts";
import { type Entry, isStateRecord } from "../../core/state_record.ts";
import { VersionVector } from "../../core/version_vector.ts";
import { parseSegmentName } from "../../journal/segment.ts";
import { sealFault } from "../../journal/batch.ts";
import { decodeLine, SEAL_CHARS } from "../../journal/record.ts";
import { parsePeerVector } from "../../sync/link.ts";
import type { Packet } from "../../sync/packet.ts";
import type { DiskWitness } from "./disk.ts";
import type { NetworkWitness } from "./network.ts";

/** An operation that was on a disk for good. */
interface Recorded {
  readonly operation: Operation;
  /** Its line, without what the journal adds. */
  readonly text: string;
  /** The machines on whose disk it was written by itself. */
  readonly on: Set<string>;
}

interface SyncedLine {
  readonly entry: Entry;
  readonly text: string;
}

const NEWLINE = 0x0a;
const HEADER_START = '{"journal"';
const BATCH = /,"batch":\{[^{}]*\}$/;
const bytesAsText = new TextDecoder("latin1");

/**
 * Sees what is on all disks for good, and hears all that nodes say: whatever they say has to be on
 * disk before, and a name never means two operations.
 */
export class Witness implements DiskWitness, NetworkWitness {
  /** Whole states of other nodes that were taken in. */
  statesMerged = 0;
  readonly #report: (violation: string) => void;
  /** By name. */
  readonly #recorded = new Map<string, Recorded>();
  readonly #byMessage = new Map<string, OperationName[]>();
  readonly #disks = new Map<string, Disk>();
  readonly #decoders = new WeakMap<object, FrameDecoder>();
  /** What was on some disk for good, whatever became of that disk. */
  readonly #ever = new VersionVector();

  constructor(machines: readonly string[], report: (violation: string) => void) {
    this.#report = report;
    for (const name of machines) {
      this.#disks.set(name, {
        durable: new VersionVector(),
        ever: new VersionVector(),
        messages: new Set(),
        mergedUpTo: new VersionVector(),
      });
    }
  }

  /** All operations of these names, if all were seen one by one; else undefined. */
  operationsOf(vector: VersionVector): Operation[] | undefined {
    const operations: Operation[] = [];
    for (const [origin, last] of vector.entries()) {
      for (let seq = 1; seq <= last; seq++) {
        const recorded = this.#recorded.get(nameOf({ origin, seq }));
        if (recorded === undefined) return undefined;
        operations.push(recorded.operation);
      }
    }
    return operations;
  }

  synced(machine: string, file: string, bytes: Uint8Array): void {
    if (parseSegmentName(file)?.kind !== "journal") return;
    const batch: SyncedLine[] = [];
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      // What is torn is still to be cut off, with all of its batch.
      if (sealFault(bytes, start, end) !== undefined) return;
      const text = bytesAsText.decode(bytes.subarray(start, end));
      if (!text.startsWith(HEADER_START)) {
        const { entry, batch: marker } = decodeLine(bytes.subarray(start, end));
        batch.push({ entry, text: textOf(text) });
        if (marker?.records === batch.length) {
          for (const line of batch.splice(0)) this.#syncedLine(machine, line);
        }
      }
      start = end + 1;
    }
  }

  /** A node has read its disk: what was on it for good has to be there. */
  opened(machine: string, vector: VersionVector): void {
    const { durable } = this.#disk(machine);
    if (vector.includes(durable)) return;
    this.#report(`${machine} lost what was on its disk: has ${vector}, had ${durable}`);
  }

  /** The disk was put back to what `vector` covers, of which it may have other things in memory. */
  wasReplaced(machine: string, vector: VersionVector): void {
    const disk = this.#disk(machine);
    for (const [name, recorded] of this.#recorded) {
      if (vector.covers(recorded.operation)) continue;
      recorded.on.delete(machine);
      // It is nowhere any more: its number may be used again.
      if (recorded.on.size === 0) this.#recorded.delete(name);
    }
    disk.durable = vector.copy();
    disk.messages.clear();
    disk.mergedUpTo = new VersionVector();
  }

  /**
   * Whether a machine has a part of another node's state, or one that was made while operations came, and
   * not these operations: what it shows is more than its vector says.
   */
  isMerging(machine: string): boolean {
    const { mergedUpTo, durable } = this.#disk(machine);
    return !durable.includes(mergedUpTo);
  }

  packet(machine: string, to: string, packet: Packet): void {
    switch (packet.kind) {
      case "hello":
      case "ack":
        return this.#saysThatItHas(machine, parsePeerVector(packet.vector), packet.kind);
      case "lines":
        if (packet.part === undefined) return this.#sends(machine, packet.lines);
        this.#disk(to).mergedUpTo.include(this.#disk(machine).durable);
        return;
      default:
        return;
    }
  }

  toClient(machine: string, connection: object, bytes: Uint8Array): void {
    let decoder = this.#decoders.get(connection);
    if (decoder === undefined) {
      decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
      this.#decoders.set(connection, decoder);
    }
    for (const frame of decoder.push(bytes)) this.#says(machine, frame);
  }

  #says(machine: string, frame: Frame): void {
    const message = readServerMessage(frame);
    if (message === undefined) return;
    if (isEvent(message)) {
      if (message.kind === "message") this.#shows(machine, message.payload.id);
      return this.#tellsCursor(machine, message.payload.cursor);
    }
    if (message.kind === "sent") this.#acknowledges(machine, message.payload);
    if (message.kind === "messages") {
      for (const { id } of message.payload) this.#shows(machine, id);
    }
    if (message.kind === "done" && message.payload.cursor !== undefined) {
      this.#tellsCursor(machine, message.payload.cursor);
    }
  }

  #syncedLine(machine: string, { entry, text }: SyncedLine): void {
    const disk = this.#disk(machine);
    if (isStateRecord(entry)) {
      if (entry.kind === "message_state") disk.messages.add(entry.id);
      if (entry.kind === "coverage") {
        this.#include(disk, VersionVector.of(entry.vector));
        this.statesMerged++;
      }
      return;
    }
    this.#include(disk, VersionVector.of(new Map([[entry.origin, entry.seq]])));
    this.#record(entry, text).on.add(machine);
  }

  #include(disk: Disk, vector: VersionVector): void {
    for (const known of [disk.durable, disk.ever, this.#ever]) known.include(vector);
  }

  #record(operation: Operation, text: string): Recorded {
    const name = nameOf(operation);
    const known = this.#recorded.get(name);
    if (known !== undefined) {
      if (known.text !== text) {
        this.#report(`${name} means two things:\n    ${known.text}\n    ${text}`);
      }
      return known;
    }
    const recorded = { operation, text, on: new Set<string>() };
    this.#recorded.set(name, recorded);
    if (operation.kind === "message_sent") {
      const { id, origin, seq } = operation;
      const names = this.#byMessage.get(id) ?? [];
      this.#byMessage.set(id, [...names, { origin, seq }]);
    }
    return recorded;
  }

  #saysThatItHas(machine: string, vector: VersionVector, where: string): void {
    const { durable } = this.#disk(machine);
    if (durable.includes(vector)) return;
    this.#report(
      `${machine} tells of what is not on its disk, in ${where}: ${vector}; it has ${durable}`,
    );
  }

  #sends(machine: string, lines: Uint8Array): void {
    const { durable } = this.#disk(machine);
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(NEWLINE, start);
      const line = lines.subarray(start, end);
      start = end + 1;
      const { entry } = decodeLine(line);
      if (isStateRecord(entry)) continue;
      if (!durable.covers(entry)) {
        this.#report(`${machine} sends what is not on its disk: ${nameOf(entry)}`);
      }
      this.#record(entry, textOf(bytesAsText.decode(line)));
    }
  }

  #acknowledges(machine: string, { id, copies }: ReplyPayload<"sent">): void {
    this.#shows(machine, id);
    const names = this.#byMessage.get(id) ?? [];
    const holders = [...this.#disks].filter(([_, { ever, messages }]) =>
      messages.has(id) || names.some((name) => ever.covers(name))
    ).map(([name]) => name);
    if (copies <= holders.length) return;
    this.#report(`${machine} says that ${id} is on ${copies} disks: it was on those of ${holders}`);
  }

  #shows(machine: string, id: string): void {
    const { durable, messages } = this.#disk(machine);
    if (messages.has(id)) return;
    if (this.#byMessage.get(id)?.some((name) => durable.covers(name))) return;
    this.#report(`${machine} shows message ${id}, which is not on its disk`);
  }

  #tellsCursor(machine: string, cursor: string): void {
    const told = Cursor.parse(cursor)?.told;
    // Who comes from another node may know more than this one.
    if (told !== undefined && this.#ever.includes(told)) return;
    this.#report(
      `${machine} tells a client of what is on no disk: ${cursor}, there is ${this.#ever}`,
    );
  }

  #disk(machine: string): Disk {
    const disk = this.#disks.get(machine);
    if (disk === undefined) throw new Error(`Cannot see the disk of ${machine}: there is none`);
    return disk;
  }
}

interface Disk {
  /** What is on it for good. */
  durable: VersionVector;
  /** What was, whatever has become of it. */
  readonly ever: VersionVector;
  /** Messages that are on it as a part of another node's state. */
  readonly messages: Set<string>;
  /** What those who sent it knew. */
  mergedUpTo: VersionVector;
}

function nameOf({ origin, seq }: OperationName): string {
  return `${origin}:${seq}`;
}

function textOf(line: string): string {
  return line.slice(0, -SEAL_CHARS).replace(BATCH, "");
}
