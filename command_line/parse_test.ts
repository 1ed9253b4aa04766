import { assertEquals, assertThrows } from "@std/assert";
import type { NamedOption } from "./option.ts";
import { checkOperands, parseCommandLine } from "./parse.ts";
import { UsageError } from "./usage_error.ts";

const OPTIONS: NamedOption[] = [
  { name: "color", row: { words: ["auto", "always", "never"], help: "" } },
  { name: "dry-run", row: { help: "" } },
  { name: "host", row: { value: "HOST", isRepeatable: true, help: "" } },
];

Deno.test("parseCommandLine() says what was meant by a mistyped option or word", () => {
  const wrong: [string[], string][] = [
    [["--dryrun"], "unknown option --dryrun: did you mean --dry-run?"],
    [["--hots=a"], "unknown option --hots: did you mean --host?"],
    [["--frobnicate"], "unknown option --frobnicate (put -- before text that begins with -)"],
    [["--color", "alwasy"], "--color alwasy: did you mean always?"],
    [["--color", "yes"], "--color yes: expected auto, always, never"],
    [["--color"], "--color needs a value: auto|always|never"],
  ];
  for (const [args, message] of wrong) {
    const error = assertThrows(() => parseCommandLine(args, OPTIONS), UsageError);
    assertEquals(error.message, message);
  }
});

Deno.test("parseCommandLine() gives values by name, all of those that may be repeated", () => {
  const { operands, values } = parseCommandLine(
    ["a", "--host", "b", "--dry-run", "--host=c", "--color", "never", "--", "--d"],
    OPTIONS,
  );
  assertEquals(operands, ["a", "--d"]);
  assertEquals(Object.fromEntries(values), {
    host: ["b", "c"],
    "dry-run": true,
    color: ["never"],
  });
});

Deno.test("checkOperands() counts words, and compares the first with those of a fixed set", () => {
  const words = ["bash", "zsh"];
  checkOperands([], { usage: "", min: 0, max: 1, words });
  checkOperands(["zsh"], { usage: "", min: 0, max: 1, words });
  const wrong: [string[], string][] = [
    [["bahs"], "bahs: did you mean bash?"],
    [["tcshell"], "tcshell: expected bash, zsh"],
    [["bash", "zsh"], "it does not take that many words"],
  ];
  for (const [given, message] of wrong) {
    assertThrows(
      () => checkOperands(given, { usage: "", min: 0, max: 1, words }),
      UsageError,
      message,
    );
  }
  assertThrows(() => checkOperands([], { usage: "A", min: 1, max: 1 }), UsageError, "needs more");
  assertThrows(() => checkOperands(["a"]), UsageError, "does not take");
});
