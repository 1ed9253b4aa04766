import { setImmediate } from "node:timers";
import { Commit, stampOf, type Timer } from "./commit.ts";
import type { NodeConfig, ServerConfig } from "./config.ts";
import { apply } from "./core/apply.ts";
import type { Change } from "./core/effects.ts";
import { HybridClock } from "./core/hybrid_clock.ts";
import { ChatState } from "./core/state.ts";
import type { Entry } from "./core/state_record.ts";
import {
  type DataDirectory,
  openDataDirectory,
  type OpeningReport,
} from "./journal/data_directory.ts";
import { denoFiles } from "./journal/deno_files.ts";
import { OwnOrigin } from "./own_origin.ts";

const ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const EPOCH_LENGTH = 8;

/** This machine's clock that nobody sets. */
export const timer: Timer = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const running = setTimeout(action, delayMs);
    return () => clearTimeout(running);
  },
};

/** Resolves once everything that has arrived by now was looked at. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export interface OpenNodeOptions {
  readonly config: ServerConfig;
  /** Which of its nodes this is. */
  readonly node: NodeConfig;
  readonly dataDirectory: string;
  /** A line for the operator. */
  readonly log: (line: string) => void;
}

/** A node's data, and the one way to change it: without clients and other nodes. */
export interface OpenNode {
  readonly state: ChatState;
  readonly clock: HybridClock;
  readonly directory: DataDirectory;
  readonly origin: OwnOrigin;
  readonly commit: Commit;
  /** Rejects if the journal fails: nothing may be answered after that. */
  readonly failed: Promise<never>;
}

/** Opens the data directory, and reads all of it. Rejects with StorageError. */
export async function openNode(options: OpenNodeOptions): Promise<OpenNode> {
  const { config, node, dataDirectory, log } = options;
  const state = new ChatState(crypto.getRandomValues(new Int32Array(1))[0]);
  const clock = new HybridClock();
  const startedMs = Date.now();
  const directory = await openDataDirectory({
    directory: dataDirectory,
    node: node.name,
    files: denoFiles,
    newEpoch: () => randomId(EPOCH_LENGTH),
    apply(entry) {
      const stamp = stampOf(entry);
      if (stamp !== undefined) clock.observe(stamp, startedMs);
      return faultOfReplay(apply(state, entry), entry);
    },
  });
  for (const line of describeOpening(directory.report)) log(line);
  const failure = Promise.withResolvers<never>();
  const origin = new OwnOrigin({
    node: node.name,
    epoch: directory.epoch,
    confirmed: directory.report.epoch !== "kept" || config.nodes.length === 1,
    newEpoch: () => randomId(EPOCH_LENGTH),
    record: (epoch) => directory.beginEpoch(epoch),
    onRenewed: (why) => log(`begins a new epoch: ${why}`),
  });
  const commit = new Commit({
    ...config.cluster,
    state,
    log: directory.journal,
    clock,
    nowMs: Date.now,
    timer,
    nextTurn,
    origin,
    onFailure: failure.reject,
  });
  return { state, clock, directory, origin, commit, failed: failure.promise };
}

/** Of digits and small letters. */
export function randomId(length: number): string {
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) id += ID_DIGITS[byte & 31];
  return id;
}

/** A journal holds each origin's operations once and in sequence: anything else is damage. */
function faultOfReplay(change: Change, { origin, seq }: Entry): string | undefined {
  if (change.kind === "duplicate") return `operation ${seq} of ${origin} a second time`;
  if (change.kind === "gap") {
    return `operation ${seq} of ${origin} where ${change.expectedSeq} is due`;
  }
  return undefined;
}

/** What opening the data directory found, where an operator would want to know. */
function* describeOpening({ epoch, why, entries, cut, newlineAdded }: OpeningReport) {
  if (cut !== undefined) {
    yield `cut an unfinished batch of ${cut.bytes} bytes off the journal (${cut.why}): ` +
      `nobody was told of it, it is kept in ${cut.keptIn}`;
  }
  if (newlineAdded) yield "completed the journal's last line, which lacked its newline";
  if (epoch === "renewed") yield `started a new epoch: ${why.join(", ")}`;
  if (epoch === "new") yield "started an empty journal";
  else yield `read ${entries} records`;
}
