import { Commit, stampOf } from "./commit.ts";
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
import type { Log, LogEvent } from "./log.ts";
import { type Outside, randomId } from "./outside.ts";
import { OwnOrigin } from "./own_origin.ts";

const EPOCH_LENGTH = 8;

export interface OpenNodeOptions {
  readonly config: ServerConfig;
  /** Which of its nodes this is. */
  readonly node: NodeConfig;
  readonly dataDirectory: string;
  /** A line for the operator. */
  readonly log: Log;
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
export async function openNode(options: OpenNodeOptions, outside: Outside): Promise<OpenNode> {
  const { config, node, dataDirectory, log } = options;
  const { files, timer } = outside;
  const newEpoch = () => randomId(outside, EPOCH_LENGTH);
  const state = new ChatState(new Int32Array(outside.randomBytes(4).buffer)[0]);
  const clock = new HybridClock();
  const startedMs = outside.wallMs();
  const directory = await openDataDirectory({
    directory: dataDirectory,
    node: node.name,
    files,
    newEpoch,
    apply(entry) {
      const stamp = stampOf(entry);
      if (stamp !== undefined) clock.observe(stamp, startedMs);
      return faultOfReplay(apply(state, entry), entry);
    },
  });
  for (const [sentence, event] of describeOpening(directory.report)) log(sentence, { event });
  const failure = Promise.withResolvers<never>();
  const origin = new OwnOrigin({
    node: node.name,
    epoch: directory.epoch,
    confirmed: directory.report.epoch !== "kept" || config.nodes.length === 1,
    newEpoch,
    record: (epoch) => directory.beginEpoch(epoch),
    onRenewed: (why) => log(`begins a new epoch: ${why}`, { event: "epoch" }),
  });
  const commit = new Commit({
    ...config.cluster,
    state,
    log: directory.journal,
    clock,
    nowMs: () => outside.wallMs(),
    timer,
    nextTurn: () => outside.nextTurn(),
    origin,
    onFailure: failure.reject,
  });
  return { state, clock, directory, origin, commit, failed: failure.promise };
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
function* describeOpening(
  { epoch, why, entries, cut, newlineAdded }: OpeningReport,
): Generator<[string, LogEvent]> {
  if (cut !== undefined) {
    const told = `cut an unfinished batch of ${cut.bytes} bytes off the journal (${cut.why}): ` +
      `nobody was told of it, it is kept in ${cut.keptIn}`;
    yield [told, "journal_repaired"];
  }
  if (newlineAdded) {
    yield ["completed the journal's last line, which lacked its newline", "journal_repaired"];
  }
  if (epoch === "renewed") yield [`started a new epoch: ${why.join(", ")}`, "epoch"];
  if (epoch === "new") yield ["started an empty journal", "start"];
  else yield [`read ${entries} records`, "start"];
}
