import type { Mutant } from "./mutant.ts";

/** What goes wrong between a node and its disk. */
export const ON_DISK: readonly Mutant[] = [
  {
    name: "reply before fsync",
    does: "acknowledges, with a batch that is on disk, also what was submitted since",
    patches: [{
      file: "server/commit.ts",
      find: "if (this.#uncopied.length === 0) this.#copied = this.#settled;",
      replace: "if (this.#uncopied.length === 0) this.#copied = this.#position;",
    }],
  },
  {
    name: "stream before fsync",
    does: "lets streams read a batch as soon as it is written",
    patches: [{
      file: "server/journal/journal.ts",
      find: `      await this.#file.sync();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw await this.#fail(error);
    }
    const last = this.#last;
    this.#segments = [...this.#segments.slice(0, -1), {
      ...last,
      bytes: last.bytes + batch.length,
    }];
`,
      replace: `      const last = this.#last;
      this.#segments = [...this.#segments.slice(0, -1), {
        ...last,
        bytes: last.bytes + batch.length,
      }];
      await this.#file.sync();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw await this.#fail(error);
    }
`,
    }],
  },
  {
    name: "no directory fsync",
    does: "does not sync the directory after a snapshot got its name, and removes what it replaces",
    patches: [{
      file: "server/journal/snapshot_file.ts",
      find: `    this.#path = path;
    await this.#files.syncDirectory(this.#directory);
`,
      replace: "    this.#path = path;\n",
    }],
    suite: ["server/journal/compaction_crash_test.ts"],
  },
  {
    name: "acknowledged after a failed fsync",
    does: "asks again when a sync failed, and believes the second answer",
    patches: [{
      file: "server/journal/journal.ts",
      find: "      await this.#file.sync();\n",
      replace: "      await this.#file.sync().catch(() => this.#file.sync());\n",
    }],
  },
  {
    name: "failed batch left",
    does: "leaves a batch whose sync failed in the file, where the next process finds it whole",
    patches: [{
      file: "server/journal/journal.ts",
      find: "      await this.#file.truncate(this.#last.headerBytes + this.#last.bytes);\n",
      replace: "      await Promise.resolve();\n",
    }],
  },
  {
    name: "short write ignored",
    does: "takes a write for done of which the disk had room for a part",
    patches: [{
      file: "server/journal/journal.ts",
      find:
        "      if (written !== batch.length) throw shortWrite(this.#path, written, batch.length);\n",
      replace: "      if (written === 0) throw shortWrite(this.#path, written, batch.length);\n",
    }],
  },
  {
    name: "recovered and not synced",
    does: "tells others what it read from the page cache before that is on disk",
    patches: [{
      file: "server/journal/data_directory.ts",
      find: `await writeAll(file, path, NEWLINE);
  await file.sync();
`,
      replace: "await writeAll(file, path, NEWLINE);\n",
    }],
  },
  {
    name: "torn tail not cut",
    does: "appends after what a crash left of a batch",
    patches: [{
      file: "server/journal/data_directory.ts",
      find: "    await file.truncate(wholeBytes);\n",
      replace: "",
    }],
  },
  {
    name: "batch marker ignored",
    does: "takes in the whole lines of a batch of which the end is missing",
    patches: [{
      file: "server/journal/recovery.ts",
      find: `    this.#lines -= this.#batch.length;
    this.#batch = [];
`,
      replace: `    this.#lines -= this.#batch.length;
    const unmarked = this.#batch;
    this.#batch = [];
`,
    }, {
      file: "server/journal/recovery.ts",
      find: `    if (verdict.kind === "torn") return this.#recovery("torn", verdict.why);
`,
      replace: `    if (verdict.kind === "torn") {
      for (const entry of unmarked) this.#options.apply(entry);
      return this.#recovery("torn", verdict.why);
    }
`,
    }],
  },
  {
    name: "glued line",
    does: "does not complete a last line that lacks its newline",
    patches: [{
      file: "server/journal/data_directory.ts",
      find: `  if (tail === "lacks_newline") await writeAll(file, path, NEWLINE);
`,
      replace: "",
    }],
    suite: ["server/journal/data_directory_test.ts"],
  },
  {
    name: "snapshot ahead of its journal",
    does: "finishes a snapshot before all that it says is on disk",
    patches: [{
      file: "server/journal/compaction.ts",
      find: "    await settled();\n",
      replace: "",
    }],
    suite: ["server/journal/compaction_crash_test.ts", "server/compactor_test.ts"],
  },
  {
    name: "reused sequence",
    does: "begins in an empty directory with the epoch that it began with before",
    patches: [{
      file: "server/journal/data_directory.ts",
      find: "  const epoch = kept?.epoch ?? newEpoch();\n",
      replace: '  const epoch = kept?.epoch ?? (isNew ? "first" : newEpoch());\n',
    }],
  },
  {
    name: "epoch not renewed",
    does: "takes a copied or restored directory for its own, and keeps its epoch",
    patches: [{
      file: "server/journal/data_directory.ts",
      find: "  if (before.lock !== now.lock || before.journal !== now.journal) {\n",
      replace: "  if (before.lock === undefined) {\n",
    }],
    suite: ["server/journal/data_directory_test.ts"],
  },
  {
    name: "first line trusted",
    does:
      "takes a segment's first line, whose sync failed, for written because the system shows it",
    patches: [{
      file: "server/journal/read_data.ts",
      find: "  await file.truncate(0);\n  await writeAll(file, path, header);\n",
      replace: `  if (!isStart || bytes < header.length) {
    await file.truncate(0);
    await writeAll(file, path, header);
  }
`,
    }],
    suite: ["server/journal/rotation_test.ts"],
  },
];
