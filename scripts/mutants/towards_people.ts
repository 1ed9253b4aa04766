import type { Mutant } from "./mutant.ts";

/** What goes wrong in what people are shown and told. */
export const TOWARDS_PEOPLE: readonly Mutant[] = [
  {
    name: "dropped delete",
    does: "shows a message whose deletion came before it",
    patches: [{
      file: "server/core/message_table.ts",
      find: `    if (this.isDeleted(row)) return;
    if (!this.isPresent(row)) this.#present++;
`,
      replace: "    if (!this.isPresent(row)) this.#present++;\n",
    }],
  },
  {
    name: "lost read mark",
    does: "does not look at the read mark of a message that it has when it takes in a state",
    patches: [{
      file: "server/core/merge.ts",
      find: "  const row = read === undefined ? undefined : state.messages.find(id);\n",
      replace: '  const row = sent.kind === "visible" ? state.messages.find(id) : undefined;\n',
    }],
  },
  {
    name: "resurrected key",
    does: "forgets a deletion in a compaction as soon as all nodes know of it",
    patches: [{
      file: "server/compactor.ts",
      find: `      known?.covers(deletion) === true && old?.covers(deletion) === true &&
      (isOfNobody || isForgotten(id, atMs));
`,
      replace: `      known?.covers(deletion) === true &&
      (isOfNobody || isForgotten(id, atMs) || old !== null);
`,
    }],
  },
  {
    name: "key dropped on delete",
    does: "forgets a message's key with its text when it is deleted",
    patches: [{
      file: "server/core/message_table.ts",
      find: "    this.#setFlags(row, DELETED);\n",
      replace: `    const hadCome = this.hasCome(row);
    if (hadCome) this.#pageOf(row).seq[row % PAGE_ROWS] = 0;
    this.#setFlags(row, hadCome ? 0 : DELETED);
`,
    }],
  },
  {
    name: "first come wins",
    does: "keeps of two messages with one key the one that came first, not the earlier one",
    patches: [{
      file: "server/core/effects.ts",
      find: "  const wins = compareProvenance(operation, known) < 0;\n",
      replace: "  const wins = compareProvenance(operation, known) < 0 && known.seq === 0;\n",
    }],
  },
  {
    name: "message to the deleted",
    does: "shows a message that comes after the deletion of its sender's or recipient's account",
    patches: [{
      file: "server/core/effects.ts",
      find: "    if (deletion !== undefined) messages.erase(row);\n",
      replace: "",
    }],
    suite: ["server/core/apply_test.ts"],
  },
  {
    name: "earliest wins without generations",
    does: "gives a name to its earliest claim, also if that account is deleted",
    patches: [{
      file: "server/core/account_table.ts",
      find:
        "  if (a.claim.generation !== b.claim.generation) return a.claim.generation > b.claim.generation;\n",
      replace: "",
    }],
    suite: ["server/core/account_table_test.ts"],
  },
  {
    name: "loser of a name not told",
    does: "does not tell who lost a name what they are called now",
    patches: [{
      file: "server/broadcast.ts",
      find: "session.checkName();\n",
      replace: "if (claimant === change.account) session.checkName();\n",
    }],
    suite: ["server/cluster_serve_test.ts"],
  },
  {
    name: "cursor by time",
    does: "tells whoever comes back only of messages that are later than the last that they had",
    patches: [{
      file: "server/subscription.ts",
      find: `  /** How many events are left, in frames. */
`,
      replace: `  get #lastMs(): number {
    let lastMs = 0;
    for (let at = 0; at < this.#newFrom; at++) {
      const number = this.#account.feed.at(at);
      const event = this.#state.feed.eventOf(number);
      if (event.kind !== "message" || !this.#told.covers(this.#state.feed.sourceOf(number))) continue;
      lastMs = Math.max(lastMs, this.#state.messages.timeMsOf(event.row));
    }
    return lastMs;
  }

  /** How many events are left, in frames. */
`,
    }, {
      file: "server/subscription.ts",
      find: "    const event = this.#state.eventFor(this.#account, number, this.#told);\n",
      replace: `    const event = this.#state.eventFor(this.#account, number, this.#told);
    const isNew = at >= this.#newFrom || event?.kind !== "message";
    if (!isNew && this.#state.messages.timeMsOf(event.row) <= this.#lastMs) return undefined;
`,
    }],
  },
  {
    name: "cursor past what is still to be told",
    does:
      "tells whoever catches up a cursor that covers earlier operations of the same origin, too",
    patches: [{
      file: "server/subscription.ts",
      find: "    const told = Math.min(Math.max(seq, this.#seen.seqOf(origin)), tellable);\n",
      replace: "    const told = tellable < 0 ? 0 : Math.max(seq, this.#seen.seqOf(origin));\n",
    }],
    suite: ["server/subscription_test.ts"],
  },
  {
    name: "reply before those before it",
    does: "sends a reply that waits for nothing while others before it still wait",
    patches: [{
      file: "server/outbox.ts",
      find: "    if (this.#held.length === 0 && position <= due) {\n",
      replace: "    if (position <= due) {\n",
    }],
  },
  {
    name: "tokens outlive their password",
    does: "signs tokens with what a change of the password does not change",
    patches: [{
      file: "server/auth/token.ts",
      find: "  return mac(account.password.hash, claims);\n",
      replace: "  return mac(account.id, claims);\n",
    }],
    suite: ["server/cluster_serve_test.ts"],
  },
  {
    name: "sessions outlive their password",
    does: "ends a session only with its account, not with its password",
    patches: [{
      file: "server/session.ts",
      find: `    if (this.#account?.deleted || this.#account?.password?.hash !== this.#credential) {
`,
      replace: "    if (this.#account?.deleted) {\n",
    }],
    suite: ["server/cluster_serve_test.ts"],
  },
  {
    name: "cursor with one bound",
    does: "takes all that became of a client's messages for told, also on a node that lacks them",
    patches: [{
      file: "server/subscription.ts",
      find: "    const isSettled = at >= this.#settledFrom;\n",
      replace: "    const isSettled = at >= 0;\n",
    }],
    suite: ["server/subscription_test.ts"],
  },
];
