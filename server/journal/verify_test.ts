import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Entry } from "../core/state_record.ts";
import { contentsOf, fill, inTempDirectory, messages, open } from "../testing/journal_fixture.ts";
import { account, ANN, BOB, deleted, JournalNode, read, sent } from "../testing/journal_node.ts";
import { denoFiles } from "./deno_files.ts";
import type { Files } from "./files.ts";
import { openData, type Position } from "./opened_data.ts";
import { Tally } from "./tally.ts";
import { describeFault, type Fault, type Verification, verifyData } from "./verify.ts";

const JOURNAL_1 = "journal-00000001.jsonl";
const JOURNAL_2 = "journal-00000002.jsonl";
const JOURNAL_3 = "journal-00000003.jsonl";
const JOURNAL_4 = "journal-00000004.jsonl";
const SNAPSHOT_2 = "snapshot-00000002.jsonl";

Deno.test("verifyData() finds nothing wrong with a node's data, and makes its digest of it", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filledNode(directory);
    const { digest } = node.summary;
    const vector = String(node.state.vector);
    await node.close();
    const before = await contentsOf(directory);
    const { faults, found, tally } = await verified(directory);
    assertEquals(faults, []);
    assertEquals(found.files, 4);
    assertEquals(found.operations, 8);
    assertEquals([tally.digest, String(tally.vector)], [digest, vector]);
    assertEquals(String(found.vector), vector);
    assertEquals([tally.messages, tally.accounts], [9, 2]);
    const sizes = [JOURNAL_2, JOURNAL_3, JOURNAL_4, SNAPSHOT_2]
      .map((name) => before.get(name)?.length ?? 0);
    assertEquals(found.bytes, sizes.reduce((sum, bytes) => sum + bytes));
    assertEquals(await contentsOf(directory), before);
  });
});

Deno.test("verifyData() counts deleted texts that are on disk until the journal is compacted", async () => {
  await inTempDirectory(async (directory) => {
    const node = await JournalNode.open(directory);
    await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2), sent(3));
    await node.write(deleted(1, 3));
    assertEquals((await verified(directory)).tally.deletedTexts, 2);
    await node.compact();
    assertEquals((await verified(directory)).tally.deletedTexts, 0);
    await node.close();
  });
});

