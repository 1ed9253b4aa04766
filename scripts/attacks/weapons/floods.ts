import { HEADER_BYTES, writeFrame } from "../../../codec/frame.ts";
import {
  PAYLOAD_BYTES_MAX,
  PAYLOAD_BYTES_MAX_ANONYMOUS,
  type Request,
} from "../../../codec/message.ts";
import { TAG, ValueWriter } from "../../../codec/value.ts";
import { CONTENT_BYTES_MAX } from "../../../server/requests/message.ts";
import type { Battle, Weapon } from "../battle.ts";
import { bytesOf, HostileClient, HostileSocket, unlessHungUp } from "../hostile_socket.ts";

/** Frames that are not answered yet, on each connection, beyond which no more are sent. */
const UNANSWERED_FRAMES_MAX = 200;
/** How long one waits who was turned away. */
const AGAIN_MS = 100;
/** Of one write: as many frames as a stranger may send in a second, unless they are long. */
const BURST_FRAMES_MAX = 100;
const BURST_BYTES = 32 * 1024;
const MESSAGE_CHARACTERS = 100;
const ID_CHARACTERS = 40;
const NESTED_BYTES = 5;

/** A header that claims the most that it can, and bytes that go on for ever. */
export const claims = flood({
  frame: () => {
    const frame = new Uint8Array(PAYLOAD_BYTES_MAX_ANONYMOUS);
    new DataView(frame.buffer).setUint32(HEADER_BYTES - 4, 0xffffffff);
    frame[7] = 1;
    return frame;
  },
});

/** Lists in lists, as deep as a stranger's frame may be long. */
export const nested = flood({
  frame: () => {
    const depth = Math.floor(PAYLOAD_BYTES_MAX_ANONYMOUS / NESTED_BYTES);
    return frameOf(1, (writer) => {
      for (let left = depth; left > 0; left--) writer.raw(Uint8Array.of(TAG.list, 0, 0, 0, 1));
    });
  },
});

/** Requests of types that there are not. */
export const unknownTypes = flood({ frame: () => frameOf(77, () => {}) });

/** LOGIN_NAME, of one name after the other. */
export const names = flood({
  frame: (battle, number) =>
    bytesOf({ kind: "login_name", payload: `n${battle.orders.process}.${number}` }),
});

/** RESUME, with tokens that nobody issued. */
export const tokens = flood({
  frame: (battle) => {
    const { name, token } = battle.account();
    return bytesOf({ kind: "resume", payload: [name, `${token.slice(0, -8)}AAAAAAAA`] });
  },
});

/** Short messages of one account. */
export const messages = flood({
  isSignedIn: true,
  frame: (battle) => sendTo(battle.account(1).name, "x".repeat(MESSAGE_CHARACTERS)),
});

/** The longest messages of one account. */
export const longMessages = flood({
  isSignedIn: true,
  frame: (battle) => sendTo(battle.account(1).name, "x".repeat(CONTENT_BYTES_MAX)),
});

/** The longest frames: deletions of messages that there are not. */
export const longFrames = flood({
  isSignedIn: true,
  frame: () => {
    const count = Math.floor(
      (PAYLOAD_BYTES_MAX - 2 * NESTED_BYTES) / (ID_CHARACTERS + NESTED_BYTES),
    );
    const ids = Array.from(
      { length: count },
      (_, index) => String(index).padEnd(ID_CHARACTERS, "x"),
    );
    return bytesOf({ kind: "delete_messages", payload: ids });
  },
});

/** Whatever costs a node more to answer than somebody else to ask. */
export const questions = flood({
  isSignedIn: true,
  frame: (battle, number) => {
    const friend = battle.account(1).name;
    const asked: Request[] = [
      { kind: "list_messages", payload: { with: friend } },
      { kind: "search_messages", payload: { text: "nothing has these words" } },
      { kind: "status", payload: null },
      { kind: "list_users", payload: { pattern: "*a*a*a*a*a*b" } },
      { kind: "list_conversations", payload: {} },
    ];
    return bytesOf(asked[number % asked.length] ?? { kind: "ping", payload: null });
  },
});

/** SUBSCRIBE from the very beginning, again and again. */
export const oldCursors = flood({
  isSignedIn: true,
  frame: () => bytesOf({ kind: "subscribe", payload: { since: "" } }),
});

interface Flood {
  /** Whether as the first of the attackers' accounts. */
  readonly isSignedIn?: true;
  readonly frame: (battle: Battle, number: number) => Uint8Array;
}

/** The same frames over and over, on so many connections, as fast as they are answered. */
function flood(what: Flood): Weapon {
  return async (battle) => {
    const amount = battle.amount("connections");
    const { burst, frames } = burstOf(what, battle);
    await battle.many(amount, amount, async () => {
      while (!battle.isOver) {
        await unlessHungUp(async () => {
          const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
          battle.count("connections");
          const client = new HostileClient(socket, (reply) => battle.answeredInPlace(reply));
          if (what.isSignedIn) await client.resume(battle.account());
          await pour(battle, client, burst, frames);
          socket.close();
        });
        await battle.pause(AGAIN_MS);
      }
    });
  };
}

async function pour(
  battle: Battle,
  client: HostileClient,
  burst: Uint8Array,
  frames: number,
): Promise<void> {
  for (let sent = 0; !battle.isOver; sent += frames) {
    while (sent - client.answers > UNANSWERED_FRAMES_MAX && !battle.isOver) {
      if (client.socket.isClosed) return;
      await battle.pause(1);
    }
    await client.socket.write(burst);
    battle.count("frames", frames);
    await battle.pause(0);
  }
}

/** As many frames as one write takes, at least one of each kind. */
function burstOf({ frame }: Flood, battle: Battle): { burst: Uint8Array; frames: number } {
  const writer = new ValueWriter();
  let frames = 0;
  while (frames === 0 || writer.length < BURST_BYTES && frames < BURST_FRAMES_MAX) {
    writer.raw(frame(battle, frames++));
  }
  return { burst: writer.written, frames };
}

function sendTo(to: string, content: string): Uint8Array {
  return bytesOf({ kind: "send_message", payload: { to, content } });
}

function frameOf(type: number, writePayload: (writer: ValueWriter) => void): Uint8Array {
  const writer = new ValueWriter();
  writeFrame(writer, type, () => writePayload(writer));
  return writer.written;
}
