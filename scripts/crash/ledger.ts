import type { ChatMessage } from "../../codec/message.ts";

/** One message that a client sent, and what it knows of it. */
export interface Entry {
  readonly sender: string;
  readonly key: string;
  readonly content: string;
  /** Once a reply said so; without one it is unknown whether it was stored. */
  id: string | undefined;
  deletion: "none" | "asked" | "acknowledged";
  /** Acknowledged as read by its recipient. */
  read: boolean;
}

/** What can be wrong with a conversation after a crash. */
export const FAULTS = [
  "lost",
  "doubled",
  "altered",
  "resurrected",
  "unread again",
  "foreign",
] as const;
export type Fault = (typeof FAULTS)[number];

/** What was told about the messages of one conversation, to either side of it. */
export class Ledger {
  readonly #byContent = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();

  get size(): number {
    return this.#byContent.size;
  }

  get acknowledged(): number {
    return this.#byId.size;
  }

  /** Notes a message before it is sent: from then on it may exist. */
  add(sender: string, key: string, content: string): Entry {
    const entry: Entry = { sender, key, content, id: undefined, deletion: "none", read: false };
    this.#byContent.set(content, entry);
    return entry;
  }

  acknowledge(entry: Entry, id: string): void {
    entry.id = id;
    this.#byId.set(id, entry);
  }

  find(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Contents are unique: also what was not acknowledged is found by them. */
  findByContent(content: string): Entry | undefined {
    return this.#byContent.get(content);
  }

  /** Those of which nobody knows yet whether they were stored. */
  unknown(): Entry[] {
    return [...this.#byContent.values()].filter(({ id }) => id === undefined);
  }

  /**
   * Compares a whole conversation with what was acknowledged. What is found deleted counts as
   * acknowledged: it was seen, so it has to stay.
   */
  check(conversation: readonly ChatMessage[]): Map<Fault, string[]> {
    const faults = new Map<Fault, string[]>();
    const report = (fault: Fault, what: string) => {
      const found = faults.get(fault);
      if (found === undefined) faults.set(fault, [what]);
      else found.push(what);
    };
    const present = new Set<string>();
    for (const { id, sender, content, status } of conversation) {
      const entry = this.#byContent.get(content);
      if (present.has(content)) report("doubled", content);
      present.add(content);
      if (entry === undefined) report(this.#byId.has(id) ? "altered" : "foreign", content);
      else if (entry.sender !== sender) report("altered", `${content}: now by ${sender}`);
      else if (entry.id !== undefined && entry.id !== id) report("doubled", content);
      else if (entry.deletion === "acknowledged") report("resurrected", content);
      else if (entry.read && status === "unread") report("unread again", content);
    }
    for (const entry of this.#byId.values()) {
      if (present.has(entry.content)) continue;
      if (entry.deletion === "none") report("lost", entry.content);
      else entry.deletion = "acknowledged";
    }
    return faults;
  }
}
