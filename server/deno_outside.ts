import { setImmediate } from "node:timers";
import { denoFiles } from "./journal/deno_files.ts";
import type { Outside } from "./outside.ts";

/** The disk, clocks and randomness of this machine. */
export const denoOutside: Outside = {
  files: denoFiles,
  timer: {
    nowMs: () => performance.now(),
    after(delayMs, action) {
      const running = setTimeout(action, delayMs);
      return () => clearTimeout(running);
    },
  },
  wallMs: Date.now,
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  random: Math.random,
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  uuid: () => crypto.randomUUID(),
};
