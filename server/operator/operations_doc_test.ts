/** docs/OPERATIONS.md: all that it tells to type is typed, and what it names is there. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { OPTIONS } from "../../client/commands/option_table.ts";
import { COMPACT_BYTES_MIN, COMPACT_EVERY_MS } from "../compactor.ts";
import { TIMED_KEY_KEPT_MS } from "../../codec/timed_key.ts";
import { ServerConfig } from "../config.ts";
import type { Operation } from "../core/operation.ts";
import { type Entry, NO_PLACE, type StateRecord } from "../core/state_record.ts";
import { LOCK, openDataDirectory } from "../journal/data_directory.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { StorageError } from "../journal/files.ts";
import { BACKUP_FILE, BACKUP_FILE_DRAFT, RESTORE_PREFIX } from "../journal/layout.ts";
import { NODE_FILE, NODE_FILE_DRAFT, writeNodeFile } from "../journal/node_file.ts";
import { encodeEntry } from "../journal/record.ts";
import { headerLine, segmentName } from "../journal/segment.ts";
import { KEY_CHARS } from "../journal/state_line.ts";
import { accountLine, ALICE, BOB, exportOf, messageLine } from "../testing/export_fixture.ts";
import { blocksOf, readPage, Typist } from "../testing/typed_page.ts";
import { statusOf } from "../testing/wire_client.ts";
import { CONTROL_SOCKET } from "./control.ts";
import { OPERATOR_OPTIONS } from "./command.ts";
import { operatorCommands } from "./table.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
const PAGE = await read("docs/OPERATIONS.md");
const README = await read("README.md");

Deno.test("docs/OPERATIONS.md can be typed as it is written, and keeps what it promises", async () => {
  await using typist = await Typist.begin(await read("servers.json"));
  const path = (name: string) => join(typist.directory, name);
  const exists = async (name: string) => await Deno.stat(path(name)).then(() => true, () => false);
  const equal = async (names: readonly string[], messages: number) => {
    const all = await Promise.all(
      names.map((name) => statusOf(typist.port(9000 + Number(name.slice(-1))))),
    );
    assertEquals(all.map((one) => one.node), names);
    assertEquals(new Set(all.map(({ digest }) => digest)).size, 1);
    assertEquals(all.map((one) => one.messages), names.map(() => messages));
    assertEquals(all.map((one) => one.peers.length), names.map(() => names.length - 1));
    assertEquals(all.flatMap(({ warnings }) => warnings), []);
  };
  const three = ["node1", "node2", "node3"];
  const checks: Record<string, (printed: string) => Promise<void>> = {
    async "1. What is in the data directory"(printed) {
      assertStringIncludes(printed, '"content":"the pump is on"');
      assertStringIncludes(printed, '{"operation":"read","ids":[');
      const said = filesNamed().map(withoutNumbers);
      assertEquals(new Set(await namesIn(path("data"))).difference(new Set(said)), new Set());
    },
    async "3. Compaction"(printed) {
      assertMatch(printed, /^bytes before \d+, after \d+\n/m);
      assert(await exists("data/node2/snapshot-00000002.jsonl"));
      await equal(three, 2);
    },
    async "4. Check and repair"(printed) {
      assertMatch(printed, /snapshot-00000002.jsonl:\d byte \d+: a wrong checksum: it says/);
      assertMatch(printed, /^repaired from node\d and node\d, with 0 operations/m);
      assert(await exists("data/node2/damaged-1/snapshot-00000002.jsonl"));
      assertEquals(await exists("data/node2/repair"), false);
      await equal(three, 2);
    },
    async "5. Backup and restore"(printed) {
      assertMatch(printed, /^could restore backups\/rehearsal of node1, made /m);
      assertMatch(printed, /^restored backups\/rehearsal of node1, made /m);
      assertMatch(printed, /alice: the pump is on\n/);
      await equal(three, 2);
      const [line = ""] = blocksOf(PAGE, "crontab");
      const command = /^\S+ \S+ \* \* \* (.*)\n$/.exec(line)?.[1] ?? "";
      await typist.type(command.replaceAll("\\%", "%").replace("/srv/chat", typist.directory));
      const made = (await Array.fromAsync(Deno.readDir(path("backups")))).map(({ name }) => name);
      const dated = made.find((name) => /^\d{4}-\d\d-\d\d$/.test(name));
      assert(await exists(`backups/${dated}/${BACKUP_FILE}`), made.join());
      assert(made.includes("rehearsal"));
    },
    async "6. Export and import"() {
      assertStringIncludes(await Deno.readTextFile(path("everything.jsonl")), '"password":');
      const own = await Deno.readTextFile(path("alice.jsonl"));
      assertEquals([own.includes('"password":'), own.includes('"name":"bob"')], [false, false]);
      assertMatch(own, /"end":1,"accounts":1,"messages":2}\n$/);
    },
    async "8. Replace a dead machine"(printed) {
      assertMatch(printed, /alice: sent while node3 was gone\n/);
      await equal(three, 3);
    },
    async "9. Add a node, remove a node"(printed) {
      assertStringIncludes(printed, "all 4 equal\n");
      assertEquals(await exists("data/node4"), false);
      await equal(three, 3);
    },
    async "10. Upgrade, one node at a time"() {
      await equal(three, 3);
    },
    async "13. Accounts"(printed) {
      const token = (await Deno.readTextFile(path("token.txt"))).trim();
      assertMatch(token, /^(?:[0-9a-z]{4}-){4}[0-9a-z]{4}$/);
      assertMatch(printed, /^(?:[0-9a-z]{4}-){4}[0-9a-z]{4}\n/);
      assertMatch(printed, /^alice +active .*\nbob +one-time token until .*\ncarol +one-time /m);
      assertStringIncludes(PAGE, "good for a week for a new account and for a day");
    },
    async "14. A cluster with TLS"(printed) {
      assertMatch(printed, /^renewed south: its certificate is valid until /m);
      assertStringIncludes(printed, "all 4 equal\n");
      const said = filesOfCluster().map((name) => name.replace(/^north\//, ""));
      const found = [...await namesOf(path("lab")), ...await namesOf(path("lab/north"))]
        .filter((name) => !["north", "south", "east", "west", "data"].includes(name));
      assertEquals(new Set(found), new Set(said));
      const invites = [path("invite"), path("lab/invite")].map((file) => Deno.readTextFile(file));
      assertEquals(new Set(await Promise.all(invites)).size, 1);
    },
  };
  let checked = 0;
  for (const { title, steps } of readPage(PAGE)) {
    let printed = "";
    for (const step of steps) printed += await typist.take(step);
    const check = checks[title];
    if (check !== undefined) checked++;
    await check?.(printed);
  }
  assertEquals(checked, Object.keys(checks).length);
});

Deno.test("docs/OPERATIONS.md names every file of a data directory, and no other", async () => {
  const ofOthers = { "cut-848-1.jsonl": "cut-${", "damaged-1": "damaged-${", "repair": '"repair"' };
  const sources = await read("server/journal/data_directory.ts") +
    await read("server/operator/repair.ts");
  for (const said of Object.values(ofOthers)) assertStringIncludes(sources, said);
  const journal = segmentName("journal", 1);
  const snapshot = segmentName("snapshot", 2);
  const expected = [journal, snapshot, `${snapshot}.new`, NODE_FILE, NODE_FILE_DRAFT, LOCK];
  expected.push(CONTROL_SOCKET, RESTORE_PREFIX + journal, BACKUP_FILE, BACKUP_FILE_DRAFT);
  assertEquals(filesNamed().sort(), [...expected, ...Object.keys(ofOthers)].sort());
});

Deno.test("docs/OPERATIONS.md shows every kind of line, each with the fields that it has", async () => {
  const lines = blocksOf(PAGE, "jsonl").join("").trimEnd().split("\n");
  assertEquals(new Set(lines.map(fieldsOf)), new Set((await realLines()).map(fieldsOf)));
  const kindsIn = (text: string, key: string) =>
    new Set([...text.matchAll(new RegExp(`"${key}":"(\\w+)"`, "g"))].map(([, kind]) => kind));
  const all = [...OPERATIONS, ...STATES].map(encodeEntry).join("\n");
  for (const key of ["operation", "state"]) assertEquals(kindsIn(PAGE, key), kindsIn(all, key));
});

Deno.test("docs/OPERATIONS.md names options and commands that there are, and all for operators", () => {
  const known = new Set([...Object.keys(OPTIONS), ...Object.keys(OPERATOR_OPTIONS)]);
  const named = [...(PAGE + README).matchAll(/(?<=[\s`])--([a-z][a-z-]*)/g)]
    .map(([, name = ""]) => name).filter((name) => !OF_TASKS.includes(name));
  assertGreater(named.length, 10);
  assertEquals(new Set(named).difference(known), new Set());
  for (const { name } of operatorCommands) {
    assert(PAGE.includes(`chat ${name}`) && README.includes(`chat ${name}`), name);
  }
});

Deno.test("docs/OPERATIONS.md has the figures of the code", () => {
  assertStringIncludes(PAGE, `${COMPACT_BYTES_MIN / 2 ** 20} MiB`);
  assertStringIncludes(PAGE, `${COMPACT_EVERY_MS / 3_600_000} hours`);
  assertStringIncludes(PAGE, `${TIMED_KEY_KEPT_MS / 86_400_000} days`);
  assertMatch(PAGE, new RegExp(`${KEY_CHARS}\\s+characters`));
  const retention = blocksOf(PAGE, "json").find((text) => text.includes('"retention"')) ?? "";
  const { nodes } = ServerConfig.solo();
  const config = ServerConfig.parse(`{${retention},"nodes":${JSON.stringify(nodes)}}`, "the page");
  assertEquals(config.retention, { days: 365 });
  for (const mode of ["open", "invite", "closed"]) assertStringIncludes(PAGE, `\`"${mode}"\``);
});

Deno.test("docs/OPERATIONS.md quotes what a node says of a directory that it cannot use", async () => {
  const directory = await Deno.makeTempDir();
  const cases: Record<string, readonly string[]> = {
    foreign: ["letter.txt"],
    backup: [BACKUP_FILE, segmentName("journal", 1)],
    emptied: [NODE_FILE],
    gapped: [segmentName("journal", 2)],
  };
  try {
    for (const [name, files] of Object.entries(cases)) {
      await Deno.mkdir(join(directory, name));
      for (const file of files) await Deno.writeTextFile(join(directory, name, file), "");
      await refusedAsQuoted(join(directory, name));
    }
    await Deno.writeTextFile(join(directory, "file"), "");
    await refusedAsQuoted(join(directory, "file"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("links of the docs for operators lead somewhere", async () => {
  for (const page of ["docs/OPERATIONS.md", "docs/REPLICATION.md", "README.md"]) {
    for (const [, target = ""] of (await read(page)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const url = new URL(file === "" ? page : file, new URL(file === "" ? "" : page, ROOT));
      const text = await Deno.readTextFile(url);
      if (anchor === undefined) continue;
      const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchorOf(title));
      assert(anchors.includes(anchor), `${page}: there is no ${target}`);
    }
  }
});

/** Options of `deno task`, which the README tells of. */
const OF_TASKS = ["chat"];
const AT = { timeMs: 1, tick: 0, origin: "node1.e1", seq: 1 };
const MESSAGE = { id: `${ALICE}.${"A".repeat(KEY_CHARS)}`, sender: "alice", recipient: "bob" };
const CLAIM = { name: "alice", generation: 1, at: AT };

