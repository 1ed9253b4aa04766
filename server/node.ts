import type { NodeStatus } from "../codec/message.ts";
import { timedKey } from "../codec/timed_key.ts";
import { sourceOf } from "./guard/address.ts";
import { Admission } from "./guard/admission.ts";
import { invitationKeyOf, verifyInvitation } from "./auth/invitation.ts";
import { TOKEN_LENGTH } from "./auth/one_time_token.ts";
import { SignInThrottle } from "./auth/sign_in_throttle.ts";
import { Broadcast } from "./broadcast.ts";
import type { Commit } from "./commit.ts";
import { Compactor } from "./compactor.ts";
import { isLoopback } from "./config.ts";
import { ACCOUNT_ID_LENGTH } from "./core/message_id.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";
import { bytesOf, type CompactionReport } from "./journal/compaction.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import type { EndingLimit, Limits } from "./limits.ts";
import { makeCluster } from "./make_cluster.ts";
import { type OpenNode, openNode, type OpenNodeOptions } from "./open_node.ts";
import { type Outside, randomId } from "./outside.ts";
import type { OwnOrigin } from "./own_origin.ts";
import { WaitingTotal } from "./guard/waiting_total.ts";
import { Pace } from "./guard/pace.ts";
import { Presence } from "./presence.ts";
import { SessionRegistry } from "./registry.ts";
import { AccountControl } from "./requests/account_control.ts";
import type {
  Passwords,
  Registration,
  RequestContext,
  RequestSession,
} from "./requests/context.ts";
import type { MessageContext } from "./requests/message.ts";
import { Retention, type RetentionTimes } from "./retention.ts";
import { type Connection, Session, type SessionParts } from "./session.ts";
import { SessionLog } from "./session_log.ts";
import type { Cluster } from "./sync/cluster.ts";
import type { Transport } from "./sync/packet.ts";
import { Throttle } from "./guard/throttle.ts";
import { expiryWarning } from "./tls/identity.ts";
import type { RenewableIdentity } from "./tls/renewable_identity.ts";
import { TurnedAway } from "./guard/turned_away.ts";
import { Turns } from "./guard/turns.ts";

export interface NodeOptions extends OpenNodeOptions {
  readonly version: string;
  readonly passwords: Passwords;
  /** In place of the configuration's, for tests that cannot wait as long. */
  readonly limits?: Partial<Limits>;
  /** What it shows of itself to clients and nodes, if not all is in plain text. */
  readonly identity?: RenewableIdentity;
  /** For tests, which cannot wait for an hour. */
  readonly retentionTimes?: RetentionTimes;
}

/** How this node and others reach each other. */
export interface PeerPort {
  readonly transport: Transport;
  /** Lets others call. Rejects if the address is taken. */
  listen(cluster: Cluster): Promise<PeerListener>;
}

export interface PeerListener {
  /** Tells those who watch this node's health. */
  servingChanged(): void;
  close(): Promise<void>;
}

/** Where a node's journal ends, what it knows, and a digest if all of that was on disk at one moment. */
export interface NodePosition {
  readonly segment: number;
  readonly bytes: number;
  readonly vector: string;
  readonly digest?: string;
}

/** How often deadlines of connections are looked at, in ms. */
const SWEEP_MS = 1000;
/** How long a node that stops waits for clients to take their last replies, in ms. */
const DRAIN_MS = 5000;
/** How many batches are waited for so that all is on disk at once. */
const POSITION_TRIES_MAX = 100;
/** Letters and digits that tell a credential from itself before. */
const MARK_LENGTH = 8;

/**
 * A node of the messenger, whatever it stands on: its data, its sessions, its part in the cluster. Who
 * runs it hands in connections, and ends the process when {@linkcode failed} rejects.
 */
