import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Commit, Timer } from "./commit.ts";
import type { NodeConfig, ServerConfig } from "./config.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import { makeCluster } from "./make_cluster.ts";
import type { OwnOrigin } from "./own_origin.ts";
import type { Presence } from "./presence.ts";
import type { Cluster } from "./sync/cluster.ts";
import { listenForNodes } from "./sync/grpc.ts";
import { healthService } from "./sync/health.ts";
import type { PacketStream } from "./sync/packet.ts";

export interface ReplicationParts {
  readonly config: ServerConfig;
  readonly node: NodeConfig;
  readonly version: string;
  readonly commit: Commit;
  readonly origin: OwnOrigin;
  readonly directory: DataDirectory;
  readonly presence: Presence;
  readonly onStateMerged: () => void;
  readonly timer: Timer;
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly nextTurn: () => Promise<void>;
  /** Random, new for every process. */
  readonly process: string;
  /** Whether clients are served by now. */
  readonly isServing: () => boolean;
  /** The methods for programs other than nodes: see push.ts. */
  readonly push: UntypedServiceImplementation;
  readonly log: (line: string) => void;
}

/** A node's part in the cluster, over gRPC. Loaded only where there is one. */
export interface RunningReplication {
  readonly cluster: Cluster;
  /** Where nodes find it. */
  readonly port: number;
  /** Tells those who watch this node's health. */
  servingChanged(): void;
  stop(): Promise<void>;
}

/** Listens for other nodes, and calls them. Rejects if the address is taken. */
export async function startReplication(parts: ReplicationParts): Promise<RunningReplication> {
  const { node, commit, presence } = parts;
  const cluster = makeCluster({ ...parts, tell: parts.log });
  const watchers = new Set<() => void>();
  const tellWatchers = () => {
    for (const watcher of watchers) watcher();
  };
  cluster.onChange(tellWatchers);
  const health = healthService({
    serves: (part) => part === "" ? parts.isServing() : cluster.reaches(part),
    onChange(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  });
  const services = { sync: parts.push, health };
  const welcome = (stream: PacketStream) => cluster.welcome(stream);
  const listener = await listenForNodes(node.grpc, welcome, services);
  presence.tellNodes((account, online) => cluster.tellPresence(account, online));
  commit.replicateWith(cluster);
  cluster.start();
  return {
    cluster,
    port: listener.port,
    servingChanged: tellWatchers,
    async stop() {
      await cluster.stop();
      presence.stop();
      await listener.close();
    },
  };
}
