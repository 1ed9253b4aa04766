import type { MachineLimits } from "./machine.ts";
import type { Quantiles, Round } from "./round.ts";

const NAME_WIDTH = 48;

export function print(name: string, value: string): void {
  console.log(`${name.padEnd(NAME_WIDTH)} ${value}`);
}

/** Of the lines that follow. */
export function printTitle(title: string): void {
  console.log(`-- ${title}`);
}

export function printRound(name: string, round: Round): void {
  const cpu = round.cpuMicrosPerMessage.map((micros) => micros.toFixed(1)).join(" + ");
  print(
    name,
    `${perSecond(round.messagesPerSecond)} messages/s, p50 ${round.p50Ms.toFixed(2)} ms, ` +
      `p99 ${round.p99Ms.toFixed(2)} ms, CPU ${cpu} µs/message`,
  );
}

export function printQuantiles(name: string, { count, p50Ms, p99Ms, maxMs }: Quantiles): void {
  const [p50, p99, max] = [p50Ms, p99Ms, maxMs].map((ms) => `${ms.toFixed(2)} ms`);
  print(name, `p50 ${p50}, p99 ${p99}, at most ${max}, of ${count.toLocaleString("en")}`);
}

export function printMachine(limits: MachineLimits): void {
  print("machine: fsyncs/s", perSecond(limits.fsyncsPerSecond));
  print("machine: TCP ping-pongs/s, 1 connection", perSecond(limits.pingPongsPerSecond1));
  print("machine: TCP ping-pongs/s, 64 connections", perSecond(limits.pingPongsPerSecond64));
}

export function perSecond(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}
