import { originOf } from "./core/operation.ts";

export interface OwnOriginParts {
  readonly node: string;
  /** The epoch that the data directory knows. */
  readonly epoch: string;
  /** Whether it may be gone on with at once: nobody else can know more of it. */
  readonly confirmed: boolean;
  /** A random name that was never used before. */
  readonly newEpoch: () => string;
  /** Makes a new epoch durable: resolves before any operation of it is. */
  readonly record: (epoch: string) => Promise<void>;
  /** Told why a new epoch was begun, as a clause. */
  readonly onRenewed: (why: string) => void;
}

/**
 * Whose operations this node's own are: its name and an epoch, so that a sequence number never means
 * two things. Data that was put back to an earlier state cannot be known by its own files: what was
 * numbered since is known only to others. So the epoch of an earlier run is gone on with only once
 * all others have confirmed that they know no more of it; whoever cannot be asked may know more, and
 * then the first operation begins a new epoch.
 */
export class OwnOrigin {
  readonly #parts: OwnOriginParts;
  #current: string;
  #isConfirmed: boolean;
  /** Whether somebody knows more of {@linkcode current}: then nobody else can confirm it. */
  #isDisowned = false;
  #doubt = "not every other node could be asked whether it knows more of the last one";
  #unrecorded: string | undefined;

  constructor(parts: OwnOriginParts) {
    this.#parts = parts;
    this.#current = originOf(parts.node, parts.epoch);
    this.#isConfirmed = parts.confirmed;
  }

  /** The last that an operation was made with, or may be. */
  get current(): string {
    return this.#current;
  }

  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Nobody knows more operations of {@linkcode current} than this node does. */
  confirm(): void {
    if (!this.#isDisowned) this.#isConfirmed = true;
  }

  /** Somebody does: the next operation is of a new epoch. */
  disown(why: string): void {
    this.#isConfirmed = false;
    this.#isDisowned = true;
    this.#doubt = why;
  }

  /** The origin of the next operation. */
  take(): string {
    if (!this.#isConfirmed) {
      const epoch = this.#parts.newEpoch();
      this.#current = originOf(this.#parts.node, epoch);
      this.#isConfirmed = true;
      this.#isDisowned = false;
      this.#unrecorded = epoch;
      this.#parts.onRenewed(this.#doubt);
    }
    return this.#current;
  }

  /** To be called before operations are made durable. */
  async record(): Promise<void> {
    const epoch = this.#unrecorded;
    if (epoch === undefined) return;
    this.#unrecorded = undefined;
    await this.#parts.record(epoch);
  }
}
