import { isOrigin, type Operation, type Provenance } from "../core/operation.ts";
import { type DeletedMessage, NO_PLACE, type StateRecord } from "../core/state_record.ts";
import { integer, type JsonObject, RecordError, string, strings, wrong } from "./fields.ts";

/**
 * A record of a state as JSON, on one line:
 *
 * ```json
 * {"state":"account","account":…,"name":…,"generation":…,"created":[time,tick,origin,seq],"password":…,"version":…,"changed":[…],"deleted":[…]}
 * {"state":"message","id":…,"sender":…,"recipient":…,"content":…,"status":"read","recipientAccount":…,"time":…,"tick":…,"origin":…,"seq":…,"readOrigin":…,"readSeq":…}
 * {"state":"deleted","sender":…,"sent":…,"by":…,"recipients":[…],"keys":…,"to":[…],"seqs":[…]}
 * {"state":"operation","record":{…}}
 * {"state":"checkpoint","time":…,"vector":{…}}
 * {"state":"covers","vector":{…},"time":…,"tick":…}
 * ```
 *
 * `keys` are the ends of the ids of the deleted messages, {@linkcode KEY_CHARS} characters each; `to` is
 * for each of them an index into `recipients`, `seqs` how far the sequence number of the operation that
 * deleted it is from that before: 22 bytes and a few for each, if few recipients are many times in it.
 */
export const KEY_CHARS = 22;

/** How records of a state begin, and operations do not. */
export const STATE_START = '{"state":';

const RECORD_PREFIX = '{"state":"operation","record":';

/** The record as JSON; `encode` does the same for operations. */
export function encodeState(
  record: StateRecord,
  encode: (operation: Operation) => string,
): string {
  switch (record.kind) {
    case "account_state": {
      const { account, claim, password, deletion } = record;
      return JSON.stringify({
        state: "account",
        account,
        ...(claim &&
          { name: claim.name, generation: claim.generation, created: listOf(claim.at) }),
        ...(password && {
          password: password.hash,
          version: password.version,
          changed: listOf(password.at),
        }),
        ...(deletion && { deleted: listOf(deletion) }),
      });
    }
    case "message_state": {
      const { id, sender, recipient, content, recipientAccount, at, read } = record;
      const { timeMs: time, tick, origin, seq } = at;
      const status = read === undefined ? "unread" : "read";
      // deno-fmt-ignore
      const text = JSON.stringify(
        { state: "message", id, sender, recipient, content, status, recipientAccount, time, tick, origin, seq },
      );
      if (read === undefined) return text;
      const readBy = `,"readOrigin":${JSON.stringify(read.origin)},"readSeq":${read.seq}}`;
      return text.slice(0, -1) + readBy;
    }
    case "deleted_state": {
      const { sender, sentMs: sent, by, recipients, deleted } = record;
      let keys = "";
      let before = 0;
      const seqs = deleted.map(({ id, seq }) => {
        keys += id.slice(-KEY_CHARS);
        const step = seq - before;
        before = seq;
        return step;
      });
      const to = deleted.map(({ recipient }) => recipient);
      return JSON.stringify({ state: "deleted", sender, sent, by, recipients, keys, to, seqs });
    }
    case "loose_operation":
      return `${RECORD_PREFIX}${encode(record.operation)}}`;
    case "checkpoint": {
      const { timeMs: time } = record;
      return JSON.stringify({
        state: "checkpoint",
        time,
        vector: Object.fromEntries(record.vector),
      });
    }
    case "coverage": {
      const { timeMs: time, tick } = record.clock;
      const vector = Object.fromEntries(record.vector);
      return JSON.stringify({ state: "covers", vector, time, tick });
    }
    default:
      return record satisfies never;
  }
}

/**
 * What {@linkcode encodeState} made. `text` is the line without marker and seal, `decode` reads
 * operations. Throws {@linkcode RecordError}.
 */
