/**
 * Run before main.ts, gives the process a wall clock that can be set: as the file beside its
 * configuration says, and as the machine's while there is none.
 */

import { clockFileOf, type ClockSetting, wallMsOf } from "./wall_clock.ts";

/** How late a setting may take effect, in ms. */
const POLL_MS = 20;

const RealDate = Date;
const file = clockFileOf(configOf(Deno.args));
let setting = read();

Deno.unrefTimer(setInterval(() => setting = read(), POLL_MS));
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) =>
    args.length === 0 ? new target(nowMs()) : Reflect.construct(target, args),
  get: (target, name) => name === "now" ? nowMs : Reflect.get(target, name),
});

function nowMs(): number {
  return wallMsOf(setting, RealDate.now());
}

function read(): ClockSetting {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

function configOf(args: readonly string[]): string {
  return args[args.indexOf("--config") + 1] ?? "";
}
