import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { EXIT } from "../client/commands/exit_code.ts";
import { OPTIONS } from "../client/commands/option_table.ts";
import { chat } from "../client/testing/chat_process.ts";
import { allPages } from "../main.ts";
import { OPERATOR_OPTIONS } from "../server/operator/command.ts";
import { PAGE_WIDTH, renderPage, wrap } from "./page.ts";

const SECTIONS = [
  "NAME",
  "SYNOPSIS",
  "DESCRIPTION",
  "OPTIONS",
  "EXAMPLES",
  "EXIT STATUS",
  "SEE ALSO",
];
const pages = await allPages();

Deno.test("every command has a manual page of at most 80 columns, with all its sections", () => {
  const codes = Object.values(EXIT).map(String);
  for (const page of pages) {
    const text = renderPage(page);
    const lines = text.split("\n");
    assertEquals(lines.filter((line) => [...line].length > PAGE_WIDTH), [], page.name);
    const titles = lines.filter((line) => /^\S/.test(line));
    assertEquals(SECTIONS.filter((title) => !titles.includes(title)), [], page.name);
    assertGreaterOrEqual(page.examples.length, 2, page.name);
    assertEquals(page.exitStatus.filter(([code]) => !codes.includes(code)), [], page.name);
    const others = page.seeAlso.filter((one) => one.startsWith("chat ")).map((one) => one.slice(5));
    const known = [...pages.map(({ name }) => name), "help"];
    assertEquals(others.filter((one) => !known.includes(one)), [], page.name);
    for (const one of page.seeAlso.filter((it) => it.startsWith("docs/"))) {
      assert(Deno.statSync(one).isFile);
    }
  }
});

Deno.test("every option is of some command", () => {
  const used = new Set(pages.flatMap(({ options }) => options.map(({ name }) => name)));
  const known = new Set([...Object.keys(OPTIONS), ...Object.keys(OPERATOR_OPTIONS)]);
  assertEquals(known.difference(used), new Set());
});

Deno.test("chat help COMMAND and chat COMMAND --help print the same manual page", async () => {
  for (const page of pages) {
    const words = page.name.split(" ");
    const [help, option] = await Promise.all([
      chat(["help", ...words]),
      chat([...words, "--help"]),
    ]);
    assertEquals([help.code, help.stderr, help.stdout], [0, "", renderPage(page)]);
    assertEquals(option, help);
  }
  const { stdout } = await chat(["help"]);
  for (const { name } of pages) assertStringIncludes(stdout, `\n  ${name} `);
});

Deno.test("chat suggests the nearest command, option and word, with exit code 2", async () => {
  const wrong: [string[], string][] = [
    [["sned", "bob"], "chat: there is no command sned: did you mean send?\n"],
    [["log"], "chat: there is no command log: did you mean log verify?\n"],
    [["lgo", "verify"], "chat: there is no command lgo: did you mean log verify?\n"],
    [["help", "stauts"], "chat: there is no command stauts: did you mean status?\n"],
    [["serve", "--nod", "a"], "chat: serve: unknown option --nod: did you mean --node?\n"],
    [
      ["inbox", "--colour", "never"],
      "chat: inbox: unknown option --colour: did you mean --color?\n",
    ],
    [["inbox", "--color", "nevr"], "chat: inbox: --color nevr: did you mean never?\n"],
    [["frobnicate"], "chat: there is no command frobnicate\nchat help lists all commands\n"],
  ];
  await Promise.all(wrong.map(async ([args, message]) => {
    const { code, stderr, stdout } = await chat(args);
    assertEquals([code, stdout, stderr.slice(0, message.length)], [2, "", message]);
  }));
});

Deno.test("wrap() breaks between words, and leaves a word that is too long as it is", () => {
  assertEquals(wrap("a b", "  "), ["  a b"]);
  const word = "x".repeat(50);
  assertEquals(wrap(`${word} ${word} y`), [word, `${word} y`]);
  assertEquals(wrap(`a ${"…".repeat(78)}`), [`a ${"…".repeat(78)}`]);
  assertEquals(wrap(`a ${"…".repeat(79)}`), ["a", "…".repeat(79)]);
  assertEquals(wrap(""), []);
});
