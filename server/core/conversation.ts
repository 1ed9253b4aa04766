import type { MessageTable, Row } from "./message_table.ts";
import { Uint32List } from "./uint32_list.ts";

/**
 * What two accounts wrote to each other, ordered by (time, origin, seq). Deleted messages leave
 * their place only when half of the list is such, so that deleting many stays cheap.
 */
export class Conversation {
  readonly #messages: MessageTable;
  readonly #rows = new Uint32List();
  #deletedCount = 0;
  /** Account number → how many of the other's messages it has not read. */
  readonly #unread = new Map<number, number>();

  constructor(messages: MessageTable) {
    this.#messages = messages;
  }

  unreadBy(account: number): number {
    return this.#unread.get(account) ?? 0;
  }

  changeUnread(account: number, by: number): void {
    this.#unread.set(account, this.unreadBy(account) + by);
  }

  /** Messages that are there, without those deleted. */
  get presentCount(): number {
    return this.#rows.length - this.#deletedCount;
  }

  add(row: Row): void {
    const last = this.#rows.length - 1;
    if (last < 0 || this.#messages.compare(this.#rows.at(last), row) < 0) this.#rows.push(row);
    else this.#rows.insert(this.#placeOf(row), row);
  }

  /** Takes out a message whose stamp is about to change, deleted ones too if they still stand here. */
  remove(row: Row): void {
    const place = this.#placeOf(row);
    if (place === this.#rows.length || this.#rows.at(place) !== row) return;
    this.#rows.removeAt(place);
    if (!this.#messages.isPresent(row)) this.#deletedCount--;
  }

  noteDeleted(): void {
    this.#deletedCount++;
    if (this.#deletedCount * 2 <= this.#rows.length) return;
    this.#rows.filter((row) => this.#messages.isPresent(row));
    this.#deletedCount = 0;
  }

  /** From the newest back, or from just before the message of row `before`. */
  *newestFirst(before?: Row): Generator<Row> {
    let index = before === undefined ? this.#rows.length : this.#placeOf(before);
    while (--index >= 0) {
      const row = this.#rows.at(index);
      if (this.#messages.isPresent(row)) yield row;
    }
  }

  /** How many come before `row` in order: where it stands, or would. */
  #placeOf(row: Row): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#messages.compare(this.#rows.at(middle), row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
