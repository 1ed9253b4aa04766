import { printableJson } from "../../codec/printable.ts";
import { isStoredCredential } from "../auth/credential.ts";
import { readKeyWords, senderOf } from "../core/message_id.ts";
import type { AccountId, MessageId, Stamp } from "../core/operation.ts";
import { VersionVector } from "../core/version_vector.ts";
import { integer, type JsonObject, parseObject, RecordError, string } from "../journal/fields.ts";
import { CONTENT_BYTES_MAX, isContent } from "../requests/message.ts";
import { isClaimed, NAME_RULE, usualName } from "../requests/name.ts";

/**
 * The lines of an export, one JSON object each, in this order: docs/OPERATIONS.md has all fields.
 *
 * ```json
 * {"export":1,"node":"node1","time":1795000000000,"vector":"node1.k2…:17"}
 * {"account":"k3f9ab2cq1xz","name":"alice","created":…,"tick":0,"generation":1,"password":"scrypt$…"}
 * {"id":"k3f9ab2cq1xz.5yNmZtDvQeKXq1mHVYt0Jg","sender":"alice","recipient":"bob","content":"hi","status":"read","time":…,"tick":0,"recipientAccount":"…"}
 * {"end":1,"accounts":2,"messages":1}
 * ```
 */
export type ExportLine = ExportStart | ExportedAccount | ExportedMessage | ExportEnd;

export interface ExportStart {
  readonly kind: "start";
  readonly node: string;
  /** When it was made, ms since 1970. */
  readonly timeMs: number;
  /** Which operations all of it is the result of. */
  readonly vector?: VersionVector;
  /** If it is only of one person: their name. */
  readonly user?: string;
}

export interface ExportedAccount {
  readonly kind: "account";
  readonly account: AccountId;
  readonly name: string;
  /** What others see, if somebody else has the name. */
  readonly alias?: string;
  readonly generation: number;
  readonly created: Stamp;
  /** Left out of an export of one person. */
  readonly password?: {
    readonly hash: string;
    /** 1 for the one that the account was created with. */
    readonly version: number;
    readonly changed: Stamp;
  };
}

export interface ExportedMessage {
  readonly kind: "message";
  /** Begins with the sender's account. */
  readonly id: MessageId;
  readonly senderAccount: AccountId;
  /** Names are for whoever reads it; accounts decide. */
  readonly sender: string;
  readonly recipient: string;
  readonly recipientAccount: AccountId;
  readonly content: string;
  readonly isRead: boolean;
  readonly sent: Stamp;
}

export interface ExportEnd {
  readonly kind: "end";
  readonly accounts: number;
  readonly messages: number;
}

/** The version of the format. */
const FORMAT = 1;
/** No line is longer, in bytes: a byte of content takes at most six, as \u0001 does. */
export const EXPORT_LINE_BYTES_MAX = 8 * CONTENT_BYTES_MAX;
/** The end of the year 9999: what comes later has no usual date. */
const TIME_MAX_MS = 253_402_300_799_999;
const TICK_MAX = 0xffff_ffff;
/** One more than a generation has to be a number, too. */
const GENERATION_MAX = 2 ** 31;
/** And what the operator's word makes of a version: see credential.ts. */
const VERSION_MAX = 2 ** 50;
const ACCOUNT = /^[0-9a-z]{12}$/;
const WORDS = new Int32Array(4);

/** The line, with its newline. */
export function exportLine(line: ExportLine): string {
  return `${printableJson(fieldsOf(line))}\n`;
}

function fieldsOf(line: ExportLine): JsonObject {
  switch (line.kind) {
    case "start": {
      const { node, timeMs: time, vector, user } = line;
      return {
        ...{ export: FORMAT, node, time },
        ...(vector && { vector: vector.toString() }),
        ...(user !== undefined && { user }),
      };
    }
    case "account": {
      const { account, name, alias, generation, created: { timeMs, tick }, password } = line;
      return {
        account,
        name,
        ...(alias !== undefined && { alias }),
        ...{ created: timeMs, tick, generation },
        ...(password && { password: password.hash }),
        ...(password && password.version > 1 && {
          version: password.version,
          changed: password.changed.timeMs,
          changedTick: password.changed.tick,
        }),
      };
    }
    case "message": {
      const { id, sender, recipient, content, isRead, sent, recipientAccount } = line;
      const status = isRead ? "read" : "unread";
      const { timeMs: time, tick } = sent;
      return { id, sender, recipient, content, status, time, tick, recipientAccount };
    }
    case "end": {
      const { accounts, messages } = line;
      return { end: 1, accounts, messages };
    }
    default:
      return line satisfies never;
  }
}

