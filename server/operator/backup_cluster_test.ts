/** A backup that is taken under load, restored on a disk that was lost, and joined to the others. */

import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { join } from "node:path";
import { chat } from "../../client/testing/chat_process.ts";
import { CONVERGENCE_MS_MAX, scenario } from "../testing/town.ts";
import { askNode } from "./control.ts";

scenario(
  "a backup under load, restored and joined: nothing lost, nothing back, all equal",
  async (town) => {
    const { cluster } = town;
    const node = cluster.node(2);
    const doomed = await town.send(0, "deleted after the backup");
    const gone = await town.send(2, "deleted before it");
    await town.delete(0, gone.id);
    await cluster.converged(CONVERGENCE_MS_MAX);

    const writing = { isOver: false, contents: [] as string[] };
    const writers = Promise.all([0, 1, 2].map(async (index) => {
      for (let count = 0; !writing.isOver; count++) {
        const content = `under load, ${index} ${count}`;
        await town.send(index, content);
        writing.contents.push(content);
      }
    }));
    const before = await town.send(2, "acknowledged before the backup");
    const backup = join(node.data, "..", "backup");
    const where = ["--node", node.name, "--data", node.data];
    const [made] = await Promise.all([
      chat(["backup", backup, ...where]),
      askNode(node.data, { command: "compact" }),
    ]);
    assertEquals(made.code, 0, made.stderr);
    writing.isOver = true;
    await writers;
    await town.delete(0, doomed.id);

    await node.stop("SIGKILL");
    await node.wipe();
    const tried = await chat(["restore", backup, ...where, "--dry-run"]);
    assertEquals(tried.code, 0, tried.stderr);
    const restored = await chat(["restore", backup, ...where]);
    assertEquals(restored.code, 0, restored.stderr);
    const lines = await linesOf(node.data);
    assert(lines.includes(before.id), "the backup lacks what was acknowledged before it");

    await node.start();
    await cluster.converged(CONVERGENCE_MS_MAX);
    const contents = await town.contents(2);
    for (const content of writing.contents) assert(contents.includes(content), content);
    assertEquals(contents.length, writing.contents.length + 1);
    // Its new operations are of a new epoch, and reach the others.
    await town.send(2, "after it");
    await cluster.converged(CONVERGENCE_MS_MAX);
    const { origin } = await node.status();
    const epochs = [...(await node.status()).vector.keys()].filter((one) =>
      one.startsWith("node3.")
    );
    assertGreaterOrEqual(epochs.length, 2);
    assert(epochs.includes(origin));
  },
);

async function linesOf(directory: string): Promise<string> {
  let text = "";
  for await (const { name } of Deno.readDir(directory)) {
    if (name.endsWith(".jsonl")) text += await Deno.readTextFile(join(directory, name));
  }
  return text;
}
