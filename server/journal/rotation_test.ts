import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "node:path";
import {
  CrashingFiles,
  FailingFiles,
  type FaultMode,
  inTempDirectory,
  messages,
  open,
} from "../testing/journal_fixture.ts";
import { JournalNode, sent } from "../testing/journal_node.ts";
import { MemoryDisk } from "../testing/memory_disk.ts";
import { denoFiles } from "./deno_files.ts";
import { FileError, type Files } from "./files.ts";
import { JournalError, SEGMENT_BYTES_FULL } from "./journal.ts";

const SECOND = "journal-00000002.jsonl";

Deno.test("Journal.rotate() begins a segment that says how long the one before is", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, close } = await open(directory);
    await journal.writeBatch(messages(3));
    const { end, fileBytes } = journal;
    const { segment, vector, entries } = await journal.rotate();
    assertEquals([segment, vector.toString(), entries], [2, "node1.e1:3", 3]);
    assertEquals(journal.end, end);
    assertEquals(journal.current.number, 2);
    await journal.writeBatch(messages(2, 4));
    await close();
    const header = (await Deno.readTextFile(join(directory, SECOND))).split("\n")[0] ?? "";
    assertEquals(header.slice(0, -18), `{"journal":1,"segment":2,"after":${fileBytes}`);
    const again = await open(directory);
    assertEquals(again.applied, messages(5));
    assertEquals([again.journal.segments, again.journal.end], [journal.segments, journal.end]);
    assertEquals(again.journal.entries, 5);
    await again.close();
  });
});

Deno.test("Journal.rotate() waits for the open batch, and a batch waits for it", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, close } = await open(directory);
    const done: string[] = [];
    const first = journal.writeBatch(messages(1)).then((batch) => {
      done.push("first");
      return batch;
    });
    const rotated = journal.rotate().then(({ vector }) => {
      done.push("rotated");
      return vector;
    });
    await first;
    const second = journal.writeBatch(messages(1, 2)).then((batch) => {
      done.push("second");
      return batch;
    });
    await assertRejects(() => journal.writeBatch(messages(1, 3)), Error, "not on disk yet");
    // Only what was before is told of.
    assertEquals((await rotated).toString(), "node1.e1:1");
    const [before, after] = await Promise.all([first, second]);
    assertEquals(done, ["first", "rotated", "second"]);
    // Places are counted over all segments.
    assertEquals([before?.at, after?.at], [0, before?.bytes.length ?? -1]);
    assertEquals(journal.segments.map(({ number }) => number), [1, 2]);
    await close();
    const again = await open(directory);
    assertEquals(again.applied, messages(2));
    await again.close();
  });
});

Deno.test("Journal.rotate() twice at once makes one segment", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, close } = await open(directory);
    await Promise.all([journal.rotate(), journal.rotate()]);
    assertEquals(journal.current.number, 2);
    await journal.rotate();
    assertEquals(journal.current.number, 3);
    await close();
  });
});

for (const mode of ["before", "after", "half"] satisfies FaultMode[]) {
  Deno.test(`Journal.rotate() that fails ${mode} any step is final, and a start goes on`, async () => {
    for (let failAt = 1;; failAt++) {
      const failed = await inTempDirectory(async (directory) => {
        // All that happens in the directory, the opening's calls too.
        const opening = new CrashingFiles();
        await (await open(directory, { files: opening })).close();
        await Deno.remove(directory, { recursive: true });
        const before = opening.changes.length;
        const change = /./;
        const files = new FailingFiles({
          change,
          failAt: before + 2 + failAt,
          mode,
          code: "ENOSPC",
        });
        const { journal, epoch, close } = await open(directory, { files });
        await journal.writeBatch(messages(3));
        const batch = journal.writeBatch.bind(journal, messages(1, 4));
        try {
          await journal.rotate();
          return false;
        } catch (error) {
          assert(error instanceof JournalError, `${error}`);
          const says = "Cannot begin a new segment of the journal: Cannot use the disk: No space";
          assertEquals(error.message.slice(0, says.length), says);
          assertEquals(await assertRejects(batch), error);
          assertEquals(await assertRejects(() => journal.rotate()), error);
        }
        await close();
        const again = await open(directory);
        assertEquals(again.applied, messages(3));
        assertEquals([again.epoch, again.report.epoch], [epoch, "kept"]);
        await again.journal.writeBatch(messages(1, 4));
        await again.journal.rotate();
        await again.close();
        const third = await open(directory);
        assertEquals(third.applied, messages(4));
        await third.close();
        return true;
      });
      if (!failed) {
        assert(failAt > 8, `${failAt}`);
        break;
      }
    }
  });
}