export function decodeState(
  fields: JsonObject,
  text: () => string,
  decode: (text: string) => Operation,
): StateRecord {
  switch (fields.state) {
    case "account":
      return {
        kind: "account_state",
        ...NO_PLACE,
        account: string(fields, "account"),
        ...(fields.created !== undefined && {
          claim: {
            name: string(fields, "name"),
            generation: integer(fields, "generation", 1),
            at: provenance(fields, "created"),
          },
        }),
        ...(fields.changed !== undefined && {
          password: {
            hash: string(fields, "password"),
            version: integer(fields, "version", 1),
            at: provenance(fields, "changed"),
          },
        }),
        ...(fields.deleted !== undefined && { deletion: provenance(fields, "deleted") }),
      };
    case "message": {
      const { status } = fields;
      if (status !== "unread" && status !== "read") {
        throw wrong("status", '"unread" or "read"', status);
      }
      return {
        kind: "message_state",
        ...NO_PLACE,
        id: string(fields, "id"),
        sender: string(fields, "sender"),
        recipient: string(fields, "recipient"),
        recipientAccount: string(fields, "recipientAccount"),
        content: string(fields, "content"),
        at: {
          timeMs: integer(fields, "time", 0),
          tick: integer(fields, "tick", 0),
          origin: name(fields, "origin"),
          seq: integer(fields, "seq", 1),
        },
        ...(status === "read" && {
          read: { origin: name(fields, "readOrigin"), seq: integer(fields, "readSeq", 1) },
        }),
      };
    }
    case "deleted":
      return {
        kind: "deleted_state",
        ...NO_PLACE,
        sender: string(fields, "sender"),
        sentMs: integer(fields, "sent", 0),
        by: name(fields, "by"),
        recipients: strings(fields, "recipients"),
        deleted: deletedMessages(fields),
      };
    case "operation": {
      const line = text();
      if (!line.startsWith(RECORD_PREFIX)) throw wrong("record", "an operation", fields.record);
      const operation = decode(line.slice(RECORD_PREFIX.length, -1));
      return { kind: "loose_operation", ...NO_PLACE, operation };
    }
    case "checkpoint":
      return {
        kind: "checkpoint",
        ...NO_PLACE,
        timeMs: integer(fields, "time", 0),
        vector: vectorOf(fields),
      };
    case "covers":
      return {
        kind: "coverage",
        ...NO_PLACE,
        vector: vectorOf(fields),
        clock: { timeMs: integer(fields, "time", 0), tick: integer(fields, "tick", 0) },
      };
    default:
      throw wrong("state", "a kind of record that this version knows", fields.state);
  }
}

function deletedMessages(fields: JsonObject): DeletedMessage[] {
  const [sender, keys] = [string(fields, "sender"), string(fields, "keys")];
  const [to, steps] = [integers(fields, "to"), integers(fields, "seqs")];
  const { length } = strings(fields, "recipients");
  if (keys.length !== to.length * KEY_CHARS || to.length !== steps.length) {
    throw new RecordError("expected as many keys as recipients and sequence numbers");
  }
  let seq = 0;
  return to.map((recipient, index) => {
    seq += steps[index] ?? 0;
    if (!Number.isSafeInteger(seq) || seq < 1) throw wrong("seqs", "sequence numbers", steps);
    if (recipient < 0 || recipient >= length) throw wrong("to", "indexes of recipients", to);
    const key = keys.slice(index * KEY_CHARS, (index + 1) * KEY_CHARS);
    return { id: `${sender}.${key}`, recipient, seq };
  });
}

function vectorOf(fields: JsonObject): ReadonlyMap<string, number> {
  const { vector } = fields;
  if (typeof vector !== "object" || vector === null) throw wrong("vector", "an object", vector);
  const seqs = new Map<string, number>();
  for (const origin of Object.keys(vector)) seqs.set(origin, integer(vector, origin, 1));
  return seqs;
}

function integers(fields: JsonObject, key: string): readonly number[] {
  const value = fields[key];
  if (!Array.isArray(value) || !value.every((one) => Number.isSafeInteger(one))) {
    throw wrong(key, "a list of whole numbers", value);
  }
  return value;
}

function name(fields: JsonObject, key: string): string {
  const value = string(fields, key);
  if (!isOrigin(value)) throw wrong(key, "a node and its epoch", value);
  return value;
}

function listOf({ timeMs, tick, origin, seq }: Provenance): [number, number, string, number] {
  return [timeMs, tick, origin, seq];
}

function provenance(fields: JsonObject, key: string): Provenance {
  const value = fields[key];
  if (!Array.isArray(value) || value.length !== 4) {
    throw wrong(key, "time, tick, origin and seq", value);
  }
  const [timeMs, tick, origin, seq] = value;
  const parts = { time: timeMs, tick, origin, seq };
  return {
    timeMs: integer(parts, "time", 0),
    tick: integer(parts, "tick", 0),
    origin: name(parts, "origin"),
    seq: integer(parts, "seq", 1),
  };
}
