import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Commit, Timer } from "./commit.ts";
import { type NodeConfig, ServerConfig } from "./config.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import { openState } from "./journal/state_reader.ts";
import type { OwnOrigin } from "./own_origin.ts";
import type { Presence } from "./presence.ts";
import { Cluster } from "./sync/cluster.ts";
import { grpcTransport, listenForNodes } from "./sync/grpc.ts";
import { healthService } from "./sync/health.ts";
import type { Membership } from "./sync/membership.ts";
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
  const { config, node, commit, directory, presence } = parts;
  const cluster = new Cluster({
    ...parts,
    membership: membershipOf(config, node),
    peers: config.getPeerNodes(node.name).map(({ name, grpc }) => ({
      name,
      address: ServerConfig.addressOf(grpc),
    })),
    transport: grpcTransport,
    log: {
      get start() {
        return directory.index.start;
      },
      get end() {
        return directory.journal.end;
      },
      placeOf: (known, isWanted) => directory.index.placeOf(known, isWanted),
      openReader: () => directory.openReader(),
      openState: () => openState(directory),
    },
    tell: parts.log,
  });
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

function membershipOf({ cluster, nodes }: ServerConfig, node: NodeConfig): Membership {
  return {
    node: node.name,
    ...cluster,
    nodes: nodes.map(({ name, tcp, grpc }) => ({
      name,
      addresses: `${ServerConfig.addressOf(tcp)}, ${ServerConfig.addressOf(grpc)}`,
    })),
  };
}
