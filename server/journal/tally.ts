import { apply } from "../core/apply.ts";
import { ChatState } from "../core/state.ts";
import type { Entry } from "../core/state_record.ts";
import type { VersionVector } from "../core/version_vector.ts";

/** What a data directory's entries make together, and what of it is still on disk though it is deleted. */
export class Tally {
  readonly #state: ChatState;
  /** By row: whether its text was seen. */
  #hasText = new Uint8Array(1024);

  /** For the seed see {@linkcode ChatState}. */
  constructor(indexSeed: number) {
    this.#state = new ChatState(indexSeed);
  }

  /** Takes all entries in order. */
  add(entry: Entry): void {
    apply(this.#state, entry);
    const isText = entry.kind === "message_sent" || entry.kind === "message_state";
    if (!isText || entry.content === "") return;
    const row = this.#state.messages.find(entry.id);
    if (row === undefined) return;
    if (row >= this.#hasText.length) {
      const larger = new Uint8Array(2 * Math.max(row, this.#hasText.length));
      larger.set(this.#hasText);
      this.#hasText = larger;
    }
    this.#hasText[row] = 1;
  }

  get digest(): string {
    return this.#state.digest;
  }

  get vector(): VersionVector {
    return this.#state.vector;
  }

  /** Messages that are there. */
  get messages(): number {
    return this.#state.messages.presentCount;
  }

  /** Accounts that exist. */
  get accounts(): number {
    return this.#state.accounts.existingCount;
  }

  /** Messages that are deleted, and whose text nevertheless is in the files. */
  get deletedTexts(): number {
    return this.#hasText.reduce(
      (sum, hasText, row) => hasText === 1 && !this.#state.messages.isPresent(row) ? sum + 1 : sum,
      0,
    );
  }
}
