import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { chat } from "../../client/testing/chat_process.ts";
import { apply } from "../core/apply.ts";
import type { Operation } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import { VersionVector } from "../core/version_vector.ts";
import {
  accountLine,
  ALICE,
  BOB,
  bodyOf,
  exportOf,
  exportWith,
  messageLine,
} from "../testing/export_fixture.ts";
import { runOperator } from "../testing/operator_run.ts";
import { Scratch } from "../testing/scratch.ts";
import { testServer } from "../testing/test_server.ts";
import { type ExportLine, exportLine } from "./export_line.ts";
import { Importer } from "./importer.ts";

Deno.test("chat import refuses lines by number, and takes all others", async () => {
  await using scratch = await Scratch.make();
  const message = messageLine(1);
  const lines: (ExportLine | string)[] = [
    { kind: "start", node: "n", timeMs: 1 },
    accountLine(ALICE, "alice"),
    accountLine(BOB, "bob"),
    `{"id":"zebra\u001b[31m`,
    withFields(message, { content: "" }),
    withFields(message, { content: "a\0b" }),
    withFields(message, { content: "x".repeat(64 * 1024 + 1) }),
    withFields(message, { content: "\ud800" }),
    withFields(message, { id: `${ALICE}.short` }),
    withFields(message, { status: "gone" }),
    withFields(message, { time: 1e300 }),
    withFields(message, { time: 253_402_300_800_000 }),
    withFields(message, { tick: 2 ** 32 }),
    withFields(message, { recipientAccount: "12345678abcd" }),
    withFields(accountLine("12345678abcd", "carol"), { name: "a\u200bb" }),
    withFields(accountLine("12345678abcd", "carol"), { name: "x~a1b2c3" }),
    withFields(accountLine("12345678abcd", "carol"), { account: "UPPERCASE123" }),
    withFields(accountLine("12345678abcd", "carol"), { password: "scrypt$1048576$8$9999$AA$A" }),
    withFields(accountLine("12345678abcd", "carol"), { generation: 0 }),
    withFields(accountLine(ALICE, "alice"), { name: "mallory" }),
    "[]",
    "null",
    `{"zebra":1}`,
    "x".repeat(600_000),
    "",
    message,
    withFields(message, { content: "another text" }),
    { kind: "start", node: "n", timeMs: 1 },
    { kind: "end", accounts: 8, messages: 17 },
    messageLine(2),
  ];
  const text = lines.map((line) => typeof line === "string" ? `${line}\n` : exportLine(line));
  const data = scratch.path("data");
  const run = await runOperator("import", await scratch.write(text.join("")), "--data", data);
  assertEquals(run.code, 1);
  assertStringIncludes(run.stdout, "accounts: 2 new, 0 known, 1 refused\n");
  assertStringIncludes(run.stdout, "messages: 1 new, 0 known, 2 refused\n");
  assertNotMatch(run.stderr, /zebra|[^\P{Cc}\n]/u);
  const refused = run.stderr.matchAll(/^chat: line (\d+): /gm).map(([, number]) => Number(number));
  const good = [1, 2, 3, 25, 26, 29];
  const expected = lines.map((_, index) => index + 1).filter((number) => !good.includes(number));
  assertEquals([...refused], expected);
  const { stdout } = await runOperator("export", "--data", data);
  assertEquals(
    bodyOf(stdout),
    bodyOf(exportOf(accountLine(ALICE, "alice"), accountLine(BOB, "bob"), message)),
  );
});

Deno.test("chat import takes content at its limit, and refuses one byte more", async () => {
  await using scratch = await Scratch.make();
  const accounts = [accountLine(ALICE, "alice"), accountLine(BOB, "bob")];
  const at = { ...messageLine(1), content: `${"ü".repeat(32 * 1024)}` } as ExportLine;
  const over = { ...messageLine(2), content: `${"ü".repeat(32 * 1024)}x` } as ExportLine;
  const escaped = { ...messageLine(3), content: "\u0001".repeat(64 * 1024) } as ExportLine;
  const file = await scratch.write(exportOf(...accounts, at, over, escaped));
  const { stdout } = await runOperator("import", file, "--data", scratch.path("data"));
  assertStringIncludes(stdout, "messages: 2 new");
});

