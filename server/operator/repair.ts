import { join } from "node:path";
import { LOCK, removeAll } from "../journal/data_directory.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { StorageError, writeAll } from "../journal/files.ts";
import { intactEntries } from "../journal/intact.ts";
import { NODE_FILE } from "../journal/node_file.ts";
import { parseSegmentName, readExactly, segmentName } from "../journal/segment.ts";
import { denoOutside } from "../deno_outside.ts";
import { type OpenNode, openNode, type OpenNodeOptions } from "../open_node.ts";
import { grpcTransport } from "../sync/grpc.ts";
import { makeCluster } from "../make_cluster.ts";
import type { Cluster } from "../sync/cluster.ts";
import type { NodeIdentity } from "../tls/identity.ts";
import { type Lost, Salvage } from "./salvage.ts";

export interface RepairOptions extends OpenNodeOptions {
  /** Who this node is to the others, if they want to know. */
  readonly identity: NodeIdentity | undefined;
  readonly version: string;
}

export interface RepairReport {
  /** From whom the node got what it lacked. */
  readonly peers: readonly string[];
  /** Operations that only this node had, and still has. */
  readonly salvaged: number;
  readonly lost: readonly Lost[];
  /** Where the damaged files are now. */
  readonly keptIn: string;
}

/** Where the new data is made, and what says that all of it is there. */
const WORKSHOP = "repair";
const COMPLETE = "complete";
const COMPLETE_BYTES_MAX = 2 ** 20;
/** So much is salvaged before it has to be on disk. */
const SALVAGED_AT_ONCE = 1000;

/**
 * Makes the data of a stopped node anew: all that other nodes have, and what of its own is intact. The
 * damaged files are kept aside. Whatever stops it, it can be begun again: until the new data is whole,
 * nothing of the old is touched. Rejects with StorageError.
 */
export async function repair(options: RepairOptions): Promise<RepairReport> {
  const { config, node, identity, dataDirectory: directory } = options;
  if (config.nodes.length === 1) {
    throw new StorageError(
      `Cannot repair ${directory}: ${config.source} names no other node. Restore a backup.`,
    );
  }
  const lockPath = join(directory, LOCK);
  const lock = await denoFiles.open(lockPath, "append");
  try {
    if (!await lock.tryLock()) {
      throw new StorageError(
        `Cannot repair ${directory}: stop the node first (${lockPath} is held)`,
      );
    }
    const workshop = join(directory, WORKSHOP);
    const left = await denoFiles.list(workshop) ?? [];
    const isMade = await isMadeFor(directory, workshop, left);
    if (!isMade) await removeAll(denoFiles, workshop, left);
    const made = isMade
      ? { peers: [], salvaged: 0, lost: [] }
      : await makeAnew({ ...options, dataDirectory: workshop }, directory);
    const keptIn = await swap(directory, workshop);
    return { ...made, keptIn };
  } finally {
    lock.close();
  }

  async function makeAnew(
    { dataDirectory: workshop, version, log }: RepairOptions,
    damaged: string,
  ): Promise<Omit<RepairReport, "keptIn">> {
    const open = await openNode(
      { config, node, dataDirectory: workshop, log: () => {} },
      denoOutside,
    );
    const cluster = joinAs({ config, node, identity, dataDirectory: workshop, version, log }, open);
    await Promise.race([cluster.caughtUp(), open.failed]);
    const peers = cluster.peers().filter(({ state }) => state !== "unreachable");
    if (peers.length === 0) {
      throw new StorageError(`Cannot repair ${damaged}: no other node can be reached. Start one.`);
    }
    const salvage = await Promise.race([salvageAll(open, damaged), open.failed]);
    await open.commit.untilCopied();
    await open.directory.close();
    const file = await denoFiles.open(join(workshop, COMPLETE), "replace");
    try {
      const text = (await filesOf(damaged)).join("\n");
      await writeAll(file, COMPLETE, new TextEncoder().encode(text));
      await file.sync();
    } finally {
      file.close();
    }
    await denoFiles.syncDirectory(workshop);
    const { count: salvaged, lost } = salvage;
    return { peers: peers.map(({ name }) => name), salvaged, lost };
  }
}

