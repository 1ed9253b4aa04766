import { CONTENT_BYTES_MAX } from "../../../server/requests/message.ts";
import type { Battle } from "../battle.ts";
import { bytesOf, HostileClient, HostileSocket, unlessHungUp } from "../hostile_socket.ts";

const CONNECTING_MAX = 32;
/** How long one waits who was told to slow down, or whose message was taken. */
const NEXT_MS = 5;
/** Questions that a deaf one asks, each of which has an answer of up to 1 MiB. */
const QUESTIONS = 64;

/** Subscribers who read nothing, of an account to which much is sent. */
export async function deafSubscribers(battle: Battle): Promise<void> {
  const [reader, writer] = [battle.account(0), battle.account(1)];
  const subscribe = bytesOf({ kind: "subscribe", payload: {} });
  await openDeaf(battle, subscribe);
  battle.inPlace();
  const content = "x".repeat(CONTENT_BYTES_MAX);
  while (!battle.isOver) {
    await unlessHungUp(async () => {
      const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
      const client = new HostileClient(socket, (reply) => battle.answered(reply));
      await client.resume(writer);
      while (!battle.isOver) {
        await client.request({ kind: "send_message", payload: { to: reader.name, content } });
        await battle.pause(NEXT_MS);
      }
      socket.close();
    });
    await battle.pause(NEXT_MS);
  }
}

/** Those who ask for all that there is, and read no answer. */
export async function deafAskers(battle: Battle): Promise<void> {
  const friend = battle.account(1).name;
  const question = bytesOf({ kind: "list_messages", payload: { with: friend } });
  const all = new Uint8Array(question.length * QUESTIONS);
  for (let at = 0; at < all.length; at += question.length) all.set(question, at);
  await openDeaf(battle, all);
  battle.inPlace();
  await battle.over;
}

/** Signed-in connections that say something and never read. */
async function openDeaf(battle: Battle, said: Uint8Array): Promise<void> {
  const { name, token } = battle.account();
  const resume = bytesOf({ kind: "resume", payload: [name, token] });
  await battle.many(battle.amount("connections"), CONNECTING_MAX, async () => {
    await unlessHungUp(async () => {
      const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
      battle.count("connections");
      await socket.write(resume);
      await socket.write(said);
    });
  });
}