const OPERATIONS: readonly Operation[] = Object.values(
  {
    message_sent: {
      ...{ kind: "message_sent", ...MESSAGE, recipientAccount: BOB, content: "hi", ...AT },
    },
    messages_read: { kind: "messages_read", by: BOB, ids: [MESSAGE.id], ...AT },
    messages_deleted: { kind: "messages_deleted", by: BOB, ids: [MESSAGE.id], ...AT },
    account_created: {
      ...{ kind: "account_created", account: ALICE, name: "alice", generation: 1 },
      ...{ password: "scrypt", ...AT },
    },
    password_changed: {
      ...{ kind: "password_changed", account: ALICE, password: "scrypt", version: 2, ...AT },
    },
    account_deleted: { kind: "account_deleted", account: ALICE, ...AT },
  } satisfies Record<Exclude<Operation["kind"], "unknown">, Operation>,
);

const STATES: readonly StateRecord[] = Object.values(
  {
    account_state: {
      ...{ kind: "account_state", ...NO_PLACE, account: ALICE, claim: CLAIM },
      ...{ password: { hash: "scrypt", version: 1, at: AT } },
    },
    message_state: {
      ...{ kind: "message_state", ...NO_PLACE, ...MESSAGE, recipientAccount: BOB },
      ...{ content: "hi", at: AT },
    },
    deleted_state: {
      ...{ kind: "deleted_state", ...NO_PLACE, sender: ALICE, sentMs: 1, by: "node1.e1" },
      ...{ recipients: [BOB], deleted: [{ id: MESSAGE.id, recipient: 0, seq: 1 }] },
    },
    checkpoint: {
      ...{ kind: "checkpoint", ...NO_PLACE, timeMs: 1, vector: new Map([["node1.e1", 1]]) },
    },
    coverage: {
      ...{ kind: "coverage", ...NO_PLACE, vector: new Map([["node1.e1", 1]]), clock: AT },
    },
    loose_operation: {
      ...{ kind: "loose_operation", ...NO_PLACE },
      operation: { kind: "messages_read", by: BOB, ids: [MESSAGE.id], ...AT },
    },
  } satisfies Record<StateRecord["kind"], StateRecord>,
);