/** What is done to a directory of a snapshot and three segments, and what is found then. */
const DAMAGES: [string, (directory: string) => Promise<void>, RegExp[]][] = [
  ["a changed byte", (directory) => change(directory, JOURNAL_3, "text <6>", "text <7>"), [
    /journal-00000003.jsonl:2 byte \d\d: a wrong checksum: it says \w{8}, its bytes give \w{8}$/,
    /journal-00000003.jsonl:3 byte \d+: operation 10 of node1.e\d+ where 9 is due$/,
  ]],
  ["three changed bytes", async (directory) => {
    await change(directory, SNAPSHOT_2, "text <2>", "text <1>");
    await change(directory, JOURNAL_2, "text <5>", "text <1>");
    await change(directory, JOURNAL_4, "text <9>", "text <1>");
  }, [
    /snapshot-00000002.jsonl:\d byte \d+: a wrong checksum/,
    /journal-00000002.jsonl:3 byte \d+: a wrong checksum/,
    /journal-00000003.jsonl:2 byte \d+: operation 9 of node1.e\d+ where 8 is due/,
    /journal-00000004.jsonl:4 byte \d+: a wrong checksum/,
    /journal-00000004.jsonl:5 byte \d+: operation 14 of node1.e\d+ where 13 is due/,
  ]],
  [
    "a byte that is no UTF-8",
    (directory) => resealed(directory, JOURNAL_2, "ann", "\xff\xff\xff"),
    [
      /journal-00000002.jsonl:2 byte \d+: a record that cannot be understood \(not UTF-8\)/,
      /journal-00000002.jsonl:3 byte \d+: operation 8 of node1.e\d+ where 7 is due/,
    ],
  ],
  ["what is no JSON", (directory) => resealed(directory, JOURNAL_2, '"sender":', '"sender"-'), [
    /journal-00000002.jsonl:2 byte \d+: a record that cannot be understood \(not JSON/,
    /operation 8/,
  ]],
  ["a field that is missing", (directory) => resealed(directory, JOURNAL_2, "sender", "Sender"), [
    /a record that cannot be understood \(expected sender to be a string, found nothing\)/,
    /operation 8/,
  ]],
  ["an origin that would move a terminal's cursor", async (directory) => {
    await resealed(directory, JOURNAL_2, '"origin":"', '"origin":"\\u001b[2J');
  }, [
    /journal-00000002.jsonl:2 byte \d+: operation 7 of \\u\{1b\}\[2Jnode1.e\d+ where 1 is due/,
    /journal-00000002.jsonl:3 byte \d+: operation 8 of node1.e\d+ where 7 is due/,
    /journal-00000003.jsonl:1 byte 0: that the segment before it had \d+ bytes, where it has/,
  ]],
  ["a segment that is missing", (directory) => Deno.remove(join(directory, JOURNAL_3)), [
    /journal-00000003.jsonl: missing/,
    /journal-00000004.jsonl:2 byte \d+: operation 11 of node1.e\d+ where 9 is due/,
  ]],
  ["the last segment missing", (directory) => Deno.remove(join(directory, JOURNAL_4)), [
    /journal-00000004.jsonl: missing, though node.json says that it was written to last/,
  ]],
  ["the snapshot missing", (directory) => Deno.remove(join(directory, SNAPSHOT_2)), [
    /journal-00000001.jsonl: missing/,
    /journal-00000002.jsonl:2 byte \d+: operation 7 of node1.e\d+ where 1 is due/,
  ]],
  ["a segment that lost its end", (directory) => cut(directory, JOURNAL_3, 1), [
    /journal-00000003.jsonl:3 byte \d+: an incomplete batch where all is complete/,
    /journal-00000004.jsonl:1 byte 0: that the segment before it had \d+ bytes, where it has \d+/,
    /journal-00000004.jsonl:2 byte \d+: operation 11 of node1.e\d+ where 10 is due/,
  ]],
  ["a snapshot that lost its last batch", (directory) => cut(directory, SNAPSHOT_2, 1), [
    /snapshot-00000002.jsonl:\d byte \d+: an incomplete batch/,
    /snapshot-00000002.jsonl:\d+ byte \d+: no end of the snapshot/,
    /journal-00000002.jsonl:2 byte \d+: operation 7 of node1.e\d+ where 1 is due/,
  ]],
  ["a first line of another segment", async (directory) => {
    await Deno.copyFile(join(directory, JOURNAL_4), join(directory, JOURNAL_3));
  }, [
    /journal-00000003.jsonl:1 byte 0: another first line than that of a journal/,
    /journal-00000003.jsonl:2 byte \d+: operation 11 of node1.e\d+ where 9 is due/,
    /journal-00000004.jsonl:1 byte 0: that the segment before/,
    /journal-00000004.jsonl:2 byte \d+: operation 11 of node1.e\d+ a second time/,
    /journal-00000004.jsonl:3 byte \d+: operation 12 of node1.e\d+ a second time/,
    /journal-00000004.jsonl:4 byte \d+: operation 13 of node1.e\d+ a second time/,
    /journal-00000004.jsonl:5 byte \d+: operation 14 of node1.e\d+ a second time/,
  ]],
  ["an empty segment", (directory) => Deno.truncate(join(directory, JOURNAL_3)), [
    /journal-00000003.jsonl:1 byte 0: no first line/,
    /journal-00000004.jsonl:1 byte 0: that the segment before/,
    /operation 11 of/,
  ]],
  ["a last segment that lost what was synced", async (directory) => {
    // node.json says how far the last segment was on disk when the node was opened.
    await (await JournalNode.open(directory)).close();
    await Deno.truncate(join(directory, JOURNAL_4), await batchesEnd(directory, JOURNAL_4, -2));
  }, [
    /journal-00000004.jsonl:5 byte \d+: the end of the file where \d+ more bytes were synced once/,
  ]],
  ["a damaged node.json", (directory) => change(directory, "node.json", "epoch", "epoce"), [
    /node.json: damaged \(it is not what was written\)/,
  ]],
  ["a node.json of a newer version", async (directory) => {
    await resealed(directory, "node.json", '"format":1', '"format":2');
  }, [/node.json: damaged \(.*it has format 2, this version of chat knows 1/]],
];

for (const [name, damage, expected] of DAMAGES) {
  Deno.test(`verifyData() tells of ${name}, and goes on`, async () => {
    await inTempDirectory(async (directory) => {
      await (await filledNode(directory)).close();
      await damage(directory);
      const { faults } = await verified(directory);
      const lines = faults.map(describeFault);
      assertEquals(lines.length, expected.length, lines.join("\n"));
      for (const [index, line] of lines.entries()) {
        assertMatch(line, expected[index] ?? /^$/);
        assert(line.startsWith(`${directory}/`), line);
      }
    });
  });
}

Deno.test("verifyData() finds every changed byte of a snapshot and its segments", async () => {
  await inTempDirectory(async (directory) => {
    await (await filledNode(directory)).close();
    for (const name of [SNAPSHOT_2, JOURNAL_2, JOURNAL_4, "node.json"]) {
      const path = join(directory, name);
      const bytes = await Deno.readFile(path);
      for (let at = 0; at < bytes.length; at += 3) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x04;
        await Deno.writeFile(path, changed);
        const { faults } = await verified(directory);
        assert(faults.some((fault) => fault.path === path), `${name}, byte ${at}`);
      }
      await Deno.writeFile(path, bytes);
    }
  });
});

Deno.test("verifyData() says what a crash left, and that it is no fault", async () => {
  await inTempDirectory(async (directory) => {
    const { ends } = await fill(directory, [messages(2), messages(2, 3)]);
    const end = ends.at(-1) ?? 0;
    await Deno.truncate(join(directory, JOURNAL_1), end - 1);
    const newline = await verified(directory);
    assertEquals([newline.faults, newline.found.tail?.kind], [[], "lacks_newline"]);
    assertEquals(newline.found.operations, 4);
    await Deno.truncate(join(directory, JOURNAL_1), end - 2);
    const torn = await verified(directory);
    assertEquals(torn.faults, []);
    assertEquals([torn.found.tail?.kind, torn.found.tail?.at], ["torn", ends.at(-2)]);
    assertEquals(torn.found.operations, 2);
    // As the next start does it.
    const opened = await open(directory);
    assertEquals(opened.report.cut?.at, ends.at(-2));
    await opened.close();
  });
});

Deno.test("verifyData() takes a segment that was made and not begun for what it is", async () => {
  await inTempDirectory(async (directory) => {
    await fill(directory, [messages(2)]);
    for (const bytes of [0, 20]) {
      await Deno.writeFile(join(directory, JOURNAL_2), new Uint8Array(bytes));
      const { faults, found } = await verified(directory);
      assertEquals([faults, found.unbegun, found.operations], [[], JOURNAL_2, 2]);
    }
    await (await open(directory)).close();
  });
});

Deno.test("verifyData() looks no further than a running node has got", async () => {
  await inTempDirectory(async (directory) => {
    const { ends } = await fill(directory, [messages(2), messages(2, 3)]);
    const until = async (bytes: number) => {
      const ask = () => Promise.resolve({ segment: 1, bytes });
      return await verified(directory, { ask });
    };
    const first = await until(ends[1] ?? 0);
    assertEquals([first.faults, first.found.operations], [[], 2]);
    const middle = await until((ends[1] ?? 0) + 5);
    assertMatch(describeFault(middle.faults[0] ?? NOTHING), /an incomplete batch where all is/);
    const beyond = await until((ends[2] ?? 0) + 5);
    assertMatch(
      describeFault(beyond.faults[0] ?? NOTHING),
      /:6 byte \d+: the end of the file where 5 more bytes were synced once/,
    );
  });
});

Deno.test("verifyData() gives all intact entries, and says before which something is missing", async () => {
  await inTempDirectory(async (directory) => {
    await (await filledNode(directory)).close();
    const whole = (await verified(directory)).given;
    assert(whole.every(({ isAfterFault }) => !isAfterFault));
    await change(directory, JOURNAL_2, "text <5>", "text <1>");
    await Deno.remove(join(directory, JOURNAL_3));
    const { given, faults } = await verified(directory);
    const isGone = ({ seq }: Entry) => [8, 9, 10].includes(seq);
    assertEquals(
      given.map(({ entry }) => entry),
      whole.map(({ entry }) => entry).filter((entry) => !isGone(entry)),
    );
    assertEquals(
      given.filter(({ isAfterFault }) => isAfterFault).map(({ entry }) => entry.seq),
      [11],
    );
    const { missing } = faults.at(-1) ?? NOTHING;
    assertEquals([missing?.from, missing?.to], [8, 10]);
  });
});

Deno.test("openData() begins again when a compaction removes what it is opening", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filledNode(directory);
    let compactions = 0;
    const files: Files = {
      ...denoFiles,
      async open(path, mode) {
        if (path.endsWith(".jsonl") && compactions < 3) {
          compactions++;
          await node.compact();
        }
        return await denoFiles.open(path, mode);
      },
    };
    const { faults, tally } = await verified(directory, { files });
    assertEquals([faults, tally.digest, compactions], [[], node.summary.digest, 3]);
    await node.close();
  });
});

