import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { KeyDecoder, PARAMETER_BYTES_MAX, type Press } from "./keys.ts";
import { PASTE_BYTES_MAX } from "./paste_buffer.ts";

const encoder = new TextEncoder();

/** Keys by what terminals send for them. */
const KEYS: Record<string, readonly string[]> = {
  "enter": ["\r", "\x1bOM", "\x1b[13u", "\x1b[13;1u"],
  "tab": ["\t", "\x1b[9u"],
  "shift+tab": ["\x1b[Z", "\x1b[9;2u", "\x1b[27;2;9~"],
  "escape": ["\x1b[27u"],
  "backspace": ["\x7f", "\b", "\x1b[127u"],
  "insert": ["\x1b[2~"],
  "delete": ["\x1b[3~"],
  "home": ["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"],
  "end": ["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"],
  "pageup": ["\x1b[5~"],
  "pagedown": ["\x1b[6~"],
  "up": ["\x1b[A", "\x1bOA", "\x1b[1;1A"],
  "down": ["\x1b[B", "\x1bOB"],
  "right": ["\x1b[C", "\x1bOC"],
  "left": ["\x1b[D", "\x1bOD", "\x1b[1;1:2D"],
  "f1": ["\x1bOP", "\x1b[P", "\x1b[11~", "\x1b[[A"],
  "f2": ["\x1bOQ", "\x1b[Q", "\x1b[12~", "\x1b[[B"],
  "f3": ["\x1bOR", "\x1b[R", "\x1b[13~", "\x1b[[C"],
  "f4": ["\x1bOS", "\x1b[S", "\x1b[14~", "\x1b[[D"],
  "f5": ["\x1b[15~", "\x1b[[E"],
  "f12": ["\x1b[24~"],
  "shift+f2": ["\x1b[1;2Q", "\x1bO2Q"],
  "ctrl+f3": ["\x1b[1;5R"],
  "ctrl+space": ["\0", "\x1b[32;5u"],
  "ctrl+a": ["\x01", "\x1b[97;5u", "\x1b[27;5;97~"],
  "ctrl+c": ["\x03"],
  "ctrl+i": ["\x1b[105;5u"],
  "ctrl+j": ["\n"],
  "ctrl+z": ["\x1a"],
  "ctrl+\\": ["\x1c"],
  "ctrl+_": ["\x1f"],
  "ctrl+enter": ["\x1b[13;5u", "\x1b[27;5;13~"],
  "ctrl+backspace": ["\x1b[127;5u"],
  "ctrl+left": ["\x1b[1;5D", "\x1b[5D", "\x1bOd", "\x1bO5D"],
  "ctrl+right": ["\x1b[1;5C", "\x1bOc"],
  "ctrl+delete": ["\x1b[3;5~", "\x1b[3^"],
  "ctrl+home": ["\x1b[1;5H", "\x1b[7^"],
  "shift+up": ["\x1b[1;2A", "\x1b[a"],
  "shift+delete": ["\x1b[3;2~", "\x1b[3$"],
  "ctrl+shift+pageup": ["\x1b[5;6~", "\x1b[5@"],
  "ctrl+alt+shift+right": ["\x1b[1;8C"],
  "ctrl+alt+a": ["\x1b\x01", "\x1b[97;7u"],
  "ctrl+alt+j": ["\x1b\n"],
  "alt+enter": ["\x1b\r", "\x1b[13;3u", "\x1b[27;3;13~", "\x1b\x1bOM"],
  "alt+backspace": ["\x1b\x7f", "\x1b\b", "\x1b[127;3u"],
  "alt+left": ["\x1b[1;3D", "\x1b\x1b[D", "\x1b\x1bOD", "\x1b[1;9D", "\x1b[3D"],
  "alt+right": ["\x1b[1;3C", "\x1b\x1b[C"],
  "alt+pageup": ["\x1b[5;3~", "\x1b\x1b[5~"],
  "alt+f1": ["\x1b[1;3P", "\x1b\x1b[[A"],
  "alt+shift+tab": ["\x1b\x1b[Z", "\x1b[9;4u"],
  "alt+tab": ["\x1b\t"],
  "alt+1": ["\x1b1", "\x1b[49;3u"],
  "alt+0": ["\x1b0"],
  "alt+a": ["\x1ba"],
  "alt+b": ["\x1bb", "\x1b[98;3u", "\x1b[27;3;98~"],
  "alt+shift+b": ["\x1bB", "\x1b[98;4u", "\x1b[98:66;4u", "\x1b[27;4;66~"],
  "alt+!": ["\x1b!", "\x1b[49:33;4u"],
  "alt+.": ["\x1b."],
  "alt+space": ["\x1b "],
  "alt+é": ["\x1bé"],
  "alt+shift+é": ["\x1bÉ"],
  "alt+日": ["\x1b日"],
  "alt+😀": ["\x1b😀"],
};

