import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { apply } from "../core/apply.ts";
import type { Entry } from "../core/state_record.ts";
import { ChatState } from "../core/state.ts";
import { inTempDirectory } from "../testing/journal_fixture.ts";
import { account, ANN, BOB, deleted, JournalNode, read, sent } from "../testing/journal_node.ts";
import { seen } from "../testing/observe.ts";
import { nameLines, readLines } from "./lines.ts";
import { openState, type StateSource } from "./state_reader.ts";

Deno.test("openState() reads the snapshot: all that a node without data needs before the journal", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    const known = node.summary;
    await node.compact();
    await node.write(sent(50), deleted(2));
    const source = await openState(node.directory);
    const { state, vector } = merged(await readAll(source, 500));
    assertEquals({ digest: state.digest, seen: seen(state) }, known);
    assertEquals(source.vector.toString(), vector);
    // The journal goes on just there.
    const at = node.directory.index.placeOf(source.vector, () => true);
    assertEquals(at, node.directory.index.start);
    const lines = await node.directory.openReader().read(at ?? 0, 1e6);
    for (const entry of readLines(lines ?? new Uint8Array(0))) apply(state, entry);
    assertEquals({ digest: state.digest, seen: seen(state) }, node.summary);
    source.close();
    await node.close();
  });
});

Deno.test("openState() has nothing of a journal that operations can all be read from", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    const source = await openState(node.directory);
    assertEquals([source.bytes, source.vector.toString()], [0, ""]);
    assertEquals(await source.read(0, 100), new Uint8Array(0));
    source.close();
    await node.close();
  });
});

Deno.test("openState() reads on in the journal up to the end of a state that was merged there", async () => {
  await inTempDirectory(async (directory) => {
    const [node, other] = [await filled(`${directory}-1`), await filled(`${directory}-2`)];
    await other.write(sent(60), sent(61));
    await other.compact();
    await node.compact();
    await node.write(sent(70));
    const records = readLines(await readAll(await openState(other.directory), 1e6));
    for (const record of records) apply(node.state, record);
    await node.directory.journal.writeBatch(records.slice(0, 3));
    await node.directory.journal.rotate();
    await node.directory.journal.writeBatch(records.slice(3));
    await node.write(sent(71));
    for (const again of [false, true]) {
      const current = again ? await JournalNode.open(`${directory}-1`) : node;
      const source = await openState(current.directory);
      assertEquals(source.vector.seqOf(other.origin), other.state.vector.seqOf(other.origin));
      for (const bytesMax of [1, 400, 1e6]) {
        const { state } = merged(await readAll(source, bytesMax));
        const lines = await current.directory.openReader().read(current.directory.index.start, 1e6);
        for (const entry of readLines(lines ?? new Uint8Array(0))) apply(state, entry);
        assertEquals({ digest: state.digest, seen: seen(state) }, current.summary);
      }
      source.close();
      await current.close();
    }
    await other.close();
  });
});

Deno.test("StateSource.read() can go on from the end of any line", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    await node.compact();
    const source = await openState(node.directory);
    const all = await readAll(source, 1e6);
    assertEquals(all.length, source.bytes);
    for (const end of [0, ...nameLines(all).ends]) {
      const rest = await source.read(end, 1e6);
      assertEquals(rest, all.slice(end), `from ${end}`);
    }
    source.close();
    await node.close();
  });
});

Deno.test("StateSource.read() goes on after a compaction, and another source has another id", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    await node.compact();
    const source = await openState(node.directory);
    const same = await openState(node.directory);
    assertEquals(same.id, source.id);
    same.close();
    const first = await source.read(0, 300);
    assert(first !== undefined);
    await node.write(sent(80));
    await node.compact();
    const other = await openState(node.directory);
    assertNotEquals(other.id, source.id);
    const rest = await source.read(first.length, 1e6);
    const whole = Uint8Array.from([...first, ...rest ?? []]);
    assertEquals(whole.length, source.bytes);
    assertEquals(merged(whole).vector, source.vector.toString());
    for (const one of [source, other]) one.close();
    await node.close();
  });
});

async function readAll(source: StateSource, bytesMax: number): Promise<Uint8Array> {
  const parts: number[] = [];
  while (parts.length < source.bytes) {
    const some = await source.read(parts.length, bytesMax);
    assert(some !== undefined && some.length > 0);
    // Not much more than was asked for, or than the first line takes.
    assert(some.length <= Math.max(bytesMax, 2 * (nameLines(some).ends[0] ?? 0)));
    parts.push(...some);
  }
  assertEquals((await source.read(parts.length, bytesMax))?.length, 0);
  return Uint8Array.from(parts);
}

/** What the lines make of an empty state. */
function merged(lines: Uint8Array): { state: ChatState; vector: string } {
  const state = new ChatState();
  let last: Entry | undefined;
  for (const entry of readLines(lines)) {
    apply(state, entry);
    last = entry;
  }
  assertEquals(last?.kind, "coverage");
  return { state, vector: state.vector.toString() };
}

async function filled(directory: string): Promise<JournalNode> {
  const node = await JournalNode.open(directory);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2), sent(3));
  await node.write(read(2), deleted(3), deleted(40), read(41));
  return node;
}

Deno.test("openState() reads the snapshot that is there once it is open, whatever replaced it meanwhile", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    await node.compact();
    const before = await openState(node.directory);
    let compacting: Promise<unknown> | undefined;
    const { files } = node.directory;
    const racing: typeof files = {
      ...files,
      async open(path, mode) {
        if (compacting === undefined) {
          await (compacting = node.write(sent(50)).then(() => node.compact()));
        }
        return await files.open(path, mode);
      },
    };
    const source = await openState({
      ...node.directory,
      files: racing,
      get snapshot() {
        return node.directory.snapshot;
      },
    });
    assertNotEquals(source.id, before.id);
    const { state } = merged(await readAll(source, 1e6));
    assertEquals({ digest: state.digest, seen: seen(state) }, node.summary);
    for (const one of [before, source]) one.close();
    await node.close();
  });
});
