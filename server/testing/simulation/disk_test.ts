import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError, type OpenFile } from "../../journal/files.ts";
import { Random } from "../random.ts";
import { SimulatedDisk } from "./disk.ts";
import { Process, Scheduler } from "./scheduler.ts";

const PATH = "/data/journal-00000001.jsonl";
const BYTES = new TextEncoder().encode("a line that is some bytes long\n");

/** A disk, and a process that uses it. */
class Rig {
  readonly scheduler = new Scheduler();
  readonly told: string[] = [];
  readonly disk: SimulatedDisk;
  process = new Process("node1");

  constructor(seed = 1) {
    this.disk = new SimulatedDisk("node1", {
      scheduler: this.scheduler,
      random: new Random(seed),
      witness: {
        synced: (machine, file, bytes) =>
          this.told.push(`${machine} ${file} ${new TextDecoder().decode(bytes)}`),
      },
      speed: { callUs: 100, syncUs: 1000 },
    });
  }

  /** Lets time pass until it is done. */
  async done<T>(work: Promise<T>): Promise<T> {
    const settled = Promise.allSettled([work]);
    await this.scheduler.runUntil(() => false, this.scheduler.nowUs + 1e6);
    await settled;
    return await work;
  }

  async open(): Promise<OpenFile> {
    const files = this.disk.filesOf(this.process);
    if (!await this.done(files.list("/data"))) {
      await this.done(files.makeDirectory("/data"));
      await this.done(files.syncDirectory("/"));
    }
    const file = await this.done(files.open(PATH, "append"));
    await this.done(files.syncDirectory("/data"));
    return file;
  }

  kill(): void {
    this.process.end();
    this.disk.processEnded();
    this.process = new Process("node1");
  }

  get bytes(): number {
    return this.disk.contentsOf("/data").get("journal-00000001.jsonl")?.length ?? -1;
  }
}

Deno.test("what is synced outlives a power cut, and the witness is told of it, once", async () => {
  const rig = new Rig();
  const file = await rig.open();
  await rig.done(file.write(BYTES));
  assertEquals(rig.told, []);
  await rig.done(file.sync());
  await rig.done(file.sync());
  assertEquals(rig.told, [`node1 journal-00000001.jsonl ${new TextDecoder().decode(BYTES)}`]);
  rig.kill();
  rig.disk.losePower();
  assertEquals(rig.bytes, BYTES.length);
});

Deno.test("what is not synced outlives a kill, and of power cuts only some", async () => {
  const left = new Set<number>();
  for (let seed = 1; seed <= 50; seed++) {
    const rig = new Rig(seed);
    await rig.done((await rig.open()).write(BYTES));
    rig.kill();
    assertEquals(rig.bytes, BYTES.length);
    rig.disk.losePower();
    left.add(rig.bytes);
  }
  assert(left.has(0) && left.has(BYTES.length));
});

Deno.test("a write that is under way at a kill may be done in part", async () => {
  const left = new Set<number>();
  for (let seed = 1; seed <= 50; seed++) {
    const rig = new Rig(seed);
    const file = await rig.open();
    void file.write(BYTES);
    rig.kill();
    left.add(rig.bytes);
  }
  assert(left.size > 10);
});

Deno.test("a full disk takes some bytes or none, and is to blame until the process ends", async () => {
  const rig = new Rig();
  const file = await rig.open();
  rig.disk.isFull = true;
  const written = await rig.done(file.write(BYTES).catch((error) => error));
  assert(written instanceof FileError || written < BYTES.length);
  rig.disk.mend();
  assert(rig.disk.isToBlame);
  assertEquals(await rig.done(file.write(BYTES)), BYTES.length);
  rig.kill();
  assert(!rig.disk.isToBlame);
});

Deno.test("after a sync that failed the next one succeeds, and may have written nothing", async () => {
  const left = new Set<boolean>();
  for (let seed = 1; seed <= 50; seed++) {
    const rig = new Rig(seed);
    const file = await rig.open();
    await rig.done(file.write(BYTES));
    rig.disk.failingSyncs = 1;
    await assertRejects(() => rig.done(file.sync()), FileError, "Input/output error");
    await rig.done(file.sync());
    rig.kill();
    rig.disk.losePower();
    const bytes = rig.disk.contentsOf("/data").get("journal-00000001.jsonl");
    left.add(bytes?.every((byte, at) => byte === BYTES[at]) ?? false);
  }
  assertEquals([...left].sort(), [false, true]);
});

Deno.test("a disk that is put back has what it had", async () => {
  const rig = new Rig();
  const file = await rig.open();
  await rig.done(file.write(BYTES));
  const before = (await rig.done(file.stat())).identity;
  const asItWas = rig.disk.copy(false);
  const asFiles = rig.disk.copy(true);
  await rig.done(file.write(BYTES));
  for (const [putBack, isSame] of [[asItWas, true], [asFiles, false]] as const) {
    rig.kill();
    putBack();
    assertEquals(rig.bytes, BYTES.length);
    const { identity } = await rig.done((await rig.open()).stat());
    assertEquals(identity === before, isSame);
  }
});