/** What is no key: reports and answers. */
const SWALLOWED: readonly string[] = [
  "\x1b[I",
  "\x1b[O",
  "\x1b[<0;10;20M",
  "\x1b[<64;10;20m",
  "\x1b[32;10;20M",
  "\x1b[M !!",
  "\x1b[?1;2c",
  "\x1b[>0;276;0c",
  "\x1b[12;40R",
  "\x1b[1;40R",
  "\x1b[?2026;2$y",
  "\x1b[4;1$y",
  "\x1b[8;24;80t",
  "\x1b[0n",
  "\x1b[?0u",
  "\x1b[201~",
  "\x1b[99~",
  "\x1b[57358u",
  "\x1b[97;1:3u",
  "\x1b[1;5:3D",
  "\x1b[999999999999u",
  "\x1b[55296u",
  "\x1b[155u",
  "\x1b]11;rgb:0000/0000/0000\x1b\\",
  "\x1b]10;rgb:ffff/ffff/ffff\x07",
  "\x1bP1+r544e=787465726d\x1b\\",
  "\x1bP>|tmux 3.3a\x1b\\",
  "\x1b_Gi=1;OK\x1b\\",
  "\x1b^private\x1b\\",
  "\x1bXstring – of anything\x1b\\",
  "\x1b]cancelled\x18",
  "\x1bOz",
  "\x1b[[Z",
  "\x1b[" + "1;".repeat(PARAMETER_BYTES_MAX) + "5D",
];

Deno.test("KeyDecoder knows keys as terminals send them", () => {
  for (const [key, sequences] of Object.entries(KEYS)) {
    for (const sequence of sequences) {
      assertEquals(decode(sequence), [{ kind: "key", key }], JSON.stringify(sequence));
    }
  }
});

Deno.test("KeyDecoder swallows what is no key, and knows the key after it", () => {
  for (const sequence of SWALLOWED) {
    const decoder = new KeyDecoder();
    assertEquals(decoder.push(encoder.encode(sequence)), [], JSON.stringify(sequence));
    assertEquals(decoder.isWaiting, false, JSON.stringify(sequence));
    assertEquals(decoder.push(encoder.encode("a\x1b[A")), [text("a"), key("up")]);
  }
});

Deno.test("KeyDecoder gives text that came together as one press", () => {
  assertEquals(decode("Grüße, 日本 👩‍👩‍👧\u{feff}"), [text("Grüße, 日本 👩‍👩‍👧\u{feff}")]);
  assertEquals(decode("ab\rcd\x1b[Ae"), [
    text("ab"),
    key("enter"),
    text("cd"),
    key("up"),
    text("e"),
  ]);
  assertEquals(decode("a\x1b[Ib"), [text("ab")]);
});

Deno.test("KeyDecoder takes what the number pad types, and reported letters, as text", () => {
  assertEquals(decode("\x1bOp\x1bOy\x1bOk"), [text("09+")]);
  assertEquals(decode("\x1b[97u\x1b[97;2u\x1b[49:33;2u\x1b[223u"), [text("aA!ß")]);
});

Deno.test("KeyDecoder shows broken UTF-8 as such, and C1 controls not at all", () => {
  assertEquals(new KeyDecoder().push(Uint8Array.of(0x61, 0xff, 0x62)), [text("a\ufffdb")]);
  assertEquals(new KeyDecoder().push(Uint8Array.of(0xc3, 0x0d)), [text("\ufffd"), key("enter")]);
  assertEquals(decode("a\x9b\x85b"), [text("ab")]);
});

