import { OrderedRows } from "./ordered_rows.ts";

/** What two accounts wrote to each other, and how much of it they have not read. */
export class Conversation extends OrderedRows {
  /** Account number → how many of the other's messages it has not read. */
  readonly #unread = new Map<number, number>();

  unreadBy(account: number): number {
    return this.#unread.get(account) ?? 0;
  }

  changeUnread(account: number, by: number): void {
    this.#unread.set(account, this.unreadBy(account) + by);
  }
}
