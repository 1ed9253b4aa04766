import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { SERVER_NAME } from "../../codec/invite.ts";
import type { Log } from "../log.ts";
import { type CertifiedSubject, type NodeIdentity, nodeNamedIn } from "../tls/identity.ts";
import type {
  Packet,
  PacketSink,
  PacketStream,
  StatePart,
  StreamEnd,
  Transport,
} from "./packet.ts";
import { createPeerServer, type PeerTls } from "./peer_server.ts";
import type { PortGuard } from "./port_guard.ts";
import { loadProtos } from "./proto.ts";

const SYNC = "chat.sync.v1.Sync";
const HEALTH = "grpc.health.v1.Health";
/** The longest line of a journal, and room for what is around it. */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
/** Why a call was refused is told in so many UTF-16 units at most. */
const DETAILS_UNITS_MAX = 500;
/** Calls of one connection at once: a node has one or two, a program that pushes some. */
const CALLS_AT_ONCE_MAX = 200;
/** How long connections stay open after the last word, in ms: the other side has to read it. */
const LINGER_MS = 50;

const OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
  // Every call to a node is a connection of its own: its end is the end of the stream.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_http_proxy": 0,
  // Streams are called for again here, and what they do is counted here: layers that cost each message.
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
};

/** No node's name. */
const NOBODY = "";

const DIAL_OPTIONS: ChannelOptions = {
  ...OPTIONS,
  // The library asks for a certificate of this name, and cannot ask for one of an address.
  "grpc.ssl_target_name_override": SERVER_NAME,
};

const SERVER_OPTIONS: ChannelOptions = {
  ...OPTIONS,
  "grpc.max_concurrent_streams": CALLS_AT_ONCE_MAX,
};

const protos = loadProtos();

/** Calls other nodes over gRPC, as who `identity` says now; in plain text if it says nobody. */
export function grpcTransport(identity: () => NodeIdentity | undefined): Transport {
  return {
    dial({ name, address }) {
      const client = new Client(address, channelCredentials(name, identity()), DIAL_OPTIONS);
      const link = serviceOf(SYNC).Link ?? missing("Link");
      const { path, requestSerialize, responseDeserialize } = link;
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      return new ClientPackets(call, client);
    },
  };
}

/** What the methods besides the stream are made of: see push.ts and health.ts. */
export interface GrpcServices {
  readonly sync: UntypedServiceImplementation;
  readonly health: UntypedServiceImplementation;
}

export interface GrpcListener {
  readonly port: number;
  /** Meets new connections with another identity. */
  renew(identity: NodeIdentity): void;
  close(): Promise<void>;
}

/**
 * Takes calls of other nodes and programs. Rejects if the address cannot be listened on.
 *
 * Connections are taken here and handed to the library, so that what they say is looked at first, and
 * they can be ended here, too: it would say GOAWAY, at which the HTTP/2 of Deno 2.9.6 now and then aborts
 * the process that is told.
 */
export async function listenForNodes(
  { host, port }: { readonly host: string; readonly port: number },
  welcome: (stream: PacketStream) => void,
  services: GrpcServices,
  tls: PeerTls | undefined,
  guard: PortGuard,
  log: Log,
): Promise<GrpcListener> {
  const server = new Server(SERVER_OPTIONS);
  // By address and port of the connection, which is all that the library tells of it.
  const callers = new Map<string, { readonly socket: Socket; readonly name: string }>();
  server.addService(serviceOf(SYNC), {
    ...services.sync,
    Link: (call: ServerDuplexStream<WirePacket, WirePacket>) =>
      welcome(new ServerPackets(call, tls && (callers.get(call.getPeer())?.name ?? NOBODY))),
  });
  server.addService(serviceOf(HEALTH), services.health);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const take = (socket: Socket, caller: string | undefined) => {
    if (socket.destroyed) return;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    if (caller !== undefined) callers.set(peer, { socket, name: caller });
    guard.take(socket, { isProved: caller !== undefined });
    // The next one may have its address by then.
    socket.on("close", () => callers.get(peer)?.socket === socket && callers.delete(peer));
    injector.injectConnection(guard.listenTo(socket));
  };
  // Before a handshake, which costs more than all that may be refused after it.
  const admit = (socket: Socket) => guard.admit(socket);
  const { listener, renew } = createPeerServer({ admit, take }, tls, log);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, host, resolve);
  });
  const { port: found = port } = listener.address() as { port?: number };
  return {
    port: found,
    renew,
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      guard.close();
      await closed;
    },
  };
}

/** A gRPC status, for a call that is refused: `details` are for people. */
export function statusError(code: number, details: string): Partial<StatusObject> {
  // The library throws on half a character, which what is quoted in an error may end with.
  const text = details.slice(0, DETAILS_UNITS_MAX).toWellFormed();
  return { code, details: text, metadata: new Metadata() };
}

function channelCredentials(
  name: string,
  identity: NodeIdentity | undefined,
): ChannelCredentials {
  if (identity === undefined) return credentials.createInsecure();
  const [ca, key, cert] = [identity.ca, identity.key, identity.cert].map((pem) => Buffer.from(pem));
  return credentials.createSsl(ca, key, cert, {
    checkServerIdentity(_host: string, certificate: CertifiedSubject) {
      const found = nodeNamedIn(certificate);
      if (found === name) return undefined;
      // What is thrown here would end the process.
      return new Error(`it has the certificate of ${found ?? "nobody"}, not of ${name}`);
    },
  });
}