Deno.test("KeyDecoder ends a broken sequence at what cannot be in it", () => {
  assertEquals(decode("\x1b[1\r"), [key("enter")]);
  assertEquals(decode("\x1b[1;\x1b[A"), [key("up")]);
  assertEquals(decode("\x1bO\x1b[A"), [key("up")]);
  assertEquals(decode("\x1b[é"), [text("é")]);
  assertEquals(decode("\x1b]11;rgb\rb"), [key("enter"), text("b")]);
  assertEquals(decode("\x1b]11;rgb\x1b[A"), [key("up")]);
  assertEquals(decode("\x1b[M \r"), [key("enter")]);
});

Deno.test("KeyDecoder.flush() takes an escape that nothing followed as the key", () => {
  const held: [string, string[]][] = [
    ["\x1b", ["escape"]],
    ["\x1b\x1b", ["alt+escape"]],
    ["\x1b\x1b\x1b", ["escape", "alt+escape"]],
    ["\x1b[", ["alt+["]],
    ["\x1bO", ["alt+shift+o"]],
    ["\x1b]", ["alt+]"]],
    ["\x1bP", ["alt+shift+p"]],
    ["\x1b\x1b[", ["escape", "alt+["]],
    ["\x1b]11;rgb\x1b", ["escape"]],
  ];
  for (const [sequence, keys] of held) {
    const decoder = new KeyDecoder();
    const before = decoder.push(encoder.encode(sequence));
    assertEquals(decoder.isWaiting, true);
    assertEquals([...before, ...decoder.flush()], keys.map(key), JSON.stringify(sequence));
    assertEquals(decoder.isWaiting, false);
    assertEquals(decoder.flush(), []);
    assertEquals(decoder.push(encoder.encode("[A")), [text("[A")]);
  }
});

Deno.test("KeyDecoder.flush() leaves half of anything else as it is", () => {
  for (
    const [before, after, press] of [
      ["\x1b[1;", "5D", key("ctrl+left")],
      ["\x1b[20", "0~a\x1b[201~", paste("a")],
      ["\x1b[200~a", "b\x1b[201~", paste("ab")],
      ["\x1b[200~a\x1b", "[201~", paste("a")],
      ["\x1b]11;r", "gb\x07a", text("a")],
    ] as const
  ) {
    const decoder = new KeyDecoder();
    assertEquals(decoder.push(encoder.encode(before)), []);
    assertEquals(decoder.isWaiting, false);
    assertEquals(decoder.flush(), []);
    assertEquals(decoder.push(encoder.encode(after)), [press]);
  }
  const decoder = new KeyDecoder();
  const [first = 0, second = 0] = encoder.encode("é");
  assertEquals(decoder.push(Uint8Array.of(first)), []);
  assertEquals(decoder.flush(), []);
  assertEquals(decoder.push(Uint8Array.of(second)), [text("é")]);
});

Deno.test("KeyDecoder keeps an escape that was pressed before something else came", () => {
  assertEquals(decode("\x1b\x1bx"), [key("escape"), key("alt+x")]);
  assertEquals(decode("\x1b\x1b[I"), [key("escape")]);
  assertEquals(decode("\x1b\x1b[M !!"), [key("escape")]);
  assertEquals(decode("\x1b\x1b]11;rgb\x07"), [key("escape")]);
  assertEquals(decode("\x1b\x1b]11;rgb\x1b\\"), [key("escape")]);
  assertEquals(decode("\x1b\x1b[200~a\x1b[201~"), [key("escape"), paste("a")]);
});

Deno.test("KeyDecoder gives a paste as one press, whatever is in it", () => {
  const pasted: [string, string][] = [
    ["", ""],
    ["one\rtwo\r\nthree\nfour", "one\ntwo\nthree\nfour"],
    ["\x1b[A\x03\t\x7f", "\x1b[A\x03\t\x7f"],
    ["\x1b[201", "\x1b[201"],
    ["\x1b\x1b[20\x1b[200~", "\x1b\x1b[20\x1b[200~"],
    ["日本", "日本"],
  ];
  for (const [sent, expected] of pasted) {
    assertEquals(decode(`a\x1b[200~${sent}\x1b[201~b`), [text("a"), paste(expected), text("b")]);
  }
});

