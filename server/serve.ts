import { encodeMessage, type NodeStatus, writeReply } from "../codec/message.ts";
import { timedKey } from "../codec/timed_key.ts";
import { DEFAULT_COST, PasswordHasher, type ScryptCost } from "./auth/password.ts";
import { Throttle } from "./auth/throttle.ts";
import { Broadcast } from "./broadcast.ts";
import { Compactor } from "./compactor.ts";
import type { Commit } from "./commit.ts";
import type { Address } from "./config.ts";
import { ACCOUNT_ID_LENGTH } from "./core/message_id.ts";
import type { Fact } from "./core/operation.ts";
import type { ChatState } from "./core/state.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import { bytesOf } from "./journal/compaction.ts";
import { StorageError } from "./journal/files.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { type ControlRequests, listenForOperator } from "./operator/control.ts";
import {
  nextTurn,
  type OpenNode,
  openNode,
  type OpenNodeOptions,
  randomId,
  timer,
} from "./open_node.ts";
import type { OwnOrigin } from "./own_origin.ts";
import { Presence } from "./presence.ts";
import { SessionRegistry } from "./registry.ts";
import type { RunningReplication } from "./replication.ts";
import { Retention, type RetentionTimes } from "./retention.ts";
import { refuse, type RequestContext, type RequestSession } from "./requests/context.ts";
import { Session, type SessionParts } from "./session.ts";
import { connectionOf } from "./tcp.ts";

