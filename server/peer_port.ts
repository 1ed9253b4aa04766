import type { Commit } from "./commit.ts";
import type { Address, NodeConfig } from "./config.ts";
import type { Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { PeerPort } from "./node.ts";
import { pushService } from "./push.ts";
import type { MessageContext } from "./requests/message.ts";
import { grpcTransport, listenForNodes } from "./sync/grpc.ts";
import { healthService } from "./sync/health.ts";
import { PortGuard } from "./sync/port_guard.ts";
import type { RenewableIdentity } from "./tls/renewable_identity.ts";

/** Of a node, what programs other than nodes may ask it for. */
export interface PushedTo {
  readonly commit: Commit;
  readonly messageContext: MessageContext;
  readonly isServing: boolean;
}

/** Connects `node` with others over gRPC. Loaded only where there is more than one node. */
export function grpcPeerPort(
  address: Address,
  node: PushedTo,
  { identity, nodes, limits, log }: {
    readonly identity: RenewableIdentity;
    /** All nodes: this one's own programs may call it, too. */
    readonly nodes: readonly NodeConfig[];
    readonly limits: Limits;
    readonly log: Log;
  },
): PeerPort {
  const isServing = () => node.isServing;
  const isNode = (name: string) => nodes.some((one) => one.name === name);
  const push = pushService(node.messageContext, node.commit, isServing, log);
  return {
    transport: grpcTransport(() => identity.current),
    async listen(cluster) {
      const watchers = new Set<() => void>();
      const servingChanged = () => {
        for (const watcher of watchers) watcher();
      };
      cluster.onChange(servingChanged);
      const health = healthService({
        serves: (part) => part === "" ? isServing() : cluster.reaches(part),
        onChange(watcher) {
          watchers.add(watcher);
          return () => watchers.delete(watcher);
        },
      });
      const services = { sync: push, health };
      const listener = await listenForNodes(
        address,
        (stream) => cluster.welcome(stream),
        services,
        identity.current && { identity: identity.current, isNode },
        guardOf(limits, log, nodes.map(({ grpc }) => grpc.host)),
        log,
      );
      identity.onRenewed((renewed) => listener.renew(renewed));
      return { servingChanged, close: () => listener.close() };
    },
  };
}

function guardOf(limits: Limits, log: Log, hosts: readonly string[]): PortGuard {
  return new PortGuard({
    connectionsMax: limits.peerConnectionsMax,
    connectionsPerAddressMax: limits.peerConnectionsPerAddressMax,
    connectionsPerSecondPerAddress: limits.peerConnectionsPerSecondPerAddress,
    connectionsPerSecond: limits.peerConnectionsPerSecond,
    callDeadlineMs: limits.peerCallDeadlineMs,
    callsPerSecond: limits.peerCallsPerSecondPerAddress,
    controlFramesPerSecond: limits.peerControlFramesPerSecondPerAddress,
  }, (address, reason) => {
    const line = `refused a connection of ${address} to the port for nodes: ${reason}`;
    log(line, { event: "peer_refused", address, reason });
  }, hosts);
}
