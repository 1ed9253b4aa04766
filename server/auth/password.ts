import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { sourceOf } from "../guard/address.ts";
import { FairQueue } from "./fair_queue.ts";

/** Shortest password, in characters; longest, in bytes of UTF-8. Checked before any hashing. */
export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_BYTES_MAX = 1024;

/** scrypt's cost: RFC 7914. Stored with each hash, so that it can be raised later. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP's setting of 32 MiB. */
export const DEFAULT_COST: ScryptCost = { n: 2 ** 15, r: 8, p: 3 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What a hash of this program may ask for; a journal line that claims more is not believed. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;

interface Job {
  readonly run: () => Promise<void>;
  readonly giveUp: () => void;
}

/** Thrown when more passwords wait than the limit allows, and none of one who has more waiting. */
export class HashQueueFullError extends Error {
  override readonly name = "HashQueueFullError";
}

/**
 * Hashes passwords off the main thread, few at a time and with bounded queues: each takes 32 MiB
 * and a core for about 0.2 s, which strangers may ask for. Those who sign in to one account wait for each
 * other before anybody else does, as do those who make new passwords at one address; and however many
 * make new ones, every other hash is for somebody who signs in.
 */
export class PasswordHasher {
  readonly #cost: ScryptCost;
  readonly #atOnce: number;
  /** Of passwords that are checked, by account, and of new ones, by address. */
  readonly #checks: FairQueue<Job>;
  readonly #new: FairQueue<Job>;
  #running = 0;
  #wasCheck = false;

  constructor(cost: ScryptCost, limits: { hashesAtOnce: number; hashQueueMax: number }) {
    this.#cost = cost;
    this.#atOnce = limits.hashesAtOnce;
    this.#checks = new FairQueue(limits.hashQueueMax);
    this.#new = new FairQueue(limits.hashQueueMax);
  }

  /**
   * `scrypt$N$r$p$salt$hash`, salt and hash in base64url. After another `$` there may be a mark, which
   * tells it from the same hash before: see credential.ts.
   */
  async hash(password: string, address: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { n, r, p } = this.#cost;
    const source = sourceOf(address);
    const hash = await this.#queued(this.#new, source, () => derive(password, salt, this.#cost));
    return `scrypt$${n}$${r}$${p}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
  }

  /** Whether `stored` was made from `password`. With none stored it takes as long, and says no. */
  async matches(
    password: string,
    stored: string | undefined,
    address: string,
  ): Promise<boolean> {
    // What another node or an old journal says must not cost more than a password may.
    const isSound = stored !== undefined && isStoredPassword(stored);
    const parsed = isSound ? parse(stored) : undefined;
    const { cost, salt, hash } = parsed ??
      { cost: this.#cost, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };
    const whose = stored ?? sourceOf(address);
    const found = await this.#queued(this.#checks, whose, () => derive(password, salt, cost));
    return timingSafeEqual(found, hash) && parsed !== undefined;
  }

  #queued<T>(queue: FairQueue<Job>, whose: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => {
        reject(new HashQueueFullError("Cannot hash a password: too many are waiting"));
      };
      const job = { run: () => work().then(resolve, reject), giveUp };
      // What can begin at once does not wait.
      if (this.#running < this.#atOnce) this.#run(job);
      else queue.push(whose, job)?.giveUp();
    });
  }

  #run(job: Job): void {
    this.#running++;
    job.run().finally(() => {
      this.#running--;
      const next = this.#next();
      if (next !== undefined) this.#run(next);
    });
  }

  /** One of each kind in turn, while there are both. */
  #next(): Job | undefined {
    const [first, second] = this.#wasCheck ? [this.#new, this.#checks] : [this.#checks, this.#new];
    this.#wasCheck = !this.#wasCheck;
    return first.shift() ?? second.shift();
  }
}

interface ParsedHash {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The dearest cost that a hash from elsewhere may ask for: 10 times that of this program's own. */
const WORK_MAX = 10 * 2 ** 15 * 8 * 3;
const STORED =
  /^scrypt\$([1-9]\d{0,8})\$([1-9]\d{0,3})\$([1-9]\d{0,3})\$[\w-]{2,86}\$[\w-]{42}[AEIMQUYcgkosw048](?:\$[0-9a-z]{1,32})?$/;

/** Whether a text is such as {@linkcode PasswordHasher.hash} makes, and can be checked without harm. */
export function isStoredPassword(stored: string): boolean {
  const [, n, r, p] = (STORED.exec(stored) ?? []).map(Number);
  if (n === undefined || r === undefined || p === undefined) return false;
  const isPowerOf2 = n > 1 && Number.isInteger(Math.log2(n));
  return isPowerOf2 && n * r * p <= WORK_MAX && 128 * r * (n + p + 2) < MEMORY_BYTES_MAX;
}

function parse(stored: string): ParsedHash | undefined {
  const [kind, n, r, p, salt, hash] = stored.split("$");
  if (kind !== "scrypt" || salt === undefined || hash === undefined) return undefined;
  const parsed = {
    cost: { n: Number(n), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64url"),
    hash: Buffer.from(hash, "base64url"),
  };
  return parsed.hash.length === HASH_BYTES ? parsed : undefined;
}

function derive(password: string, salt: Buffer, { n, r, p }: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: MEMORY_BYTES_MAX };
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