/** The definition of a service of proto/, such as `chat.sync.v1.Sync`. */
export function serviceOf(name: string): ServiceDefinition {
  let found: unknown = loadPackageDefinition(protos);
  for (const part of name.split(".")) found = (found as Record<string, unknown>)[part];
  return (found as { service: ServiceDefinition }).service;
}

function missing(name: string): never {
  throw new Error(`Cannot find ${name} in proto/`);
}

/** A packet as proto-loader has it: `kind` says which of the other fields is there. */
interface WirePacket {
  readonly kind?: string;
  readonly [field: string]: unknown;
}

/** What both ends of a call have in common. */
abstract class CallPackets implements PacketStream {
  #sink: PacketSink | undefined;
  #end: StreamEnd | undefined;

  protected abstract write(packet: WirePacket): void;
  protected abstract hangUp(end: StreamEnd): void;

  receive(sink: PacketSink): void {
    this.#sink = sink;
    if (this.#end !== undefined) sink.onEnd(this.#end);
  }

  send({ kind, ...fields }: Packet): void {
    if (this.#end === undefined) this.write({ [kind]: fields });
  }

  close(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.hangUp(end);
  }

  protected took(wire: WirePacket): void {
    const packet = packetOf(wire);
    // Of a newer version: it is not sent what it has to be answered.
    if (packet !== undefined && this.#end === undefined) this.#sink?.onPacket(packet);
  }

  protected ended(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#sink?.onEnd(end);
  }
}

class ClientPackets extends CallPackets {
  readonly #call: ClientDuplexStream<WirePacket, WirePacket>;
  readonly #client: Client;

  constructor(call: ClientDuplexStream<WirePacket, WirePacket>, client: Client) {
    super();
    this.#call = call;
    this.#client = client;
    call.on("data", (packet: WirePacket) => this.took(packet));
    call.on("error", (error: Partial<StatusObject>) => this.#over(endOf(error)));
    call.on("end", () => this.#over({ kind: "lost", why: "it closed the stream" }));
  }

  protected override write(packet: WirePacket): void {
    this.#call.write(packet);
  }

  protected override hangUp(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #over(end: StreamEnd): void {
    this.#client.close();
    this.ended(end);
  }
}

class ServerPackets extends CallPackets {
  readonly caller: string | undefined;
  readonly callerAddress: string;
  readonly #call: ServerDuplexStream<WirePacket, WirePacket>;

  constructor(call: ServerDuplexStream<WirePacket, WirePacket>, caller: string | undefined) {
    super();
    this.caller = caller;
    this.callerAddress = call.getPeer().replace(/:\d+$/, "");
    this.#call = call;
    call.on("data", (packet: WirePacket) => this.took(packet));
    call.on("cancelled", () => this.ended({ kind: "lost", why: "it hung up" }));
    call.on("error", (error: Error) => this.ended({ kind: "lost", why: error.message }));
    call.on("end", () => {
      call.end();
      this.ended({ kind: "lost", why: "it closed the stream" });
    });
  }

  protected override write(packet: WirePacket): void {
    this.#call.write(packet);
  }

  protected override hangUp({ kind, why }: StreamEnd): void {
    this.#call.emit("error", statusError(STATUS_OF_END[kind], why));
  }
}

const STATUS_OF_END: Record<StreamEnd["kind"], number> = {
  refused: status.PERMISSION_DENIED,
  busy: status.ALREADY_EXISTS,
  lost: status.UNAVAILABLE,
};

function endOf({ code, details = "" }: Partial<StatusObject>): StreamEnd {
  if (code === status.PERMISSION_DENIED) return { kind: "refused", why: details };
  if (code === status.ALREADY_EXISTS) return { kind: "busy", why: details };
  // grpc-js says much, and the address again.
  const why = /ECONNREFUSED/.test(details) ? "nothing listens there" : details.replace(
    /^No connection established\. Last error: |^Error: |\s*Resolution note:\s*$/g,
    "",
  );
  return { kind: "lost", why };
}

function packetOf({ kind, ...rest }: WirePacket): Packet | undefined {
  const fields = rest[kind ?? ""] as Record<string, unknown> | undefined;
  if (fields === undefined) return undefined;
  switch (kind) {
    case "hello":
    case "want":
    case "presence":
    case "attempts":
      return { kind, ...fields } as Packet;
    case "offer":
      return { kind, state: String(fields.state), bytes: Number(fields.bytes) };
    case "take":
      return { kind, state: String(fields.state), from: Number(fields.from) };
    case "lines":
      return { kind, lines: fields.lines as Uint8Array, part: partOf(fields.part) };
    case "ack":
      return { kind, packets: Number(fields.packets), vector: String(fields.vector) };
    case "ping":
      return { kind, number: Number(fields.number) };
    case "pong":
      return { kind, number: Number(fields.number), time: Number(fields.time) };
    default:
      return undefined;
  }
}

function partOf(part: unknown): StatePart | undefined {
  if (typeof part !== "object" || part === null) return undefined;
  const { state, end, bytes } = part as Record<string, unknown>;
  return { state: String(state), end: Number(end), bytes: Number(bytes) };
}
