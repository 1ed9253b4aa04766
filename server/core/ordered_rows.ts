import type { MessageTable, Row } from "./message_table.ts";
import { Uint32List } from "./uint32_list.ts";

/**
 * Messages ordered by (time, origin, seq). Deleted ones leave their place only when they are the newest,
 * or half of the list is such, so that deleting many stays cheap.
 */
export class OrderedRows {
  readonly #messages: MessageTable;
  readonly #rows = new Uint32List();
  #deletedCount = 0;

  constructor(messages: MessageTable) {
    this.#messages = messages;
  }

  /** With those deleted that still stand here. */
  get length(): number {
    return this.#rows.length;
  }

  /** Messages that are there, without those deleted. */
  get presentCount(): number {
    return this.#rows.length - this.#deletedCount;
  }

  /** The latest message that is there. */
  get newest(): Row | undefined {
    const last = this.#rows.length - 1;
    return last < 0 ? undefined : this.#rows.at(last);
  }

  /** The message at `index`, which must be within the list, deleted or not. */
  at(index: number): Row {
    return this.#rows.at(index);
  }

  add(row: Row): void {
    const last = this.#rows.length - 1;
    if (last < 0 || this.#messages.compare(this.#rows.at(last), row) < 0) this.#rows.push(row);
    else this.#rows.insert(this.placeOf(row), row);
  }

  /** Takes out a message whose stamp is about to change, deleted ones too if they still stand here. */
  remove(row: Row): void {
    const place = this.placeOf(row);
    if (place === this.#rows.length || this.#rows.at(place) !== row) return;
    this.#rows.removeAt(place);
    if (!this.#messages.isPresent(row)) this.#deletedCount--;
    this.#dropDeletedEnd();
  }

  noteDeleted(): void {
    this.#deletedCount++;
    this.#dropDeletedEnd();
    if (this.#deletedCount * 2 <= this.#rows.length) return;
    this.#rows.filter((row) => this.#messages.isPresent(row));
    this.#deletedCount = 0;
  }

  /** From the newest back, or from just before the message of row `before`. */
  *newestFirst(before?: Row): Generator<Row> {
    let index = before === undefined ? this.#rows.length : this.placeOf(before);
    while (--index >= 0) {
      const row = this.#rows.at(index);
      if (this.#messages.isPresent(row)) yield row;
    }
  }

  /** From the oldest on, or from just after the message of row `after`. */
  *oldestFirst(after?: Row): Generator<Row> {
    let index = after === undefined ? 0 : this.placeOf(after);
    for (; index < this.#rows.length; index++) {
      const row = this.#rows.at(index);
      if (row !== after && this.#messages.isPresent(row)) yield row;
    }
  }

  /** How many come before `row` in order: where it stands, or would. */
  placeOf(row: Row): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#messages.compare(this.#rows.at(middle), row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropDeletedEnd(): void {
    for (let last = this.#rows.length - 1; last >= 0; last--) {
      if (this.#messages.isPresent(this.#rows.at(last))) return;
      this.#rows.removeAt(last);
      this.#deletedCount--;
    }
  }
}
