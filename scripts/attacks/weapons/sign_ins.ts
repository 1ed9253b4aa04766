import type { Request } from "../../../codec/message.ts";
import type { Battle } from "../battle.ts";
import { HostileClient, HostileSocket, unlessHungUp } from "../hostile_socket.ts";

/** How long one waits who was told to. */
const AGAIN_MS = 50;

/** Signs in with the right password, on many connections at once, over and over. */
export async function signIns(battle: Battle): Promise<void> {
  await signManyIn(battle, () => ({
    name: battle.account().name,
    password: battle.orders.password,
  }));
}

/** Signs up under one new name after the other, on many connections at once. */
export async function signUps(battle: Battle): Promise<void> {
  let names = 0;
  await signManyIn(battle, () => ({
    name: `crowd${battle.orders.process}.${names++}`,
    password: battle.orders.password,
  }));
}

/** Guesses one password so often, over all nodes, from many addresses. */
export async function guesses(battle: Battle): Promise<void> {
  const { process } = battle.orders;
  const { name } = battle.account();
  const guesses = battle.amount("guesses");
  let guessed = 0;
  const connections = battle.amount("connections");
  await battle.many(connections, connections, async (index) => {
    while (guessed < guesses && !battle.isOver) {
      await unlessHungUp(async () => {
        const socket = await HostileSocket.connect(battle.port(index), battle.nextAddress());
        const client = new HostileClient(socket, (reply) => battle.answeredInPlace(reply));
        while (guessed < guesses && !battle.isOver) {
          const password = `guess ${process} ${guessed++}`;
          battle.count("guesses");
          await client.request(...signIn(name, password));
        }
        socket.close();
      });
    }
  });
}

async function signManyIn(
  battle: Battle,
  who: () => { name: string; password: string },
): Promise<void> {
  const connections = battle.amount("connections");
  await battle.many(connections, connections, async () => {
    while (!battle.isOver) {
      await unlessHungUp(async () => {
        const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
        const client = new HostileClient(socket, (reply) => battle.answeredInPlace(reply));
        while (!battle.isOver) {
          const { name, password } = who();
          battle.count("tries");
          await client.request(...signIn(name, password));
          await client.request({ kind: "logout", payload: null });
        }
        socket.close();
      });
      await battle.pause(AGAIN_MS);
    }
  });
}

function signIn(name: string, password: string): [Request, Request] {
  return [{ kind: "login_name", payload: name }, { kind: "login_password", payload: password }];
}