Deno.test("KeyDecoder keeps of a paste what has room, and says what it dropped", () => {
  const fits = "x".repeat(PASTE_BYTES_MAX);
  assertEquals(decode(`\x1b[200~${fits}\x1b[201~`), [paste(fits)]);
  assertEquals(decode(`\x1b[200~${fits}y\x1b[201~`), [
    { kind: "paste", text: fits, droppedBytes: 1 },
  ]);
  const wide = "x" + "é".repeat(PASTE_BYTES_MAX / 2);
  assertEquals(decode(`\x1b[200~${wide}\x1b[201~`), [
    { kind: "paste", text: wide.slice(0, -1), droppedBytes: 1 },
  ]);
});

Deno.test("KeyDecoder bears endless input", () => {
  const endless = new KeyDecoder();
  const chunk = encoder.encode("\x1b[20x".repeat(10_000));
  endless.push(encoder.encode("\x1b[200~"));
  let sentBytes = 0;
  while (sentBytes < 32 * PASTE_BYTES_MAX) {
    assertEquals(endless.push(chunk), []);
    sentBytes += chunk.length;
  }
  const [press] = endless.push(encoder.encode("\x1b[201~"));
  assert(press?.kind === "paste");
  assertEquals(press.droppedBytes, sentBytes - PASTE_BYTES_MAX);
  assertEquals(endless.push(encoder.encode("a")), [text("a")]);

  for (const start of ["\x1b[", "\x1bO", "\x1b]"]) {
    const decoder = new KeyDecoder();
    decoder.push(encoder.encode(start));
    for (let round = 0; round < 100; round++) {
      assertEquals(decoder.push(encoder.encode("1;".repeat(10_000))), []);
    }
    assertEquals(decoder.push(encoder.encode("\x1b[A")), [key("up")]);
  }
});

const inputs = fc.array(
  fc.oneof(
    fc.constantFrom(...Object.values(KEYS).flat(), ...SWALLOWED),
    fc.constantFrom("\x1b[200~pasted\r\n", "\x1b[201~", "\x1b", "[", "1", ";", "é", "👩‍👩‍👧"),
    fc.string({ unit: "grapheme", maxLength: 5 }),
  ).map((part) => encoder.encode(part)),
  { maxLength: 12 },
);
const anyBytes = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 });

Deno.test("KeyDecoder gives the same however its input was cut", () => {
  const cuts = fc.array(fc.nat(12), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(fc.oneof(inputs, anyBytes), cuts, (parts, cuts) => {
    const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
    const whole = new KeyDecoder();
    const expected = [...whole.push(bytes), ...whole.flush()];
    const cut = new KeyDecoder();
    const presses: Press[] = [];
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const length = cuts[index % cuts.length] ?? 1;
      presses.push(...cut.push(bytes.subarray(at, at + length + 1)));
      at += length + 1;
    }
    assertEquals(joined([...presses, ...cut.flush()]), joined(expected));
  }));
});

Deno.test("KeyDecoder types nothing but printable characters, whatever it is sent", () => {
  fc.assert(fc.property(fc.oneof(inputs, anyBytes), (parts) => {
    const decoder = new KeyDecoder();
    for (const part of parts) {
      for (const press of [...decoder.push(part), ...decoder.flush()]) {
        if (press.kind === "text") assert(/^\P{Cc}+$/u.test(press.text), press.text);
        if (press.kind === "key") {
          assert(/^(ctrl\+)?(alt\+)?(shift\+)?(\S|[a-z]+|f\d+)$/u.test(press.key), press.key);
        }
        if (press.kind === "paste") assert(!press.text.includes("\r"));
      }
    }
  }));
});

function decode(sent: string): Press[] {
  return new KeyDecoder().push(encoder.encode(sent));
}

/** Texts that followed one another, as one. */
function joined(presses: readonly Press[]): Press[] {
  const result: Press[] = [];
  for (const press of presses) {
    const last = result.at(-1);
    if (press.kind === "text" && last?.kind === "text") {
      result[result.length - 1] = text(last.text + press.text);
    } else result.push(press);
  }
  return result;
}

function text(text: string): Press {
  return { kind: "text", text };
}

function key(key: string): Press {
  return { kind: "key", key };
}

function paste(text: string): Press {
  return { kind: "paste", text, droppedBytes: 0 };
}