export interface ServeOptions extends OpenNodeOptions {
  readonly version: string;
  readonly limits?: Partial<Limits>;
  /** For tests and benchmarks, which cannot spend 0.2 s for each of their users. */
  readonly passwordCost?: ScryptCost;
  /** For tests, which cannot wait for an hour. */
  readonly retentionTimes?: RetentionTimes;
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

/** How often deadlines of connections are looked at, in ms. */
const SWEEP_MS = 1000;
/** How long to wait after a connection could not be taken, in ms. */
const ACCEPT_AGAIN_MS = 200;
/** How long a server that stops waits for clients to take their last replies, in ms. */
const DRAIN_MS = 5000;
/** How many batches are waited for so that all is on disk at once. */
const POSITION_TRIES_MAX = 100;
/**
 * Opens the data directory, replays the journal, gets what the other nodes have, and listens for
 * clients: nobody signs in to a state that is long past.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { node } = options;
  // Found at once, not after a long replay.
  listen(node.tcp).close();
  const open = await openNode(options);
  const { directory, failed } = open;
  let control: { close(): void } | undefined;
  const server = new Server(options, open);
  try {
    control = server.listenForOperator();
    await Promise.race([server.joinCluster(), failed]);
    const listener = listen(node.tcp);
    const accepting = server.accept(listener);
    const { hostname, port } = listener.addr;
    options.log(`${node.name} listening on ${hostname}:${port}`);
    const finish = async () => {
      listener.close();
      control?.close();
      await accepting;
      await server.drain();
      await directory.close();
    };
    return {
      hostname,
      port,
      failed,
      finish,
      async stop() {
        await finish();
        await server.leaveCluster();
      },
    };
  } catch (error) {
    control?.close();
    await server.drain();
    await server.leaveCluster();
    await directory.close();
    throw error;
  }
}

/** Ties sessions to the state: one for the life of a server. */
class Server {
  readonly #options: ServeOptions;
  readonly #limits: Limits;
  readonly #state: ChatState;
  readonly #commit: Commit;
  readonly #directory: DataDirectory;
  readonly #origin: OwnOrigin;
  readonly #registry: SessionRegistry;
  readonly #presence: Presence;
  readonly #compactor: Compactor;
  /** For messages that come without a key, and what keys are measured by. */
  readonly #keys: Pick<RequestContext, "newKey" | "stampMs">;
  #retention: Retention | undefined;
  #replication: RunningReplication | undefined;
  #isServing = false;
  readonly #parts: SessionParts;
  /** Sessions whose output waits for a commit. */
  readonly #waiting = new Set<Session>();
  readonly #running = new Set<Promise<void>>();
  readonly #startedMs = Date.now();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(
    options: ServeOptions,
    { state, commit, directory, origin, clock }: OpenNode,
  ) {
    this.#origin = origin;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#state = state;
    this.#commit = commit;
    this.#directory = directory;
    this.#registry = new SessionRegistry(this.#limits);
    const stampMs = () => Math.max(Date.now(), clock.last.timeMs);
    this.#keys = { stampMs, newKey: () => timedKey(crypto.randomUUID(), stampMs()) };
    this.#compactor = new Compactor({
      ...{ state, commit, clock, directory, timer, log: options.log },
      isBeingRead: () => this.#replication?.cluster.isBeingRead ?? false,
      knownByAll: () =>
        options.config.nodes.length === 1 ? state.vector : this.#replication?.cluster.knownByAll(),
      nowMs: Date.now,
    });
    const broadcast = new Broadcast(state, this.#registry, commit);
    this.#presence = new Presence({
      state,
      registry: this.#registry,
      timer,
      tell: (account, online) => broadcast.presence(account, online),
    });
    this.#parts = {
      state,
      commit,
      registry: this.#registry,
      presence: this.#presence,
      limits: this.#limits,
      nowMs: Date.now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      contextOf: this.#contextFactory(),
      reportBug: (error) => options.log(`a bug, please report it: ${describeBug(error)}`),
    };
    commit.onProgress(() => {
      for (const session of this.#waiting) session.flush();
    });
    this.#sweep = setInterval(() => {
      const nowMs = Date.now();
      for (const session of this.#registry.all()) session.checkDeadlines(nowMs);
    }, SWEEP_MS);
  }

  /** Finds the other nodes, if there are any, and takes in what this one lacks. */
  async joinCluster(): Promise<void> {
    const { config, node, version, log } = this.#options;
    if (config.nodes.length === 1) return;
    // Loaded only here: a node on its own does without it.
    const [{ startReplication }, { pushService }] = await Promise.all([
      import("./replication.ts"),
      import("./push.ts"),
    ]);
    const isServing = () => this.#isServing;
    const submit = (fact: Fact) => this.#commit.submit(fact);
    try {
      this.#replication = await startReplication({
        config,
        node,
        version,
        log,
        timer,
        nextTurn,
        wallMs: Date.now,
        random: Math.random,
        process: crypto.randomUUID(),
        commit: this.#commit,
        origin: this.#origin,
        directory: this.#directory,
        presence: this.#presence,
        onStateMerged: () => this.#compactor.soon(),
        isServing,
        push: pushService(
          { state: this.#state, submit, ...this.#keys },
          this.#commit,
          isServing,
        ),
      });
    } catch (error) {
      throw new ListenError(node.grpc, error);
    }
    await this.#replication.cluster.caughtUp();
  }

  /** Serves connections until the listener is closed. */
  async accept(listener: Deno.TcpListener): Promise<void> {
    this.#setServing(true);
    this.#startRetention();
    for (;;) {
      try {
        this.#welcome(await listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        // Out of file descriptors, say: those who are connected must not suffer from it.
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.log(`cannot take a connection: ${reason}`);
        await this.#parts.sleep(ACCEPT_AGAIN_MS);
      }
    }
  }

  #startRetention(): void {
    const { config: { retention, nodes }, node, log, retentionTimes } = this.#options;
    if (retention === undefined) return;
    this.#retention = new Retention({
      days: retention.days,
      state: this.#state,
      commit: this.#commit,
      node: node.name,
      nodes: nodes.map(({ name }) => name),
      peers: () => this.#replication?.cluster.peers() ?? [],
      wallMs: Date.now,
      ...{ timer, log },
      ...(retentionTimes && { times: retentionTimes }),
    });
  }

  #setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#replication?.servingChanged();
  }

  #welcome(conn: Deno.TcpConn): void {
    const refusal = this.#registry.refusal(conn.remoteAddr.hostname);
    if (refusal !== undefined) return turnAway(conn, refusal);
    const session = new Session(connectionOf(conn), this.#parts, this.#waiting);
    this.#registry.add(session);
    const running = session.run();
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
  }

  /** Answers what was submitted, waits boundedly for clients to take it, and ends all sessions. */
  async drain(): Promise<void> {
    this.#setServing(false);
    clearInterval(this.#sweep);
    await Promise.all([this.#compactor.stop(), this.#retention?.stop()]);
    await this.#commit.drained();
    const deadline = setTimeout(() => {
      for (const session of this.#registry.all()) session.end();
    }, DRAIN_MS);
    await Promise.all([...this.#registry.all()].map((session) => session.finish()));
    clearTimeout(deadline);
    await Promise.all(this.#running);
    await this.#commit.drained();
    this.#commit.close();
  }

  /** Answers the operator's commands, if the system lets it: clients do not depend on it. */
  listenForOperator(): { close(): void } | undefined {
    try {
      return listenForOperator(this.#directory.path, {
        compact: () => this.#compactor.run(),
        position: () => this.#position(),
      });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#options.log(`the operator's commands cannot reach this node: ${error.message}`);
      return undefined;
    }
  }

  /** With a digest if there was a moment at which all that the state holds was on disk. */
  async #position(): Promise<ControlRequests["position"]> {
    const commit = this.#commit;
    const take = () => {
      const { number: segment, headerBytes, bytes } = this.#directory.journal.current;
      const position = { segment, bytes: headerBytes + bytes, vector: commit.durable.toString() };
      if (commit.settled < commit.position) return position;
      return { ...position, digest: this.#state.digest };
    };
    let position: ControlRequests["position"] = take();
    for (let tries = 0; position.digest === undefined && tries < POSITION_TRIES_MAX; tries++) {
      position = await commit.atNextSettle(take);
    }
    return position;
  }

  async leaveCluster(): Promise<void> {
    await this.#replication?.stop();
  }

  #contextFactory(): (session: RequestSession) => RequestContext {
    const limits = this.#limits;
    const accounts = new Throttle(limits.wrongPasswordsPerAccount, limits.wrongPasswordRefillMs);
    const addresses = new Throttle(limits.wrongPasswordsPerAddress, limits.wrongPasswordRefillMs);
    const shared = {
      state: this.#state,
      node: this.#options.node.name,
      passwords: new PasswordHasher(this.#options.passwordCost ?? DEFAULT_COST, limits),
      attempts: {
        begin(name: string, address: string) {
          const nowMs = Date.now();
          const waitMs = Math.max(accounts.waitMs(name, nowMs), addresses.waitMs(address, nowMs));
          if (waitMs > 0) return waitMs;
          accounts.charge(name, nowMs);
          addresses.charge(address, nowMs);
          return 0;
        },
        succeeded(name: string, address: string) {
          accounts.refund(name);
          addresses.refund(address);
        },
      },
      nowMs: Date.now,
      newAccountId: () => randomId(ACCOUNT_ID_LENGTH),
      ...this.#keys,
      submit: (fact) => this.#commit.submit(fact),
      isOnline: (account) => this.#presence.isOnline(account),
      status: () => this.#status(),
    } satisfies Omit<RequestContext, "session">;
    return (session) => ({ ...shared, session });
  }

  #status(): NodeStatus {
    const { accounts, messages, vector, digest } = this.#state;
    return {
      node: this.#options.node.name,
      version: this.#options.version,
      origin: this.#origin.current,
      uptimeMs: Date.now() - this.#startedMs,
      connections: this.#registry.size,
      usersOnline: this.#registry.accountsOnline,
      accounts: accounts.existingCount,
      messages: messages.presentCount,
      journalBytes: bytesOf(this.#directory),
      vector: vector.entries(),
      digest,
      copies: this.#options.config.cluster.copies,
      peers: this.#replication?.cluster.peers() ?? [],
      warnings: this.#replication?.cluster.warnings() ?? [],
    };
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

/** Says why, if that can be said at once, and closes: a refused client must not cost anything. */
function turnAway(conn: Deno.TcpConn, sentence: string): void {
  const reply = refuse("too_many_connections", sentence);
  conn.write(encodeMessage(writeReply, reply)).catch(() => {}).finally(() => conn.close());
}

function describeBug(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
