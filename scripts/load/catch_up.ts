import type { NodeProcess } from "../../server/testing/cluster_processes.ts";
import type { Program } from "../../server/testing/server_process.ts";
import type { Door } from "../../server/testing/wire_client.ts";
import { LoadedCluster } from "./cluster.ts";
import { perSecond, print, printQuantiles, printRound } from "./print.ts";
import { PACERS, Pacers } from "./pacers.ts";
import type { Plan } from "./round.ts";

const POLL_MS = 100;

/**
 * Measures how long a node takes to catch up that was away, or lost its disk, while messages were
 * written; and what that does to the clients of the others.
 */
export async function measureCatchUp(
  program: Program,
  directory: string,
  plan: Plan,
): Promise<void> {
  const cluster = await LoadedCluster.start({ program, directory, nodes: 3 }, plan.accounts);
  try {
    const away = cluster.processes.node(2);
    await away.stop();
    const doors = cluster.doors.slice(0, 2);
    const filling = { clients: 64, inFlight: 32, messages: plan.messages };
    const round = await cluster.round({ ...filling, doors: doors.slice(0, 1) });
    printRound(`64 clients, 32 in flight, ${away.name} away`, round);
    const before = pacersOf(cluster, doors);
    await before.run(plan.roundMs);
    printQuantiles(`${PACERS} clients, ${away.name} away`, before.times);
    await measureReturn("was away", cluster, away, plan);
    await away.stop();
    await away.wipe();
    await measureReturn("lost its disk", cluster, away, plan);
  } finally {
    await cluster.close();
  }
}

async function measureReturn(
  what: string,
  cluster: LoadedCluster,
  away: NodeProcess,
  plan: Plan,
): Promise<void> {
  const pacers = pacersOf(cluster, cluster.doors.slice(0, 2));
  const missed = cluster.acknowledged;
  const running = pacers.run(Infinity);
  // Looked at below; if what comes before that fails, that is to be told.
  running.catch(() => {});
  const startMs = performance.now();
  await away.start();
  const servedMs = performance.now();
  while ((await away.status()).messages < missed) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const seconds = (performance.now() - startMs) / 1000;
  pacers.stop();
  await running;
  const count = missed.toLocaleString("en");
  print(
    `${away.name} ${what}: until it has ${count}`,
    `${seconds.toFixed(2)} s (${perSecond(missed / seconds)}/s), ` +
      `serves after ${((servedMs - startMs) / 1000).toFixed(2)} s`,
  );
  printQuantiles(`${PACERS} clients meanwhile`, pacers.times);
  await cluster.verify();
  const after = pacersOf(cluster, cluster.doors.slice(0, 2));
  await after.run(plan.roundMs);
  printQuantiles(`${PACERS} clients after that`, after.times);
  await cluster.verify();
}

function pacersOf(cluster: LoadedCluster, doors: readonly Door[]): Pacers {
  return new Pacers(doors, cluster.users, (count) => cluster.acknowledge(count));
}
