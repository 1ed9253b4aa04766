import { DEFAULT_COST, PasswordHasher, type ScryptCost } from "./auth/password.ts";
import { ClientPort, ListenError } from "./client_port.ts";
import { denoOutside } from "./deno_outside.ts";
import { StorageError } from "./journal/files.ts";
import type { Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { ChatNode, type NodeOptions } from "./node.ts";
import { listenForOperator } from "./operator/control.ts";
import type { Connection } from "./session.ts";
import type { NodeIdentity } from "./tls/identity.ts";
import { RenewableIdentity } from "./tls/renewable_identity.ts";

export interface ServeOptions extends Omit<NodeOptions, "passwords" | "identity"> {
  /** For tests and benchmarks, which cannot spend 0.2 s for each of their users. */
  readonly passwordCost?: ScryptCost;
  /** Its certificates, if the configuration says where they are: without, all is in plain text. */
  readonly identity?: NodeIdentity | undefined;
}

/** A node that serves. */
export interface RunningServer {
  readonly hostname: string;
  readonly port: number;
  /** Rejects if the journal fails: nothing may be answered after that, so end the process. */
  readonly failed: Promise<never>;
  /** Meets new connections with other certificates. Those that are open go on. */
  renew(identity: NodeIdentity): Promise<void>;
  /**
   * Takes no more connections, answers what is under way, and closes the journal. Streams with other
   * nodes are left for the end of the process to break: see {@linkcode stop}.
   */
  finish(): Promise<void>;
  /**
   * Finishes, and hangs up on other nodes, for a process that goes on. To do that takes HTTP/2 of
   * Deno 2.9.6 on the other side through states in which it was seen to corrupt its memory.
   */
  stop(): Promise<void>;
}

/**
 * Opens the data directory, replays the journal, gets what the other nodes have, and listens for
 * clients: nobody signs in to a state that is long past.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { config, node: { name, tcp }, log } = options;
  // Found at once, not after a long replay.
  ClientPort.check(tcp);
  const identity = new RenewableIdentity(options.identity);
  const limits = { ...config.limits, ...options.limits };
  // One core is left to everything else.
  const coresMax = Math.max(1, navigator.hardwareConcurrency - 1);
  const hashesAtOnce = Math.min(limits.hashesAtOnce, coresMax);
  const hashing = { ...limits, hashesAtOnce };
  const passwords = new PasswordHasher(options.passwordCost ?? DEFAULT_COST, hashing);
  const node = await ChatNode.open({ ...options, passwords, identity }, denoOutside);
  const { directory, failed } = node;
  let control: { close(): void } | undefined;
  try {
    control = answerOperator(node, log);
    if (config.nodes.length > 1) {
      await Promise.race([joinCluster(node, options, identity, limits), failed]);
    }
    node.beginServing();
    const welcome = (connection: Connection) => node.welcome(connection);
    const clients = new ClientPort(tcp, identity.current, welcome, log);
    identity.onRenewed((renewed) => clients.renew(renewed));
    const { host: hostname, port } = clients.address;
    log(`${name} listening on ${hostname}:${port}`, { event: "listening" });
    const finish = async () => {
      control?.close();
      await clients.close();
      await node.drain();
      await directory.close();
    };
    return {
      hostname,
      port,
      failed,
      renew: (renewed) => identity.renew(renewed),
      finish,
      async stop() {
        await finish();
        await node.leaveCluster();
      },
    };
  } catch (error) {
    control?.close();
    await node.drain();
    await node.leaveCluster();
    await directory.close();
    throw error;
  }
}

async function joinCluster(
  node: ChatNode,
  { config, node: { grpc: address }, log }: ServeOptions,
  identity: RenewableIdentity,
  limits: Limits,
): Promise<void> {
  // Loaded only here: a node on its own does without it.
  const { grpcPeerPort } = await import("./peer_port.ts");
  const { nodes } = config;
  const { transport, listen } = grpcPeerPort(address, node, { identity, nodes, limits, log });
  await node.joinCluster({
    transport,
    async listen(cluster) {
      try {
        return await listen(cluster);
      } catch (error) {
        throw new ListenError(address, error);
      }
    },
  });
}

/** Answers the operator's commands, if the system lets it: clients do not depend on it. */
function answerOperator(
  node: ChatNode,
  log: Log,
): { close(): void } | undefined {
  try {
    return listenForOperator(node.directory.path, {
      compact: () => node.compact(),
      position: () => node.position(),
      account_add: (request) => node.accounts.add(request),
      account_reset: (request) => node.accounts.reset(request),
      account_disable: (request) => node.accounts.disable(request),
      account_enable: (request) => node.accounts.enable(request),
      account_list: ({ after }) => node.accounts.list(after),
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    log(`the operator's commands cannot reach this node: ${error.message}`, {
      event: "operator_unreachable",
    });
    return undefined;
  }
}
