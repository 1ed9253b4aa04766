/**
 * A key that tells when it was made: a random UUID with the time in its first 48 bits, which is one of
 * version 7 (RFC 9562, section 5.7). Of such keys a node need not remember for ever what was deleted.
 */
export function timedKey(uuid: string, timeMs: number): string {
  const time = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, "0").slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${uuid.slice(15)}`;
}

/** For so long what was deleted is remembered by a key that tells its time; then it is refused, ms. */
export const TIMED_KEY_KEPT_MS = 30 * 24 * 60 * 60 * 1000;
