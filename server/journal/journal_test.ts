import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { BATCH_BYTES_FULL } from "./batch.ts";
import { denoFiles } from "./deno_files.ts";
import { FileError, type OpenFile } from "./files.ts";
import {
  encodeBatch,
  inTempDirectory,
  JOURNAL,
  message,
  messages,
  open,
} from "../testing/journal_fixture.ts";
import { Journal, JournalError } from "./journal.ts";
import { JournalIndex } from "./journal_index.ts";

const NO_SPACE = new FileError("write", "x", "No space left on device (os error 28)", "ENOSPC");
const IO_ERROR = new FileError("sync", "x", "Input/output error (os error 5)", "EIO");

Deno.test("Journal.writeBatch() appends a batch and syncs it before it resolves", async () => {
  await withFile(async (file, path) => {
    const calls: string[] = [];
    const journal = journalOf(path, {
      ...delegate(file),
      write: (bytes) => {
        calls.push("write");
        return file.write(bytes);
      },
      sync: async () => {
        await file.sync();
        calls.push("synced");
      },
    });
    await journal.writeBatch(messages(3)).then(() => calls.push("resolved"));
    await journal.writeBatch([]);
    assertEquals(calls, ["write", "synced", "resolved"]);
    assertEquals(await Deno.readFile(path), encodeBatch(messages(3)));
    assertEquals(journal.end, encodeBatch(messages(3)).length);
    await journal.close();
  });
});

Deno.test("Journal.writeBatch() refuses a batch before the last one is on disk", async () => {
  await withFile(async (file, path) => {
    const journal = journalOf(path, file);
    const first = journal.writeBatch(messages(1));
    await assertRejects(() => journal.writeBatch(messages(1)), Error, "not on disk yet");
    await first;
    await journal.writeBatch(messages(1, 2));
    await journal.close();
    assertEquals(
      await Deno.readFile(path),
      concat(encodeBatch([message(1)]), encodeBatch([message(2)])),
    );
  });
});

Deno.test("Journal.writeBatch() splits what is longer than a batch may be", async () => {
  await inTempDirectory(async (directory) => {
    // Six bytes a character in JSON, and a little more: the fifth line fills the batch.
    const content = "\u0001".repeat(BATCH_BYTES_FULL / 30);
    const operations = messages(7, 1, () => content);
    const opened = await open(directory);
    await opened.journal.writeBatch(operations);
    await opened.close();
    const text = await Deno.readTextFile(join(directory, JOURNAL));
    assertEquals([...text.matchAll(/"batch":\{"records":(\d+)/g)].map(([, n]) => n), ["5", "2"]);
    const again = await open(directory);
    await again.close();
    assertEquals(again.applied, operations);
  });
});

const FAULTS: [string, Partial<OpenFile>, string][] = [
  [
    "a full disk",
    { write: () => Promise.reject(NO_SPACE) },
    "No space left on device (os error 28)",
  ],
  ["a failed sync", { sync: () => Promise.reject(IO_ERROR) }, "Input/output error (os error 5)"],
];

for (const [name, fault, reason] of FAULTS) {
  Deno.test(`Journal.writeBatch() cuts the batch back after ${name}, and that is final`, async () => {
    await withFile(async (file, path) => {
      await journalOf(path, file).writeBatch(messages(1));
      const before = await Deno.readFile(path);
      const journal = journalOf(path, { ...delegate(file), ...fault }, before.length);
      const error = await assertRejects(() => journal.writeBatch(messages(2, 2)), JournalError);
      assertStringIncludes(error.message, `Cannot write journal ${path}: ${reason}. Nothing of `);
      assertEquals(await Deno.readFile(path), before);
      assertEquals(await assertRejects(() => journal.writeBatch(messages(1, 2))), error);
      assertEquals(journal.end, before.length);
      await journal.close();
    });
  });
}

Deno.test("Journal.writeBatch() cuts a short write back, and that is final", async () => {
  await withFile(async (file, path) => {
    const short = {
      ...delegate(file),
      write: (bytes: Uint8Array) => file.write(bytes.subarray(9)),
    };
    const journal = journalOf(path, short);
    const error = await assertRejects(() => journal.writeBatch(messages(1)), JournalError);
    assertStringIncludes(error.message, "bytes could be written");
    assertStringIncludes(error.message, "free space and start again");
    assertEquals((await Deno.stat(path)).size, 0);
    await assertRejects(() => journal.writeBatch(messages(1)), JournalError);
    await journal.close();
  });
});

Deno.test("Journal.writeBatch() says so when a batch cannot be cut back either", async () => {
  await withFile(async (file, path) => {
    const truncate = () => Promise.reject(IO_ERROR);
    const journal = journalOf(path, {
      ...delegate(file),
      write: () => Promise.reject(NO_SPACE),
      truncate,
    });
    await assertRejects(() => journal.writeBatch(messages(1)), JournalError, "not be cut back");
    await journal.close();
  });
});

Deno.test("Journal.close() waits for the open batch and refuses later ones", async () => {
  await withFile(async (file, path) => {
    const journal = journalOf(path, file);
    const batch = journal.writeBatch(messages(1));
    await Promise.all([journal.close(), batch, journal.close()]);
    assertEquals(await Deno.readFile(path), encodeBatch(messages(1)));
    await assertRejects(() => journal.writeBatch(messages(1)), JournalError, "closed");
  });
});

/** A journal of one segment without a header, of which `bytes` bytes are there. */
function journalOf(path: string, file: OpenFile, bytes = 0): Journal {
  return new Journal({
    segments: [{ number: 1, path, base: 0, headerBytes: 0, bytes }],
    file,
    index: new JournalIndex(),
    entries: 0,
    makeSegment: () => Promise.reject(new Error("Cannot make a segment: there is only this one")),
  });
}

async function withFile(body: (file: OpenFile, path: string) => Promise<void>): Promise<void> {
  await inTempDirectory(async (path) => await body(await denoFiles.open(path, "append"), path));
}

function delegate(file: OpenFile): OpenFile {
  return {
    read: (into, at) => file.read(into, at),
    write: (bytes) => file.write(bytes),
    sync: () => file.sync(),
    truncate: (bytes) => file.truncate(bytes),
    stat: () => file.stat(),
    tryLock: () => file.tryLock(),
    close: () => file.close(),
  };
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