Deno.test("openData() asks the node again when a snapshot may have what came after its answer", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filledNode(directory);
    const digests: string[] = [];
    const answer = () => {
      const { number: segment, headerBytes, bytes } = node.directory.journal.current;
      digests.push(node.state.digest);
      return { segment, bytes: headerBytes + bytes };
    };
    const ask = async () => {
      let position: Position | undefined;
      const meanwhile = once(async () => {
        position = answer();
        // The snapshot has that already, though it stands for no more than the segments before.
        await node.write(deleted(9));
      });
      if (digests.length === 0) await node.compact({ meanwhile });
      return position ?? answer();
    };
    const { faults, tally } = await verified(directory, { ask });
    assertEquals([faults, tally.digest], [[], digests.at(-1)]);
    assertEquals(digests.length, 2);
    await node.close();
  });
});

Deno.test("openData() reads on what a compaction removes after it was opened", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filledNode(directory);
    const { digest } = node.summary;
    const data = await openData(denoFiles, directory, noNode);
    await node.write(sent(50));
    await node.compact();
    const tally = new Tally(1);
    const found = await verifyData(data, {
      onFault: (fault) => Promise.reject(new Error(describeFault(fault))),
      onEntry: ({ entry }) => tally.add(entry),
    });
    data.close();
    assertEquals([found.files, tally.digest], [4, digest]);
    await node.close();
  });
});

