import type { Anchor, Conversation } from "./conversation.ts";
import { blockAt, blockCount, blockIndex, blockKey, type Sight } from "./message_rows.ts";
import type { Row } from "./style.ts";

/** How many rows of a conversation are seen, and how wide they are. */
export interface View extends Sight {
  readonly rows: number;
}

/** What is seen of a conversation. */
export interface Seen {
  readonly rows: readonly Row[];
  /** Of the first and last block of which anything is seen; -1 if there is none. */
  readonly first: number;
  readonly last: number;
}

/** The bottom row: `hidden` rows of the block at `index` are below it. */
interface Place {
  readonly index: number;
  readonly hidden: number;
}

/** The rows that are seen, at most as many as there is room for. */
export function seen(conversation: Conversation, view: View, chosen?: string): Seen {
  const { index: last, hidden } = placeOf(conversation);
  const rows: Row[] = [];
  let first = last;
  for (let index = last; index >= 0 && rows.length < view.rows; index--) {
    const block = blockAt(conversation, index, view, chosen)?.rows ?? [];
    const end = index === last ? Math.max(0, block.length - hidden) : block.length;
    const room = view.rows - rows.length;
    rows.unshift(...block.slice(Math.max(0, end - room), end));
    first = index;
  }
  return { rows, first, last };
}

/** Moves what is seen by so many rows: up if negative. Stops at both ends. */
export function scrolled(conversation: Conversation, view: View, by: number): Anchor | undefined {
  const place = placeOf(conversation);
  return by < 0
    ? anchorOf(conversation, filled(conversation, view, up(conversation, view, place, -by)))
    : anchorOf(conversation, down(conversation, view, place, by));
}

/** The anchor at which the conversation's first row is seen. */
export function atTop(conversation: Conversation, view: View): Anchor | undefined {
  return anchorOf(conversation, filled(conversation, view, { index: 0, hidden: Infinity }));
}

/** The anchor at which this message is seen, in the middle if it was not before. */
export function showing(conversation: Conversation, view: View, id: string): Anchor | undefined {
  const index = blockIndex(conversation, id);
  const { first, last } = seen(conversation, view);
  if (index < 0 || (index > first && index < last)) return conversation.anchor;
  const below = Math.floor(view.rows / 2);
  const middle = down(conversation, view, { index, hidden: 0 }, below);
  return anchorOf(conversation, filled(conversation, view, middle));
}

/** Where an anchor is that may be of a message which is gone meanwhile. */
export function reanchored(before: Conversation, after: Conversation): Anchor | undefined {
  const { anchor } = before;
  if (anchor === undefined || blockIndex(after, anchor.key) >= 0) return anchor;
  for (let index = blockIndex(before, anchor.key); index >= 0; index--) {
    const key = blockKey(before, index);
    if (key !== undefined && blockIndex(after, key) >= 0) return { key, hidden: 0 };
  }
  return undefined;
}

function placeOf(conversation: Conversation): Place {
  const { anchor } = conversation;
  const bottom = { index: blockCount(conversation) - 1, hidden: 0 };
  if (anchor === undefined) return bottom;
  const index = blockIndex(conversation, anchor.key);
  return index < 0 ? bottom : { index, hidden: anchor.hidden };
}

/** Undefined at the very end, so that what comes next is seen too. */
function anchorOf(conversation: Conversation, { index, hidden }: Place): Anchor | undefined {
  if (index >= blockCount(conversation) - 1 && hidden <= 0) return undefined;
  const key = blockKey(conversation, index);
  return key === undefined ? undefined : { key, hidden };
}

function heightOf(conversation: Conversation, view: View, index: number): number {
  return blockAt(conversation, index, view)?.rows.length ?? 0;
}

function up(conversation: Conversation, view: View, place: Place, by: number): Place {
  let { index, hidden } = place;
  hidden += by;
  while (index > 0) {
    const height = heightOf(conversation, view, index);
    if (hidden < height) break;
    hidden -= height;
    index--;
  }
  return { index, hidden };
}

function down(conversation: Conversation, view: View, place: Place, by: number): Place {
  const last = blockCount(conversation) - 1;
  let { index, hidden } = place;
  hidden -= by;
  while (hidden < 0 && index < last) {
    index++;
    hidden += heightOf(conversation, view, index);
  }
  return { index, hidden: Math.max(0, hidden) };
}

/** Not so far up that there would be room above the first row. */
function filled(conversation: Conversation, view: View, place: Place): Place {
  const hidden = Math.min(place.hidden, heightOf(conversation, view, place.index));
  let above = heightOf(conversation, view, place.index) - hidden;
  for (let index = place.index - 1; index >= 0 && above < view.rows; index--) {
    above += heightOf(conversation, view, index);
  }
  if (above >= view.rows) return { index: place.index, hidden };
  return down(conversation, view, { index: place.index, hidden }, view.rows - above);
}
