import { DEFAULT_COST, PasswordHasher, type ScryptCost } from "./auth/password.ts";
import type { Address } from "./config.ts";
import { denoOutside } from "./deno_outside.ts";
import { StorageError } from "./journal/files.ts";
import type { Log } from "./log.ts";
import { ChatNode, type NodeOptions } from "./node.ts";
import { listenForOperator } from "./operator/control.ts";
import { connectionOf } from "./tcp.ts";

export interface ServeOptions extends Omit<NodeOptions, "passwords"> {
  /** For tests and benchmarks, which cannot spend 0.2 s for each of their users. */
  readonly passwordCost?: ScryptCost;
}

/** A node that serves. */
export interface RunningServer {
  readonly hostname: string;
  readonly port: number;
  /** Rejects if the journal fails: nothing may be answered after that, so end the process. */
  readonly failed: Promise<never>;
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

/** How long to wait after a connection could not be taken, in ms. */
const ACCEPT_AGAIN_MS = 200;

/**
 * Opens the data directory, replays the journal, gets what the other nodes have, and listens for
 * clients: nobody signs in to a state that is long past.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { config, node: { name, tcp, grpc }, log } = options;
  // Found at once, not after a long replay.
  listen(tcp).close();
  const limits = { ...config.limits, ...options.limits };
  const passwords = new PasswordHasher(options.passwordCost ?? DEFAULT_COST, limits);
  const node = await ChatNode.open({ ...options, passwords }, denoOutside);
  const { directory, failed } = node;
  let control: { close(): void } | undefined;
  try {
    control = answerOperator(node, log);
    if (config.nodes.length > 1) await Promise.race([joinCluster(node, grpc), failed]);
    const listener = listen(tcp);
    node.beginServing();
    const accepting = accept(listener, node, log);
    const { hostname, port } = listener.addr;
    log(`${name} listening on ${hostname}:${port}`);
    const finish = async () => {
      listener.close();
      control?.close();
      await accepting;
      await node.drain();
      await directory.close();
    };
    return {
      hostname,
      port,
      failed,
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

async function joinCluster(node: ChatNode, address: Address): Promise<void> {
  // Loaded only here: a node on its own does without it.
  const { grpcPeerPort } = await import("./peer_port.ts");
  const { transport, listen } = grpcPeerPort(address, node);
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
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    log(`the operator's commands cannot reach this node: ${error.message}`);
    return undefined;
  }
}

/** Takes connections until the listener is closed. */
async function accept(
  listener: Deno.TcpListener,
  node: ChatNode,
  log: Log,
): Promise<void> {
  for (;;) {
    try {
      node.welcome(connectionOf(await listener.accept()));
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      if (error instanceof Deno.errors.Interrupted) return;
      // Out of file descriptors, say: those who are connected must not suffer from it.
      const reason = error instanceof Error ? error.message : String(error);
      log(`cannot take a connection: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
    }
  }
}

/** That the address is taken, or not ours, is for the operator to put right. */
export class ListenError extends Error {
  override readonly name = "ListenError";

  constructor({ host, port }: Address, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
}

function listen(address: Address): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.host, port: address.port });
  } catch (error) {
    throw new ListenError(address, error);
  }
}