/** Whether the workshop has the new data for just these files, or for what of them is not moved yet. */
async function isMadeFor(
  directory: string,
  workshop: string,
  left: readonly string[],
): Promise<boolean> {
  if (!left.includes(COMPLETE) || !left.includes(segmentName("journal", 1))) return false;
  const file = await denoFiles.open(join(workshop, COMPLETE), "read");
  try {
    const text = new TextDecoder().decode(await readExactly(file, 0, COMPLETE_BYTES_MAX));
    const known = text.split("\n");
    return (await filesOf(directory)).every((one) => known.includes(one));
  } finally {
    file.close();
  }
}

/** Name and identity of each file that holds data. */
async function filesOf(directory: string): Promise<string[]> {
  const names = (await denoFiles.list(directory) ?? []).filter((name) => parseSegmentName(name));
  return await Promise.all(names.map(async (name) => {
    const file = await denoFiles.open(join(directory, name), "read");
    try {
      const { identity, bytes } = await file.stat();
      return `${name} ${identity} ${bytes}`;
    } finally {
      file.close();
    }
  }));
}

/** Meets the other nodes in the place of the one that is repaired, which need not be called. */
function joinAs({ config, node, identity, version, log }: RepairOptions, open: OpenNode): Cluster {
  const cluster = makeCluster({
    ...{ config, node, version, directory: open.directory },
    transport: grpcTransport(() => identity),
    ...{ commit: open.commit, origin: open.origin },
    process: denoOutside.uuid(),
    ...denoOutside,
    presence: { local: () => [], changed() {}, lost() {} },
    // Nobody signs in here.
    attempts: { all: () => ({ fromScratch: true, accounts: [], addresses: [] }), heard() {} },
    onStateMerged() {},
    tell: log,
  });
  open.commit.replicateWith(cluster);
  cluster.start();
  return cluster;
}

async function salvageAll({ state, commit }: OpenNode, damaged: string): Promise<Salvage> {
  const salvage = new Salvage(
    state,
    (operation) => void commit.accept([operation]),
    (fact, at) => void commit.submit(fact, at),
  );
  let entries = 0;
  for await (const entry of intactEntries(denoFiles, damaged)) {
    salvage.add(entry);
    if (++entries % SALVAGED_AT_ONCE === 0) await commit.drained();
  }
  await commit.drained();
  return salvage;
}

/** Puts the new journal in the place of the damaged files, which move into a directory of their own. */
async function swap(directory: string, workshop: string): Promise<string> {
  const names = await denoFiles.list(directory) ?? [];
  const journal = segmentName("journal", 1);
  const isMoved = !(await denoFiles.list(workshop) ?? []).includes(journal);
  let n = 1;
  while (names.includes(`damaged-${n}`)) n++;
  // A swap that was cut short goes on with the directory that it had made.
  const kept = join(directory, `damaged-${isMoved ? Math.max(1, n - 1) : n}`);
  if (!isMoved) {
    await denoFiles.makeDirectory(kept);
    // node.json last: without a journal beside it, it keeps the node from starting.
    const old = names.filter((name) => parseSegmentName(name) !== undefined);
    for (const name of [...old, ...names.filter((name) => name === NODE_FILE)]) {
      await denoFiles.rename(join(directory, name), join(kept, name));
    }
    await denoFiles.syncDirectory(kept);
    await denoFiles.rename(join(workshop, journal), join(directory, journal));
    await denoFiles.syncDirectory(directory);
  }
  await removeAll(denoFiles, workshop, await denoFiles.list(workshop) ?? []);
  await denoFiles.remove(workshop);
  await denoFiles.syncDirectory(directory);
  return kept;
}