const NOTHING: Fault = { path: "", found: "nothing" };
const noNode = () => Promise.resolve(undefined);

/** A snapshot of 6 operations, and segments with 2, 2 and 4 more: the last in several batches. */
async function filledNode(directory: string): Promise<JournalNode> {
  const node = await JournalNode.open(directory);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2));
  await node.write(sent(3), read(2));
  await node.compact();
  await node.write(sent(4));
  await node.write(sent(5));
  await node.directory.journal.rotate();
  await node.write(sent(6));
  await node.write(sent(7));
  await node.directory.journal.rotate();
  await node.write(sent(8), read(4));
  await node.write(sent(9));
  await node.write(read(5));
  return node;
}

function once(action: () => Promise<unknown>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await action();
  };
}

async function verified(
  directory: string,
  { files = denoFiles, ask = noNode }: {
    readonly files?: Files;
    readonly ask?: () => Promise<Position | undefined>;
  } = {},
) {
  const data = await openData(files, directory, ask);
  const faults: Fault[] = [];
  const given: { entry: Entry; isAfterFault: boolean }[] = [];
  const tally = new Tally(1);
  const found: Verification = await verifyData(data, {
    onFault: (fault) => Promise.resolve(void faults.push(fault)),
    onEntry({ entry, isAfterFault }) {
      given.push({ entry, isAfterFault });
      tally.add(entry);
    },
  });
  data.close();
  assertEquals(found.faults, faults.length);
  assertGreater(given.length, 0);
  return { faults, found, given, tally };
}

async function change(directory: string, name: string, from: string, to: string): Promise<void> {
  const path = join(directory, name);
  const text = await Deno.readTextFile(path);
  assert(text.includes(from), `${name} holds no ${from}`);
  await Deno.writeTextFile(path, text.replace(from, to));
}

/** Changes the second line, or the only one, and gives it a checksum that is right. */
async function resealed(directory: string, name: string, from: string, to: string): Promise<void> {
  const path = join(directory, name);
  const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
  const lines = text.split("\n");
  const index = lines.length > 2 ? 1 : 0;
  const line = lines[index] ?? "";
  assert(line.includes(from));
  const body = line.replace(from, to).replace(/,"crc":"\w{8}"\}$/, "");
  const crc = crc32(latin1(body)).toString(16).padStart(8, "0");
  lines[index] = `${body},"crc":"${crc}"}`;
  await Deno.writeFile(path, latin1(lines.join("\n")));
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

async function cut(directory: string, name: string, bytes: number): Promise<void> {
  const path = join(directory, name);
  await Deno.truncate(path, (await Deno.stat(path)).size - bytes);
}

/** Where a file's n-th line ends: -2 is the last but one. */
async function batchesEnd(directory: string, name: string, line: number): Promise<number> {
  const lines = (await Deno.readTextFile(join(directory, name))).split("\n").slice(0, -1);
  return lines.slice(0, line + 1 || undefined).join("\n").length + 1;
}