Deno.test("chat import refuses what is no export, and makes no directory for it", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const whole = exportWith(1);
  const wrong: [string, RegExp][] = [
    ["", /it is empty/],
    ["hello\n", /not JSON/],
    [bodyOf(whole), /it does not begin with a line such as/],
    [whole.replace(`"export":1`, `"export":2`), /an export of version 2/],
    ["\xff", /not JSON/],
    ["x".repeat(1_000_000), /more than/],
  ];
  for (const [text, why] of wrong) {
    const run = await runOperator("import", await scratch.write(text), "--data", data);
    assertEquals([run.code, run.stdout], [1, ""]);
    assertMatch(run.stderr, why);
  }
  const missing = await runOperator("import", scratch.path("missing"), "--data", data);
  assertMatch(missing.stderr, /Cannot read .*missing: No such file/);
  assertEquals((await runOperator("export", "--data", data)).code, 1);
});

Deno.test("chat import says that a file's end is missing, and has all that is there", async () => {
  await using scratch = await Scratch.make();
  const whole = exportWith(10);
  const cut = whole.slice(0, whole.lastIndexOf(`{"end"`));
  const run = await runOperator("import", await scratch.write(cut), "--data", scratch.path("data"));
  assertEquals(run.code, 1);
  assertStringIncludes(run.stdout, "messages: 10 new");
  assertStringIncludes(run.stderr, "the file may not be complete: its last line is missing");
  const lines = whole.split("\n");
  const fewer = lines.toSpliced(5, 1).join("\n");
  const again = await runOperator(
    "import",
    await scratch.write(fewer),
    "--data",
    scratch.path("data"),
  );
  assertStringIncludes(again.stderr, "its last line tells of 12 lines, 11 were found");
});

Deno.test("chat import keeps the node that the data is of", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const file = await scratch.write(exportWith(1));
  await runOperator("import", file, "--node", "node7", "--data", data);
  const other = await runOperator("import", file, "--node", "node8", "--data", data);
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, `as node8: it is of node7`);
  const same = await runOperator("import", await scratch.write(exportWith(2)), "--data", data);
  assertEquals(same.code, 0);
  assertNotMatch(same.stderr, /started a new epoch/);
  assertEquals(JSON.parse(await Deno.readTextFile(`${data}/node.json`)).node, "node7");
});

Deno.test("Importer takes the password that knew of more changes, then the later one", () => {
  const importer = testImporter();
  const line = accountLine(ALICE, "alice");
  assertEquals(importer.take(line), "new");
  const hash = (letter: string) => `scrypt$16$1$1$${"A".repeat(22)}$${letter.repeat(42)}A`;
  const withPassword = (letter: string, version: number, timeMs: number) =>
    ({
      ...line,
      password: { hash: hash(letter), version, changed: { timeMs, tick: 0 } },
    }) as ExportLine;
  const shown = () => importer.state.accounts.get(ALICE).password?.hash.at(-2);
  const tries: [string, number, number, string][] = [
    ["B", 3, 10, "B"],
    ["C", 2, 99, "B"],
    ["D", 3, 10, "B"],
    ["E", 3, 11, "E"],
    ["F", 4, 1, "F"],
  ];
  for (const [letter, version, timeMs, expected] of tries) {
    assertEquals(importer.take(withPassword(letter, version, timeMs)), "known");
    assertEquals(shown(), expected);
  }
  const created = testImporter();
  assertEquals(created.take(withPassword("B", 5, 10)), "new");
  assertEquals(created.state.accounts.get(ALICE).password?.version, 5);
});

Deno.test("Importer takes what is missing of an export that was here once as deleted and forgotten", () => {
  const lines = [accountLine(ALICE, "alice"), accountLine(BOB, "bob"), messageLine(1)];
  const source = testImporter();
  for (const line of lines) assertEquals(source.take(line), "new");
  const vector = source.state.vector.copy();
  // As after a compaction that forgot the message.
  const state = new ChatState();
  for (const operation of source.written()) {
    if (operation.kind === "message_sent") state.vector.advance(operation.origin, operation.seq);
    else apply(state, operation);
  }
  assertEquals(testImporter(state, vector).take(messageLine(1)), "deleted");
  assertEquals(testImporter(state).take(messageLine(1)), "new");
  const ahead = vector.copy();
  ahead.advance("other.e", 1);
  assertEquals(testImporter(state, ahead).take(messageLine(2)), "new");
  assertEquals(testImporter(state, new VersionVector()).take(messageLine(3)), "new");
});