export class ChatNode {
  /** Rejects if the journal fails: nothing may be answered after that. */
  readonly failed: Promise<never>;
  readonly directory: DataDirectory;
  readonly state: ChatState;
  readonly commit: Commit;
  /** For the node's operator. */
  readonly accounts: AccountControl;
  readonly #options: NodeOptions;
  readonly #outside: Outside;
  readonly #limits: Limits;
  readonly #origin: OwnOrigin;
  readonly #registry = new SessionRegistry();
  readonly #admission: Admission;
  readonly #turnedAway: TurnedAway;
  readonly #presence: Presence;
  readonly #outboxTotal: WaitingTotal;
  readonly #frameTotal: WaitingTotal;
  readonly #attempts: SignInThrottle;
  readonly #compactor: Compactor;
  /** For messages that come without a key, and what keys are measured by. */
  readonly #keys: Pick<RequestContext, "newKey" | "stampMs">;
  readonly #parts: SessionParts;
  /** Sessions whose output waits for a commit. */
  readonly #waiting = new Set<Session>();
  readonly #running = new Set<Promise<void>>();
  readonly #startedMs: number;
  #retention: Retention | undefined;
  #cluster: Cluster | undefined;
  #listener: PeerListener | undefined;
  #isServing = false;
  #stopSweeping: () => void;

  /** Opens the data directory, and replays the journal. Rejects with StorageError. */
  static async open(options: NodeOptions, outside: Outside): Promise<ChatNode> {
    return new ChatNode(options, outside, await openNode(options, outside));
  }