Deno.test("Journal.rotate() after a batch that failed makes no segment", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({ change: /^sync journal/, failAt: 3 });
    const { journal, close } = await open(directory, { files });
    const batch = journal.writeBatch(messages(1));
    const rotating = journal.rotate();
    const error = await assertRejects(() => batch, JournalError);
    assertEquals(await assertRejects(() => rotating), error);
    await close();
    const again = await open(directory);
    assertEquals([again.applied, again.journal.current.number], [[], 1]);
    await again.close();
  });
});

Deno.test("Journal.close() waits for a segment that is being made, and the batch after it", async () => {
  await inTempDirectory(async (directory) => {
    const begun = Promise.withResolvers<void>();
    const files: Files = {
      ...denoFiles,
      open(path, mode) {
        if (basename(path) === SECOND) begun.resolve();
        return denoFiles.open(path, mode);
      },
    };
    const { journal, close } = await open(directory, { files });
    const rotating = journal.rotate();
    const batch = journal.writeBatch(messages(1));
    await begun.promise;
    await Promise.all([close(), rotating, batch]);
    await assertRejects(() => journal.rotate(), JournalError, "closed");
    await assertRejects(() => journal.writeBatch(messages(1, 2)), JournalError, "closed");
    const again = await open(directory);
    assertEquals(again.applied, messages(1));
    assertEquals(again.journal.current.number, 2);
    await again.close();
  });
});

Deno.test("Journal begins a new segment by itself when one is full, and not before", async () => {
  await inTempDirectory(async (directory) => {
    const node = await JournalNode.open(directory);
    const long = "x".repeat(60_000);
    const numbers = () => node.directory.journal.segments.map(({ number }) => number);
    let seq = 10;
    while (node.directory.journal.current.bytes + 8e6 < SEGMENT_BYTES_FULL) {
      await node.write(...Array.from({ length: 120 }, () => sent(seq++, long)));
    }
    assertEquals(numbers(), [1]);
    for (let i = 0; i < 2; i++) {
      await node.write(...Array.from({ length: 120 }, () => sent(seq++, long)));
    }
    await node.write(sent(seq++));
    assertEquals(numbers(), [1, 2]);
    const before = node.summary;
    await node.close();
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    await again.close();
  });
});

Deno.test("a segment whose first sync failed is begun anew, and outlives a power cut", async () => {
  const disk = new MemoryDisk();
  const { journal } = await open("/data", { files: failingSyncOf(disk, SECOND) });
  await journal.writeBatch(messages(1));
  await assertRejects(() => journal.rotate(), JournalError, "Input/output error");
  // The process is gone, the system is not: it shows the line that it will never write.
  const again = await open("/data", { files: disk.copy() });
  await again.journal.writeBatch(messages(1, 2));
  const after = await open("/data", {
    files: (again.files as MemoryDisk).afterPowerCut(() => false),
  });
  assertEquals(after.applied, messages(2));
});

/** A disk on which the first sync of one file fails: what it was to write is never written. */
function failingSyncOf(disk: MemoryDisk, name: string): Files {
  const open: Files["open"] = async (path, mode) => {
    const file = await disk.open(path, mode);
    if (basename(path) !== name) return file;
    return Object.assign(file, {
      sync() {
        disk.failSync(path);
        return Promise.reject(new FileError("sync", path, "Input/output error", "EIO"));
      },
    });
  };
  return new Proxy(disk, {
    get: (target, key) => {
      if (key === "open") return open;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