/** A line of every form that the page shows as a line. */
async function realLines(): Promise<string[]> {
  const shown: Entry[] = [
    ...OPERATIONS,
    ...STATES.filter(({ kind }) => kind !== "loose_operation"),
    { kind: "account_state", ...NO_PLACE, account: ALICE, claim: CLAIM, deletion: AT },
    {
      ...{ kind: "message_state", ...NO_PLACE, ...MESSAGE, recipientAccount: BOB },
      ...{ content: "hi", at: AT, read: { origin: "node1.e1", seq: 2 } },
    },
  ];
  const headers = [
    { kind: "journal", segment: 1, after: 0 } as const,
    { kind: "journal", segment: 2, after: 1 } as const,
    { kind: "snapshot", segment: 2, after: 0 } as const,
  ].map((header) => new TextDecoder().decode(headerLine(header)));
  const start = '{"export":1,"node":"node1","time":1,"vector":"node1.e1:1"}';
  const exported = exportOf(accountLine(ALICE, "alice"), messageLine(1)).trimEnd().split("\n");
  return [...shown.map(encodeEntry), ...headers, await nodeLine(), start, ...exported.slice(1)];
}

async function nodeLine(): Promise<string> {
  const directory = await Deno.makeTempDir();
  try {
    const identity = { lock: "1:1", journal: "1:1" };
    const now = { node: "node1", epoch: "e1", ...identity, segment: 1, journalBytes: 1 };
    await writeNodeFile(denoFiles, directory, now);
    return await Deno.readTextFile(join(directory, NODE_FILE));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The names of a line's fields, but for what any line may have. */
function fieldsOf(line: string): string {
  return Object.keys(JSON.parse(line)).filter((key) => key !== "batch" && key !== "crc").join();
}

/** The first column of the page's table of files. */
function filesNamed(): string[] {
  const table = PAGE.slice(PAGE.indexOf("## 1."), PAGE.indexOf("What a compaction replaced"));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = ""]) => name);
}

/** The same of the files of a cluster. */
function filesOfCluster(): string[] {
  const table = PAGE.slice(PAGE.indexOf("## 14."), PAGE.indexOf("Keys are ECDSA"));
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = ""]) => name);
}

async function namesOf(directory: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
}

/** The names of all in the nodes' directories. */
async function namesIn(data: string): Promise<string[]> {
  const names: string[] = [];
  for await (const node of Deno.readDir(data)) {
    for await (const { name } of Deno.readDir(join(data, node.name))) names.push(name);
  }
  return names.map(withoutNumbers);
}

function withoutNumbers(name: string): string {
  return name.replace(/\d+/g, "N");
}

/** A node refuses this directory with a message that the page has in its table. */
async function refusedAsQuoted(directory: string): Promise<void> {
  const opening = openDataDirectory({
    ...{ directory, node: "node1", files: denoFiles },
    newEpoch: () => "e1",
    apply: () => undefined,
  });
  const { message } = await assertRejects(() => opening, StorageError);
  assertStringIncludes(PAGE, `\`${message.replaceAll(directory, "…")}\``);
}

/** As GitHub makes it of a heading. */
function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-");
}