Deno.test("chat import survives whatever is done to a file, and never takes half of a line", async () => {
  await using scratch = await Scratch.make();
  const original = new TextEncoder().encode(exportWith(12));
  let seed = 1;
  const random = (below: number) => {
    seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const known = new Set(exportWith(12).split("\n"));
  for (let round = 0; round < 300; round++) {
    const bytes = mutate(original, random);
    const file = scratch.path("mutated");
    await Deno.writeFile(file, bytes);
    const data = scratch.path(`data-${round}`);
    const run = await runOperator("import", file, "--data", data);
    const exported = await runOperator("export", "--data", data);
    if (run.stdout === "") {
      assertEquals([run.code, exported.code], [1, 1]);
      continue;
    }
    assertEquals(exported.code, 0, exported.stderr);
    const counts = run.stdout.matchAll(/(\d+) new/g).map(([, count]) => Number(count)).toArray();
    assertEquals(JSON.parse(exported.stdout.trimEnd().split("\n").at(-1) ?? ""), {
      end: 1,
      accounts: counts[0],
      messages: counts[1],
    });
    const again = await runOperator("import", file, "--data", data);
    assertMatch(again.stdout, /^accounts: 0 new.*\nmessages: 0 new/);
    // Nearly always one line at most differs: the others are as they were.
    const lines = exported.stdout.trimEnd().split("\n").slice(1);
    assert(lines.filter((line) => known.has(line)).length > 0 || lines.length <= 3);
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("chat export and chat import are commands with help, exit codes and standard input", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const [help, wrong, unknown, piped] = await Promise.all([
    chat(["import", "--help"]),
    chat(["import"]),
    chat(["export", "--zebra"]),
    chat(["import", "-", "--data", data], { stdin: exportWith(3) }),
  ]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^SYNOPSIS\n {4}chat import \[options\] FILE\n/m);
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertEquals(
    piped.stdout,
    "accounts: 2 new, 0 known, 0 refused\nmessages: 3 new, 0 known, 0 refused\n",
  );
  assertEquals(piped.code, 0);
  await using _server = await testServer({ directory: data });
  const [exported, refused] = await Promise.all([
    chat(["export", "--data", data]),
    chat(["import", "-", "--data", data], { stdin: exportWith(4) }),
  ]);
  assertEquals([exported.code, bodyOf(exported.stdout)], [0, bodyOf(exportWith(3))]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "another chat serve has it open");
});

/** The line with some of its fields changed. */
function withFields(line: ExportLine, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(exportLine(line)), ...fields });
}

function testImporter(state = new ChatState(), exported = new VersionVector()) {
  const all: Operation[] = [];
  const importer = new Importer({
    state,
    exported,
    origin: () => "n.e",
    now: () => ({ timeMs: 1, tick: 0 }),
    write: (operations) => Promise.resolve(void all.push(...operations)),
    note() {},
  });
  return {
    state,
    take(line: ExportLine) {
      if (line.kind === "account") return importer.takeAccount(line);
      if (line.kind === "message") return importer.takeMessage(line);
      throw new Error(`Cannot take a line of kind ${line.kind}`);
    },
    written() {
      void importer.flush();
      return all;
    },
  };
}

/** Flips bits, cuts, repeats, swaps and inserts. */
function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  for (let count = 1 + random(3); count > 0; count--) {
    const [a, b] = [random(bytes.length), random(bytes.length)].sort((x, y) => x - y);
    if (a === undefined || b === undefined) break;
    switch (random(6)) {
      case 0:
        bytes[a] = (bytes[a] ?? 0) ^ 1 << random(8);
        break;
      case 1:
        bytes = bytes.slice(0, b);
        break;
      case 2:
        bytes = joined(bytes.subarray(0, a), bytes.subarray(Math.min(b, a + random(200))));
        break;
      case 3:
        bytes = joined(bytes.subarray(0, b), bytes.subarray(a, a + 500), bytes.subarray(b));
        break;
      case 4:
        bytes[a] = random(256);
        break;
      default:
        bytes = joined(bytes.subarray(0, a), TOKENS[random(TOKENS.length)], bytes.subarray(a));
    }
  }
  return bytes;
}

const TOKENS = [
  "\0",
  "\n",
  `"`,
  "}",
  "[".repeat(50_000),
  "\\ud800",
  "-1",
  "1e999",
  "null",
  `"__proto__":{},`,
]
  .map((text) => new TextEncoder().encode(text));

function joined(...parts: readonly (Uint8Array | undefined)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part ?? []]));
}
