import type { Mutant } from "./mutant.ts";

/** What goes wrong between nodes. */
export const BETWEEN_NODES: readonly Mutant[] = [
  {
    name: "own epoch gone on with unasked",
    does: "goes on with its epoch although not every other node could be asked about it",
    patches: [{
      file: "server/own_origin.ts",
      find: "    if (!this.#isConfirmed) {\n",
      replace: "    if (this.#isDisowned) {\n",
    }],
  },
  {
    name: "own epoch not disowned",
    does: "goes on with its epoch although others know more of it",
    patches: [{
      file: "server/own_origin.ts",
      find: "    if (!this.#isDisowned) this.#isConfirmed = true;\n",
      replace: "    this.#isConfirmed = true;\n",
    }],
    suite: ["server/sync/cluster_test.ts"],
  },
  {
    name: "double-counted copies",
    does: "counts a node that is being sent what it missed by its stream, and by its name",
    patches: [{
      file: "server/sync/cluster.ts",
      find:
        `    for (const { theirs } of this.#peers.values()) if (theirs !== undefined && has(theirs)) count++;
`,
      replace: `    for (const { theirs, link } of this.#peers.values()) {
      if (theirs !== undefined && has(theirs)) count += link?.isLive === false ? 2 : 1;
    }
`,
    }],
  },
  {
    name: "copies of another origin",
    does: "counts a copy when a node has as many operations of any of this one's epochs",
    patches: [{
      file: "server/sync/cluster.ts",
      find: "    return this.#countPeers((theirs) => theirs.covers(operation));\n",
      replace: `    const nodeOf = (origin: string) => origin.split(".")[0];
    return this.#countPeers((theirs) =>
      [...theirs.entries()].some(([origin, seq]) =>
        nodeOf(origin) === nodeOf(operation.origin) && operation.seq <= seq
      )
    );
`,
    }],
  },
  {
    name: "remembered 'sent up to'",
    does: "believes that a node has what it was sent on a stream that was lost",
    patches: [{
      file: "server/sync/outgoing.ts",
      find: `  /** Whether the other was sent all that it wants, at least once. */
`,
      replace: `  get known(): VersionVector {
    return this.#known;
  }

  /** Whether the other was sent all that it wants, at least once. */
`,
    }, {
      file: "server/sync/link.ts",
      find: `  get hasEnded(): boolean {
`,
      replace: `  get sent(): VersionVector {
    return this.#outgoing.known;
  }

  get hasEnded(): boolean {
`,
    }, {
      file: "server/sync/peer.ts",
      find: "    this.#lastTheirs = link.theirs;\n",
      replace: "    this.#lastTheirs = link.sent;\n",
    }, {
      file: "server/sync/peer.ts",
      find: "    const link: Link = new Link(\n",
      replace: `    if (this.#lastTheirs !== undefined) theirs.include(this.#lastTheirs);
    const link: Link = new Link(
`,
    }],
  },
  {
    name: "remembered acknowledgement",
    does: "believes that a node still has what it acknowledged before its stream was lost",
    patches: [{
      file: "server/sync/peer.ts",
      find: "    const link: Link = new Link(\n",
      replace: `    if (this.#lastTheirs !== undefined) theirs.include(this.#lastTheirs);
    const link: Link = new Link(
`,
    }],
  },
  {
    name: "relay forgotten",
    does: "asks every node for its own operations only, and sends no others",
    patches: [{
      file: "server/sync/cluster.ts",
      find: "      const want: Want = index === 0\n",
      replace: "      const want: Want = index < 0\n",
    }, {
      file: "server/sync/outgoing.ts",
      find: "    return this.#isWanted?.(origin) === true || this.#rescued.has(origin);\n",
      replace: "    return this.#isWanted?.(origin) === true;\n",
    }],
  },
  {
    name: "unknown operation not passed on",
    does: "leaves out what only newer versions know when it takes in another node's operations",
    patches: [{
      file: "server/sync/link.ts",
      find: "    const entries = readLines(lines);\n",
      replace: '    const entries = readLines(lines).filter(({ kind }) => kind !== "unknown");\n',
    }],
  },
  {
    name: "unknown operation not kept",
    does: "leaves out of a snapshot what only newer versions know",
    patches: [{
      file: "server/core/snapshot.ts",
      find:
        '    yield { kind: "loose_operation", ...NO_PLACE, operation };\n  }\n}\n\nfunction accountState',
      replace: "    if (operation === undefined) yield undefined;\n  }\n}\n\nfunction accountState",
    }],
    suite: ["server/core/snapshot_test.ts"],
  },
  {
    name: "gap not seen",
    does: "takes an operation whose predecessor is missing",
    patches: [{
      file: "server/core/apply.ts",
      find: '  if (entry.seq > expectedSeq) return { kind: "gap", expectedSeq };\n',
      replace: "",
    }],
    suite: ["server/core/apply_test.ts"],
  },
  {
    name: "snapshot replaces",
    does: "believes of each origin what a state says that it takes in, also where it knows more",
    patches: [{
      file: "server/core/merge.ts",
      find: `    case "coverage":
      state.vector.include(VersionVector.of(record.vector));
`,
      replace: `    case "coverage":
      for (const [origin, seq] of record.vector) state.vector.advance(origin, seq);
`,
    }],
  },
  {
    name: "password of a snapshot",
    does: "replaces a newer password by that of a state that it takes in",
    patches: [{
      file: "server/core/merge.ts",
      find:
        "    const isNew = password !== undefined && state.accounts.setPassword(account, password);\n",
      replace: `    const isNew = password !== undefined && !account.deleted;
    if (isNew) account.password = password;
`,
    }],
    suite: ["server/core/snapshot_test.ts"],
  },
  {
    name: "wiped node serves early",
    does: "serves before it has what others had when it started",
    patches: [{
      file: "server/node.ts",
      find: "    await cluster.caughtUp();\n",
      replace: "",
    }],
    suite: ["server/cluster_serve_test.ts"],
  },
  {
    name: "unbounded clock",
    does: "follows the stamps of others however far they are ahead",
    patches: [{
      file: "server/core/hybrid_clock.ts",
      find: "    if (seen.timeMs > wallMs + CLOCK_AHEAD_MAX_MS) return;\n",
      replace: "    if (!Number.isFinite(wallMs)) return;\n",
    }],
    suite: ["server/core/hybrid_clock_test.ts"],
  },
  {
    name: "copies given up after a pause",
    does: "takes timers that were late because the process stood still for answers that never came",
    patches: [{
      file: "server/commit.ts",
      find: "nowMs - first.deadlineMs > LATE_MS;\n",
      replace: "nowMs - first.deadlineMs > Infinity;\n",
    }],
    suite: ["server/commit_test.ts"],
  },
];
