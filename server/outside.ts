import type { Timer } from "./commit.ts";
import type { Files } from "./journal/files.ts";

/**
 * All that a node takes from outside itself, but for the connections of clients and other nodes: the
 * machine's is deno_outside.ts, and a simulation hands in its own.
 */
export interface Outside {
  readonly files: Files;
  /** A clock that nobody sets. */
  readonly timer: Timer;
  /** Wall clock, ms since 1970. */
  wallMs(): number;
  /** Resolves once everything that has arrived by now was looked at. */
  nextTurn(): Promise<void>;
  /** From 0, to below 1: for what nobody gains by guessing. */
  random(): number;
  /** So many bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** A new UUID. */
  uuid(): string;
}

const ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/** An id of digits and small letters that nobody can guess. */
export function randomId({ randomBytes }: Pick<Outside, "randomBytes">, length: number): string {
  let id = "";
  for (const byte of randomBytes(length)) id += ID_DIGITS[byte & 31];
  return id;
}
