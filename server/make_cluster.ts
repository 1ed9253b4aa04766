import { type NodeConfig, ServerConfig } from "./config.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import { openState } from "./journal/state_reader.ts";
import { Cluster, type ClusterParts } from "./sync/cluster.ts";
import type { Membership } from "./sync/membership.ts";
import type { OperationLog } from "./sync/outgoing.ts";

export interface MakeClusterParts extends Omit<ClusterParts, "membership" | "peers" | "log"> {
  readonly config: ServerConfig;
  readonly node: NodeConfig;
  readonly directory: DataDirectory;
}

/** The other nodes of a configuration. */
export function makeCluster(parts: MakeClusterParts): Cluster {
  const { config, node, directory } = parts;
  return new Cluster({
    ...parts,
    membership: membershipOf(config, node),
    peers: config.getPeerNodes(node.name).map(({ name, grpc }) => ({
      name,
      address: ServerConfig.addressOf(grpc),
    })),
    log: logOf(directory),
  });
}

function logOf(directory: DataDirectory): OperationLog {
  return {
    get losses() {
      return directory.index.losses;
    },
    get end() {
      return directory.journal.end;
    },
    placeOf: (known, isWanted) => directory.index.placeOf(known, isWanted),
    openReader: () => directory.openReader(),
    openState: () => openState(directory),
  };
}

function membershipOf(
  { cluster, retention, registration, nodes }: ServerConfig,
  node: NodeConfig,
): Membership {
  return {
    node: node.name,
    ...cluster,
    retentionDays: retention?.days,
    registration,
    nodes: nodes.map(({ name, tcp, grpc }) => ({
      name,
      addresses: `${ServerConfig.addressOf(tcp)}, ${ServerConfig.addressOf(grpc)}`,
    })),
  };
}
