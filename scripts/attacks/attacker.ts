/**
 * One attacking process: gets its orders as a line of JSON, and goes on until its standard input ends.
 * Run by attacking_process.ts.
 */

import { TextLineStream } from "@std/streams";
import { Battle } from "./battle.ts";
import type { Message, Orders } from "./orders.ts";
import { weaponNamed } from "./weapons.ts";

function say(message: Message): void {
  console.log(JSON.stringify(message));
}

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
const { value: first } = await lines.read();
if (first === undefined) throw new Error("Cannot attack: there are no orders");
const orders = JSON.parse(first) as Orders;
const over = lines.read().then(() => {});
const battle = new Battle(orders, over, () => say({ kind: "in_place" }));
await weaponNamed(orders.weapon)(battle);
if (!battle.isOver) say({ kind: "done" });
await battle.over;
say({ kind: "report", outcome: battle.outcome });
// Some connections are still open, and are not waited for.
Deno.exit();
