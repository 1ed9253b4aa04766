import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { hasTmux, type PaneSize, TmuxPane } from "./tmux_pane.ts";

const ignore = !await hasTmux();

function paneTest(name: string, test: (pane: TmuxPane) => Promise<void>, size?: PaneSize): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using pane = await TmuxPane.open(size);
      await test(pane);
    },
  });
}

paneTest("TmuxPane.open() opens a terminal of a size, and resize() changes it", async (pane) => {
  await pane.enter("stty size");
  await pane.until(/^10 30$/m);
  await pane.resize({ columns: 50, rows: 20 });
  await pane.enter("clear; stty size");
  await pane.until(/^20 50$/m);
}, { columns: 30, rows: 10 });

paneTest("TmuxPane.styled() shows colours, and spaces that were written", async (pane) => {
  await pane.enter(String.raw`clear; printf '\033[1;31mré\033[0md  \n'`);
  await pane.until(/^réd$/m);
  const rows = (await pane.styled()).split("\n");
  // How it resets colours is left to tmux.
  const [before, after] = rows[0]?.replaceAll("\x1b", "").split("[0m") ?? [];
  assertEquals(before, "[1m[31mré");
  assertMatch(after ?? "", /^(\[\d+m)*d {2}$/);
  assertEquals(rows.slice(1), ["$ ", "", "", "", ""]);
}, { columns: 20, rows: 5 });

paneTest("TmuxPane.paste() pastes in brackets where they were asked for", async (pane) => {
  await pane.enter("clear; stty -echo; echo rea''dy; cat -v");
  await pane.until(/^ready$/m);
  await pane.paste("plain ü\n");
  await pane.until(/^ready\nplain M-CM-<$/);
  await pane.press("C-c");
  await pane.until(/^\$$/m);
  await pane.enter(String.raw`clear; printf '\033[?2004h'; echo brackets; cat -v`);
  await pane.until(/^brackets$/m);
  await pane.paste("one\ntwo\n");
  await pane.press("Enter");
  await pane.until("brackets\n^[[200~one\ntwo\n^[[201~");
});

paneTest("TmuxPane.cursor() and modes() tell what a program did to the terminal", async (pane) => {
  const before = { hasAlternateScreen: false, hasVisibleCursor: true };
  assertEquals(await pane.modes(), before);
  await pane.enter(String.raw`printf '\033[?1049h\033[?25l\033[3;5Hhe''re'; read line`);
  await pane.until("here");
  assertEquals(await pane.cursor(), { column: 8, row: 2 });
  assertEquals(await pane.modes(), { hasAlternateScreen: true, hasVisibleCursor: false });
  await pane.press("Enter");
  await pane.enter(String.raw`printf '\033[?25h\033[?1049l'; echo don''e`);
  await pane.until("done");
  assertEquals(await pane.modes(), before);
});

paneTest(
  "TmuxPane.settings() tells whether a program left the terminal as it was",
  async (pane) => {
    const before = await pane.settings();
    assertMatch(before, /(^|\s)icanon\b/m);
    await pane.enter("stty raw -echo; echo beg''un; read line; stty sane; echo don''e");
    await pane.until("begun");
    assertMatch(await pane.settings(), /-icanon\b/);
    assertNotEquals(await pane.settings(), before);
    await pane.press("C-j");
    await pane.until("done");
    assertMatch(await pane.settings(), /(^|\s)icanon\b/m);
  },
);

paneTest("TmuxPane.foregroundPid() is what the shell runs, or the shell", async (pane) => {
  const shell = await pane.foregroundPid();
  await pane.enter("echo $$");
  await pane.until(new RegExp(`^${shell}$`, "m"));
  await pane.enter("clear; sh -c 'echo pid $$; exec cat'");
  const [, pid] = /^pid (\d+)$/m.exec(await pane.until(/^pid \d+$/m)) ?? [];
  assertEquals(await pane.foregroundPid(), Number(pid));
  assertNotEquals(await pane.foregroundPid(), shell);
});
