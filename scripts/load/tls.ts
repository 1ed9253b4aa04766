import type { Program } from "../../server/testing/server_process.ts";
import { TestAuthority } from "../../server/testing/test_authority.ts";
import { LoadedCluster } from "./cluster.ts";
import { measureMachine } from "./machine.ts";
import { print, printMachine, printQuantiles, printRound, ratio } from "./print.ts";
import type { Plan } from "./round.ts";

/** Each is measured so often with either, in turn: the machine is not the same for minutes. */
const TURNS = 3;

/** What TLS costs: the same load on nodes with and without it, side by side. */
export async function measureTls(
  program: Program,
  scratch: string,
  plan: Plan,
  nodes: number,
): Promise<void> {
  printMachine(await measureMachine(scratch, plan.machineMs));
  const plain = await start(program, `${scratch}/plain`, plan, nodes);
  const tls = await start(program, `${scratch}/tls`, plan, nodes, await TestAuthority.make());
  try {
    for (const [clients, inFlight] of [[1, 1], [64, 1], [64, 32]] as const) {
      await compare(plain, tls, { clients, inFlight, ms: plan.roundMs / TURNS });
    }
    for (const [kind, cluster] of [["plain text", plain], ["TLS", tls]] as const) {
      const times = await cluster.timeEvents(plan.timedEvents);
      printQuantiles(`from sending to the event, ${kind}`, times);
    }
  } finally {
    await plain.close();
    await tls.close();
  }
}

async function compare(
  plain: LoadedCluster,
  tls: LoadedCluster,
  load: { readonly clients: number; readonly inFlight: number; readonly ms: number },
): Promise<void> {
  const name = `${load.clients} clients, ${load.inFlight} in flight`;
  const sides = [
    { kind: "plain text", cluster: plain, rates: [] as number[] },
    { kind: "TLS", cluster: tls, rates: [] as number[] },
  ];
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { kind, cluster, rates } of sides) {
      const round = await cluster.round({ ...load, doors: cluster.doors.slice(0, 1) });
      rates.push(round.messagesPerSecond);
      printRound(`${name}, ${kind}`, round);
    }
  }
  const [ofPlain = 1, ofTls = 0] = sides.map(({ rates }) => median(rates));
  print(`ratio: TLS to plain text, ${name}`, ratio(ofTls / ofPlain));
}

async function start(
  program: Program,
  directory: string,
  { accounts }: Plan,
  nodes: number,
  authority?: TestAuthority,
): Promise<LoadedCluster> {
  await Deno.mkdir(directory);
  const certified = authority === undefined ? {} : { authority };
  return await LoadedCluster.start({ program, directory, nodes, ...certified }, accounts);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
