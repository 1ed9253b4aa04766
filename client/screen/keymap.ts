/** Keys that do the same, and what they do. */
interface KeyRow {
  /** As they are decoded. */
  readonly keys: readonly string[];
  /** As a person reads it. */
  readonly shown: string;
  readonly help: string;
}

const CONVERSATION_KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/** What keys do besides editing, once: for /help, and to be handled. */
export const KEYMAP = {
  enter: { keys: ["enter"], shown: "Enter", help: "sends, or runs a /command" },
  complete: { keys: ["tab"], shown: "Tab", help: "completes commands and names" },
  next_unread: { keys: ["alt+a"], shown: "Alt+A", help: "next conversation with unread messages" },
  numbered: {
    keys: CONVERSATION_KEYS.map((digit) => `alt+${digit}`),
    shown: "Alt+1…0",
    help: "first to tenth conversation",
  },
  previous: {
    keys: ["alt+left", "ctrl+p", "alt+up"],
    shown: "Alt+←, Ctrl+P",
    help: "conversation above",
  },
  next: {
    keys: ["alt+right", "ctrl+n", "alt+down"],
    shown: "Alt+→, Ctrl+N",
    help: "conversation below",
  },
  page_up: { keys: ["pageup"], shown: "PgUp", help: "older messages" },
  page_down: { keys: ["pagedown"], shown: "PgDn", help: "newer messages" },
  unread_line: { keys: ["alt+u"], shown: "Alt+U", help: "the first unread message" },
  beginning: { keys: ["home"], shown: "Home", help: "the conversation's first message" },
  end: { keys: ["end"], shown: "End", help: "the conversation's last message" },
  list: { keys: ["f2"], shown: "F2", help: "shows or hides the list of conversations" },
  back: {
    keys: ["escape"],
    shown: "Esc",
    help: "back to the messages; away with what was not sent",
  },
  redraw: { keys: ["ctrl+l"], shown: "Ctrl+L", help: "draws all anew" },
  leave: { keys: ["ctrl+c", "ctrl+d"], shown: "Ctrl+C", help: "leaves" },
} as const satisfies Record<string, KeyRow>;

export type KeyAction = keyof typeof KEYMAP;

/** Of editing, for /help. */
const EDITING: readonly (readonly [string, string])[] = [
  ["Alt+Enter", "a new line; a pasted block is one message"],
  ["Up, Down", "recall what was sent before"],
  ["Ctrl+A, Ctrl+E", "beginning and end of the line"],
  ["Alt+B, Alt+F", "a word back, a word on"],
  ["Ctrl+W, Alt+D", "delete a word back, a word on"],
  ["Ctrl+U, Ctrl+K", "delete to the line's beginning, to its end"],
  ["Ctrl+Y", "puts back what was deleted last"],
];

const actions = new Map<string, KeyAction>(
  Object.entries(KEYMAP).flatMap(([action, { keys }]) =>
    keys.map((key): [string, KeyAction] => [key, action as KeyAction])
  ),
);

/** What a key does; undefined if it is none of these. */
export function actionOf(key: string): KeyAction | undefined {
  return actions.get(key);
}

/** A line of /help for each. */
export function keyHelp(): string[] {
  const rows = [
    ...Object.values(KEYMAP).map(({ shown, help }): readonly [string, string] => [shown, help]),
    ...EDITING,
  ];
  return rows.map(([shown, help]) => `${shown.padEnd(20)}  ${help}`);
}
