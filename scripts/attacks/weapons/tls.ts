import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { SERVER_NAME } from "../../../codec/invite.ts";
import type { Battle } from "../battle.ts";
import { bytesOf, HostileSocket, unlessHungUp } from "../hostile_socket.ts";

const CONNECTING_MAX = 64;
const AGAIN_MS = 20;
const RECORD_HEADER_BYTES = 5;
/** Content types of records of TLS. */
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** What the unfinished records and messages claim to have. */
const CLAIMED_BYTES = 512;
const SENT_BYTES = 100;
const BURST_FRAMES = 100;

/** The beginning of a ClientHello, and nothing more: half to the port for clients, half to that for nodes. */
export async function unfinishedHandshakes(battle: Battle): Promise<void> {
  const beginning = recordOf(new Uint8Array(SENT_BYTES), CLAIMED_BYTES);
  beginning[RECORD_HEADER_BYTES] = CLIENT_HELLO;
  new DataView(beginning.buffer).setUint16(RECORD_HEADER_BYTES + 2, CLAIMED_BYTES);
  await battle.many(battle.amount("connections"), CONNECTING_MAX, async (index) => {
    await unlessHungUp(async () => {
      const port = index % 2 === 0 ? battle.port() : battle.peerPort();
      const socket = await HostileSocket.connect(port, battle.nextAddress());
      socket.ignoreAll();
      battle.count("connections");
      void socket.closed.then(() => battle.isOver || battle.count("closed"));
      await socket.write(beginning);
    });
  });
  battle.inPlace();
  await battle.over;
}

/** Whole handshakes, each of which costs the server a signature, and no word after them. */
export async function handshakes(battle: Battle): Promise<void> {
  battle.inPlace();
  await battle.many(Infinity, battle.amount("atOnce"), async () => {
    const isDone = await shakeHands(battle, battle.port(), {});
    battle.count(isDone ? "handshakes" : "refused");
  });
}

/** Calls of the port for nodes with the certificate of another cluster, in the name of a node. */
export async function falseCertificates(battle: Battle): Promise<void> {
  battle.inPlace();
  const { stranger } = battle.orders;
  if (stranger === undefined) throw new Error("Cannot attack: there is no false certificate");
  const { cert, key } = stranger;
  await battle.many(Infinity, battle.amount("atOnce"), async (index) => {
    const isTaken = await shakeHands(battle, battle.peerPort(index), { cert, key });
    battle.count(isTaken ? "taken" : "refused");
  });
}

/** Requests in plain text, where there is only TLS. */
export async function plainText(battle: Battle): Promise<void> {
  const ping = bytesOf({ kind: "status", payload: null });
  const burst = new Uint8Array(ping.length * BURST_FRAMES);
  for (let at = 0; at < burst.length; at += ping.length) burst.set(ping, at);
  await pourIn(battle, () => burst, BURST_FRAMES);
}

/** Records whose headers are right, and of which nothing else is. */
export async function garbledRecords(battle: Battle): Promise<void> {
  const record = () => recordOf(crypto.getRandomValues(new Uint8Array(CLAIMED_BYTES)));
  await pourIn(battle, record, 1);
}

async function pourIn(battle: Battle, burst: () => Uint8Array, frames: number): Promise<void> {
  battle.inPlace();
  const connections = battle.amount("connections");
  await battle.many(connections, connections, async (index) => {
    const port = index % 2 === 0 ? battle.port() : battle.peerPort();
    while (!battle.isOver) {
      await unlessHungUp(async () => {
        const socket = await HostileSocket.connect(port, battle.nextAddress());
        battle.count("connections");
        socket.onBytes((bytes) => battle.count("answered", bytes[0] === 0 ? 1 : 0));
        for (;;) {
          await socket.write(burst());
          battle.count("frames", frames);
          await battle.pause(AGAIN_MS);
          if (battle.isOver) return socket.close();
        }
      });
    }
  });
}

/** Whether the server goes through with it, and with TLS 1.3, says something after it or waits. */
async function shakeHands(
  battle: Battle,
  port: number,
  identity: { readonly cert?: string; readonly key?: string },
): Promise<boolean> {
  const { ca } = battle.orders;
  const isAsPeer = identity.cert !== undefined;
  const carrier = connect({ host: "127.0.0.1", port, localAddress: battle.nextAddress() });
  carrier.on("error", () => carrier.destroy());
  const socket = connectTls({
    ...{ socket: carrier, servername: SERVER_NAME, ...identity },
    ...isAsPeer && { ALPNProtocols: ["h2"] },
    ...ca !== undefined && { ca },
  });
  const ended = new Promise<false>((resolve) => {
    socket.once("close", () => resolve(false));
    carrier.once("close", () => resolve(false));
    socket.on("error", () => socket.destroy());
  });
  // By TLS 1.3 a client is through before the server has looked at its certificate.
  const heard = new Promise<true>((resolve) =>
    socket.once(isAsPeer ? "data" : "secureConnect", () => resolve(true))
  );
  const isThrough = await Promise.race([heard, ended, battle.over.then(() => false)]);
  socket.destroy();
  carrier.destroy();
  return isThrough;
}

/** A record of a handshake, which may claim more than it has. */
function recordOf(body: Uint8Array, claimedBytes = body.length): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(RECORD_HEADER_BYTES + body.length);
  record.set([HANDSHAKE, 3, 1]);
  new DataView(record.buffer).setUint16(3, claimedBytes);
  record.set(body, RECORD_HEADER_BYTES);
  return record;
}