  private constructor(
    options: NodeOptions,
    outside: Outside,
    { state, commit, directory, origin, clock, failed }: OpenNode,
  ) {
    const { timer } = outside;
    this.failed = failed;
    this.directory = directory;
    this.state = state;
    this.commit = commit;
    this.#origin = origin;
    this.#options = options;
    this.#outside = outside;
    this.#limits = { ...options.config.limits, ...options.limits };
    const nowMs = () => timer.nowMs();
    const sleep = (ms: number) => new Promise<void>((resolve) => void timer.after(ms, resolve));
    this.#admission = new Admission(this.#limits, this.#registry, nowMs);
    this.#turnedAway = new TurnedAway(timer);
    this.#outboxTotal = new WaitingTotal(
      this.#limits.outboxBytesTotalMax,
      () => this.#closeFullest(this.#outboxTotal, "waitingBytes", "outboxBytesTotalMax"),
    );
    this.#frameTotal = new WaitingTotal(
      this.#limits.frameBytesTotalMax,
      () => this.#closeFullest(this.#frameTotal, "heldBytes", "frameBytesTotalMax"),
    );
    this.#attempts = new SignInThrottle({
      limits: this.#limits,
      nodes: options.config.nodes.length,
      timer,
    });
    this.#startedMs = timer.nowMs();
    const stampMs = () => Math.max(outside.wallMs(), clock.last.timeMs);
    this.#keys = { stampMs, newKey: () => timedKey(outside.uuid(), stampMs()) };
    this.#compactor = new Compactor({
      ...{ state, commit, clock, directory, timer, log: options.log },
      isBeingRead: () => this.#cluster?.isBeingRead ?? false,
      knownByAll: () => this.#knownByAll(),
      nowMs: () => outside.wallMs(),
    });
    this.accounts = this.#accountControl();
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
      isWhole: () => this.#knownByAll() !== undefined,
      turns: new Turns({ nowMs, sleep }),
      outboxTotal: this.#outboxTotal,
      frameTotal: this.#frameTotal,
      nowMs,
      sleep,
      told: new SessionLog(options.log),
      contextOf: this.#contextFactory(),
      reportBug(error) {
        options.log(`a bug, please report it: ${describeBug(error)}`, { event: "bug" });
      },
    };
    commit.onProgress(() => {
      for (const session of this.#waiting) session.flush();
    });
    this.#stopSweeping = this.#sweepLater();
  }

  /** Whether clients are served by now. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /** What deciding about messages needs, for programs other than clients. */
  get messageContext(): MessageContext {
    return { state: this.state, submit: (fact) => this.commit.submit(fact), ...this.#keys };
  }

  /**
   * Finds the other nodes, and takes in what this one lacks: nobody who signs in is told of a state
   * that is long past. Rejects if others cannot be listened for.
   */
  async joinCluster(port: PeerPort): Promise<void> {
    const { config, node, version, log } = this.#options;
    const [presence, attempts, commit] = [this.#presence, this.#attempts, this.commit];
    const cluster = makeCluster({
      ...{ config, node, version, commit, presence, attempts },
      ...this.#outside,
      transport: port.transport,
      process: this.#outside.uuid(),
      origin: this.#origin,
      directory: this.directory,
      onStateMerged: () => this.#compactor.soon(),
      tell: log,
    });
    this.#listener = await port.listen(cluster);
    this.#cluster = cluster;
    presence.tellNodes((account, online) => cluster.tellPresence(account, online));
    attempts.tellNodes((change) => cluster.tellAttempts(change));
    commit.replicateWith(cluster);
    cluster.start();
    await cluster.caughtUp();
  }

  /** From now on clients may come, and what is too old goes. */
  beginServing(): void {
    this.#setServing(true);
    this.#startRetention();
  }

  /** Serves a client's connection until either side ends it, or turns it away. */
  welcome(connection: Connection): void {
    const { address } = connection;
    if (this.#admission.isTooMuch(address)) {
      this.#parts.told.turnedAway(address, "more strangers than there is time for");
      return connection.close();
    }
    const refusal = this.#admission.refusal(address);
    if (refusal !== undefined) {
      this.#parts.told.turnedAway(address, refusal);
      return this.#turnedAway.tell(connection, refusal);
    }
    const session = new Session(connection, this.#parts, this.#waiting);
    this.#registry.add(session);
    const running = session.run();
    this.#running.add(running);
    running.finally(() => this.#running.delete(running));
  }

  /** Compacts the journal now, or takes part in what is under way. Rejects with StorageError. */
  compact(): Promise<CompactionReport> {
    return this.#compactor.run();
  }

  /** With a digest if there was a moment at which all that the state holds was on disk. */
  async position(): Promise<NodePosition> {
    const { commit, state } = this;
    const take = (): NodePosition => {
      const { number: segment, headerBytes, bytes } = this.directory.journal.current;
      const position = { segment, bytes: headerBytes + bytes, vector: commit.durable.toString() };
      return commit.settled < commit.position ? position : { ...position, digest: state.digest };
    };
    let position = take();
    for (let tries = 0; position.digest === undefined && tries < POSITION_TRIES_MAX; tries++) {
      position = await commit.atNextSettle(take);
    }
    return position;
  }

  /** Answers what was submitted, waits boundedly for clients to take it, and ends all sessions. */
  async drain(): Promise<void> {
    this.#setServing(false);
    this.#stopSweeping();
    await Promise.all([this.#compactor.stop(), this.#retention?.stop()]);
    await this.commit.drained();
    const cancel = this.#outside.timer.after(DRAIN_MS, () => {
      for (const session of this.#registry.all()) session.end("stopping");
    });
    await Promise.all([...this.#registry.all()].map((session) => session.finish()));
    cancel();
    await Promise.all(this.#running);
    await this.commit.drained();
    this.commit.close();
  }

  /** Hangs up on other nodes. */
  async leaveCluster(): Promise<void> {
    await this.#cluster?.stop();
    this.#presence.stop();
    await this.#listener?.close();
  }

  /** See Cluster.knownByAll(). */
  #knownByAll(): VersionVector | undefined {
    if (this.#options.config.nodes.length === 1) return this.state.vector;
    return this.#cluster?.knownByAll();
  }

  #setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#listener?.servingChanged();
  }

  #startRetention(): void {
    const { config: { retention, nodes }, node, log, retentionTimes } = this.#options;
    if (retention === undefined) return;
    this.#retention = new Retention({
      days: retention.days,
      state: this.state,
      commit: this.commit,
      node: node.name,
      nodes: nodes.map(({ name }) => name),
      peers: () => this.#cluster?.peers() ?? [],
      wallMs: () => this.#outside.wallMs(),
      ...{ timer: this.#outside.timer, log },
      ...(retentionTimes && { times: retentionTimes }),
    });
  }

  #closeFullest(
    total: WaitingTotal,
    of: "waitingBytes" | "heldBytes",
    limit: EndingLimit,
  ): void {
    while (total.isOver) {
      const fullest = this.#registry.fullest(of);
      if (fullest === undefined) return;
      fullest.end(limit);
    }
  }

  #sweepLater(): () => void {
    const { timer } = this.#outside;
    return timer.after(SWEEP_MS, () => {
      this.#stopSweeping = this.#sweepLater();
      const nowMs = timer.nowMs();
      for (const session of this.#registry.all()) session.checkDeadlines(nowMs);
    });
  }

  #contextFactory(): (session: RequestSession) => RequestContext {
    const { timer } = this.#outside;
    const { signUpsPerAddress, signUpRefillMs } = this.#limits;
    const signUps = new Throttle<string>(signUpsPerAddress, signUpRefillMs);
    const shared = {
      state: this.state,
      node: this.#options.node.name,
      passwords: this.#options.passwords,
      attempts: this.#attempts,
      registration: this.#registration(),
      signUps: {
        take(address: string) {
          const [source, nowMs] = [sourceOf(address), timer.nowMs()];
          const waitMs = signUps.waitMs(source, nowMs);
          if (waitMs === 0) signUps.charge(source, nowMs);
          return waitMs;
        },
      },
      pace: new Pace(this.#limits, () => timer.nowMs()),
      nowMs: () => this.#outside.wallMs(),
      newAccountId: () => randomId(this.#outside, ACCOUNT_ID_LENGTH),
      ...this.#keys,
      submit: (fact) => this.commit.submit(fact),
      isOnline: (account) => this.#presence.isOnline(account),
      connectionsOf: (account) => this.#registry.connectionsOfAccount(account),
      status: () => this.#status(),
    } satisfies Omit<RequestContext, "session">;
    return (session) => ({ ...shared, session });
  }

  #registration(): Registration {
    const { config: { registration: mode }, identity } = this.#options;
    return {
      mode,
      check: (invitation) => {
        // As it is now: it may have been renewed.
        const ca = identity?.current?.ca;
        if (ca === undefined) return "none";
        return verifyInvitation(invitation, invitationKeyOf(ca), this.#outside.wallMs());
      },
    };
  }

  #accountControl(): AccountControl {
    const { state, commit } = this;
    const outside = this.#outside;
    return new AccountControl({
      state,
      passwords: this.#options.passwords,
      isServing: () => this.#isServing,
      nowMs: () => outside.wallMs(),
      newAccountId: () => randomId(outside, ACCOUNT_ID_LENGTH),
      newToken: () => randomId(outside, TOKEN_LENGTH),
      newMark: () => randomId(outside, MARK_LENGTH),
      submit: (fact) => commit.submit(fact),
      tell: (user, how) =>
        this.#options.log(`the operator has ${how} the account ${user}`, {
          event: "account_changed",
          ...{ user, how },
        }),
      async copiesOf(what) {
        await commit.untilCopied();
        return commit.copiesOf(what);
      },
      isOnline: (account) => this.#presence.isOnline(account),
    });
  }

  #status(): NodeStatus {
    const { accounts, messages, vector, digest } = this.state;
    return {
      node: this.#options.node.name,
      version: this.#options.version,
      origin: this.#origin.current,
      uptimeMs: Math.round(this.#outside.timer.nowMs() - this.#startedMs),
      connections: this.#registry.size,
      usersOnline: this.#registry.accountsOnline,
      accounts: accounts.existingCount,
      messages: messages.presentCount,
      journalBytes: bytesOf(this.directory),
      vector: vector.entries(),
      digest,
      copies: this.#options.config.cluster.copies,
      peers: this.#cluster?.peers() ?? [],
      warnings: this.#warnings(),
    };
  }

  #warnings(): string[] {
    const { identity } = this.#options;
    const ofIdentity = identity?.current &&
      expiryWarning(identity.current, this.#outside.wallMs());
    const { node } = this.#options;
    const isExposed = identity?.current === undefined && !isLoopback(node.tcp.host);
    return [
      ...this.#cluster?.warnings() ?? [],
      ...ofIdentity === undefined ? [] : [ofIdentity],
      ...isExposed ? [`clients talk to ${node.tcp.host} in plain text: see docs/SECURITY.md`] : [],
    ];
  }
}

function describeBug(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