/** What is on a line, wholly checked. Fields that are not known are passed over. Throws RecordError. */
export function readExportLine(text: string): ExportLine {
  const fields = parseObject(text);
  const has = (key: string) => Object.hasOwn(fields, key);
  if (has("export")) return readStart(fields);
  if (has("account")) return readAccount(fields);
  if (has("id")) return readMessage(fields);
  if (has("end")) {
    const [accounts, messages] = [integer(fields, "accounts", 0), integer(fields, "messages", 0)];
    return { kind: "end", accounts, messages };
  }
  throw new RecordError("neither an account nor a message");
}

function readStart(fields: JsonObject): ExportStart {
  const format = integer(fields, "export", 1);
  if (format !== FORMAT) {
    throw new RecordError(
      `an export of version ${format}, and this version of chat reads ${FORMAT}: use a newer one`,
    );
  }
  const [node, timeMs] = [string(fields, "node"), integer(fields, "time", 0)];
  const user = fields.user === undefined ? undefined : string(fields, "user");
  const vector = fields.vector === undefined
    ? undefined
    : VersionVector.parse(string(fields, "vector"), EXPORT_LINE_BYTES_MAX);
  if (fields.vector !== undefined && vector === undefined) {
    throw new RecordError("expected vector to be origins and numbers, such as node1.k2:17");
  }
  return {
    kind: "start",
    node,
    timeMs,
    ...(vector && { vector }),
    ...(user !== undefined && { user }),
  };
}

function readAccount(fields: JsonObject): ExportedAccount {
  const name = string(fields, "name");
  if (usualName(name) !== name || !isClaimed(name)) throw new RecordError(NAME_RULE);
  const created = stamp(fields, "created", "tick");
  const version = optionalCount(fields, "version", VERSION_MAX);
  const hash = fields.password === undefined ? undefined : string(fields, "password");
  if (hash !== undefined && !isStoredCredential(hash)) {
    throw new RecordError("expected password to be scrypt$N$r$p$salt$hash, and not too dear");
  }
  const changed = version === 1 ? created : stamp(fields, "changed", "changedTick");
  return {
    kind: "account",
    account: account(fields, "account"),
    name,
    generation: optionalCount(fields, "generation", GENERATION_MAX),
    created,
    ...(hash !== undefined && { password: { hash, version, changed } }),
  };
}

function readMessage(fields: JsonObject): ExportedMessage {
  const [id, content, status] = [
    string(fields, "id"),
    string(fields, "content"),
    string(fields, "status"),
  ];
  const senderAccount = senderOf(id);
  if (senderAccount === undefined || !ACCOUNT.test(senderAccount) || !readKeyWords(id, WORDS)) {
    throw new RecordError("expected id to be an account, a dot and 22 characters of base64url");
  }
  if (!isContent(content) || !content.isWellFormed()) {
    throw new RecordError(
      `content has 1 byte to ${CONTENT_BYTES_MAX} bytes, no NUL, and no half characters`,
    );
  }
  if (status !== "read" && status !== "unread") {
    throw new RecordError('expected status to be "read" or "unread"');
  }
  return {
    kind: "message",
    ...{ id, senderAccount, content },
    sender: string(fields, "sender"),
    recipient: string(fields, "recipient"),
    recipientAccount: account(fields, "recipientAccount"),
    isRead: status === "read",
    sent: stamp(fields, "time", "tick"),
  };
}

function account(fields: JsonObject, key: string): AccountId {
  const id = string(fields, key);
  if (!ACCOUNT.test(id)) {
    throw new RecordError(`expected ${key} to be 12 small letters and digits`);
  }
  return id;
}

function stamp(fields: JsonObject, timeKey: string, tickKey: string): Stamp {
  const timeMs = integer(fields, timeKey, 0);
  const tick = fields[tickKey] === undefined ? 0 : integer(fields, tickKey, 0);
  if (timeMs > TIME_MAX_MS) throw new RecordError(`${timeKey} is after the year 9999`);
  if (tick > TICK_MAX) throw new RecordError(`expected ${tickKey} to be at most ${TICK_MAX}`);
  return { timeMs, tick };
}

function optionalCount(fields: JsonObject, key: string, max: number): number {
  const count = fields[key] === undefined ? 1 : integer(fields, key, 1);
  if (count > max) throw new RecordError(`expected ${key} to be at most ${max}`);
  return count;
}
