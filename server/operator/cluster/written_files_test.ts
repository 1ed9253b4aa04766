import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { denoFiles } from "../../journal/deno_files.ts";
import { FileError, StorageError } from "../../journal/files.ts";
import { CrashingFiles, FailingFiles, inTempDirectory } from "../../testing/journal_fixture.ts";
import { makeWithFiles, replaceFiles } from "./written_files.ts";

const TEXTS = new Map([["a", "of all\n"], ["one/b", "of one\n"], ["two/b", "of two\n"]]);

Deno.test("makeWithFiles() makes what nobody else can read", async () => {
  await inTempDirectory(async (directory) => {
    await makeWithFiles(denoFiles, directory, TEXTS);
    assertEquals(await textsIn(directory), TEXTS);
    for (const [path, mode] of [["", 0o700], ["one", 0o700], ["a", 0o600], ["two/b", 0o600]]) {
      const stat = await Deno.stat(join(directory, String(path)));
      assertEquals(Number(stat.mode) & 0o777, mode);
    }
    assertEquals(await denoFiles.list(dirname(directory)), ["node1"]);
  });
});

Deno.test("makeWithFiles() takes an empty directory, and refuses one that holds something", async () => {
  await inTempDirectory(async (directory) => {
    await Deno.mkdir(directory);
    await makeWithFiles(denoFiles, directory, TEXTS);
    const again = () => makeWithFiles(denoFiles, directory, new Map([["a", "other"]]));
    await assertRejects(again, StorageError, "Cannot make");
    assertEquals(await textsIn(directory), TEXTS);
    for (const path of ["", ".", "..", `${directory}/..`]) {
      const wrong = () => makeWithFiles(denoFiles, path, TEXTS);
      await assertRejects(wrong, StorageError, "name a directory that is to be made");
    }
  });
});

Deno.test("makeWithFiles() refuses to write where another one may be writing", async () => {
  await inTempDirectory(async (directory) => {
    await Deno.mkdir(`${directory}.new`);
    const { message } = await assertRejects(
      () => makeWithFiles(denoFiles, directory, TEXTS),
      StorageError,
    );
    assertStringIncludes(message, `${directory}.new is there, of a chat cluster init`);
  });
});

Deno.test("makeWithFiles() never leaves half a directory, wherever it is killed", async () => {
  for (const mode of ["before", "after", "half"] as const) {
    let failAt = 1;
    for (let isDone = false; !isDone; failAt++) {
      await inTempDirectory(async (directory) => {
        const files = new CrashingFiles(failAt, mode);
        isDone = await makeWithFiles(files, directory, TEXTS).then(() => true, unlessStorageError);
        files.closeAll();
        const names = await denoFiles.list(directory);
        if (isDone || names !== undefined) assertEquals(await textsIn(directory), TEXTS);
      });
    }
    assert(failAt > 20, `${failAt}`);
  }
});

Deno.test("makeWithFiles() has everything on disk before the directory takes its name", async () => {
  await inTempDirectory(async (directory) => {
    const files = new CrashingFiles();
    await makeWithFiles(files, directory, TEXTS);
    assertEquals(files.changes, [
      ...["make node1.new", "make one", "make two"],
      ...["write a", "sync a", "write b", "sync b", "write b", "sync b"],
      ...["sync one", "sync two", "sync node1.new", "name node1"],
      `sync ${dirname(directory).split("/").at(-1)}`,
    ]);
  });
});

Deno.test("makeWithFiles() removes what it wrote when the disk is full", async () => {
  for (let failAt = 1, isDone = false; !isDone; failAt++) {
    await inTempDirectory(async (directory) => {
      const files = new FailingFiles({ change: /^(make|write|sync)/, failAt, code: "ENOSPC" });
      isDone = await makeWithFiles(files, directory, TEXTS).then(() => true, unlessStorageError);
      files.closeAll();
      if (!files.failed) return;
      const left = await denoFiles.list(dirname(directory)) ?? [];
      // The name itself may not be durable: nothing is wrong with what is there.
      if (left.includes("node1")) assertEquals(await textsIn(directory), TEXTS);
      else assertEquals(left, []);
    });
  }
});

Deno.test("replaceFiles() writes only what is another text, and makes folders", async () => {
  await inTempDirectory(async (directory) => {
    await makeWithFiles(denoFiles, directory, TEXTS);
    const texts = new Map([["one/b", "of one\n"], ["three/b", "three"], ["two/b", "2"]]);
    assertEquals(await replaceFiles(denoFiles, directory, texts), ["three/b", "two/b"]);
    assertEquals(await textsIn(directory), new Map([...TEXTS, ...texts]));
    assertEquals(await replaceFiles(denoFiles, directory, texts), []);
    const { mode } = await Deno.stat(join(directory, "two/b"));
    assertEquals(Number(mode) & 0o777, 0o600);
  });
});

Deno.test("replaceFiles() leaves each file old or new, wherever it is killed, and may be repeated", async () => {
  const texts = new Map([["one/b", "new one"], ["two/b", "new two"], ["a", "new"]]);
  for (const mode of ["before", "after", "half"] as const) {
    for (let failAt = 1, isDone = false; !isDone; failAt++) {
      await inTempDirectory(async (directory) => {
        await makeWithFiles(denoFiles, directory, TEXTS);
        const files = new CrashingFiles(failAt, mode);
        isDone = await replaceFiles(files, directory, texts).then(() => true, unlessStorageError);
        files.closeAll();
        const found = await textsIn(directory);
        const isNew = [...texts].map(([path, text]) => found.get(path) === text);
        for (const path of texts.keys()) {
          assert([TEXTS.get(path), texts.get(path)].includes(found.get(path)), path);
        }
        // In the order of the texts: what is last says that all before is there.
        assertEquals(isNew.toSorted((a, b) => Number(b) - Number(a)), isNew);
        await replaceFiles(denoFiles, directory, texts);
        assertEquals(await textsIn(directory), texts);
      });
    }
  }
});

function unlessStorageError(error: unknown): boolean {
  if (error instanceof FileError || error instanceof StorageError) return false;
  throw error;
}

/** All but what is being written. */
async function textsIn(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of await pathsIn(directory)) {
    if (!path.endsWith(".new")) texts.set(path, await Deno.readTextFile(join(directory, path)));
  }
  return texts;
}

async function pathsIn(directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const below = isDirectory ? await pathsIn(join(directory, name)) : [];
    paths.push(...isDirectory ? below.map((path) => join(name, path)) : [name]);
  }
  return paths.sort();
}
