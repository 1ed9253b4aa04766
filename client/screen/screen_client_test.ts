import { assert, assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { testServer } from "../../server/testing/test_server.ts";
import { ChatClient, type Host } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { signInDialog } from "../dialog/sign_in_dialog.ts";
import { TestTerminal } from "../testing/test_terminal.ts";
import { type InputLog, ScreenClient } from "./screen_client.ts";

const PASSWORD = "correct horse";

/** Somebody at a terminal of their own. */
class Seat implements AsyncDisposable {
  readonly terminal = new TestTerminal();
  readonly entered: string[] = [];
  readonly notified: string[] = [];
  readonly #chat: ChatClient;
  readonly #screen: ScreenClient;
  readonly ended: Promise<string>;

  constructor(
    hosts: readonly Host[],
    user: string,
    inputs: InputLog = this.#keepEntered(),
  ) {
    this.#screen = new ScreenClient({
      terminal: this.terminal,
      clock: denoOutside.clock,
      wallMs: Date.now,
      notifying: {
        rings: true,
        sequence: "osc777",
        run: (from, text) => {
          this.notified.push(`${from}: ${text}`);
          return Promise.resolve();
        },
      },
      inputs,
    });
    this.#chat = new ChatClient({
      hosts,
      outside: denoOutside,
      onState: (state) => this.#screen.onState(state),
    });
    this.ended = this.#run(user);
  }

  #keepEntered(): InputLog {
    return {
      read: () => Promise.resolve(["entered before"]),
      add: (text) => {
        this.entered.push(text);
        return Promise.resolve();
      },
    };
  }

  async #run(user: string): Promise<string> {
    const known = { user, password: PASSWORD, mayCreate: true };
    await signInDialog(this.#chat, this.#screen, known);
    return await this.#screen.run(this.#chat);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#screen.close();
    await this.ended;
    await this.#chat.close();
  }
}

/** Signs somebody up without a screen. */
async function friend(hosts: readonly Host[], user: string): Promise<ChatClient> {
  const client = new ChatClient({ hosts, outside: denoOutside });
  await client.signIn({ user, password: PASSWORD, create: true });
  return client;
}

Deno.test("ScreenClient shows a conversation: what is written, stored and read", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using bob = await friend(hosts, "bob");
  await using alice = new Seat(hosts, "alice");
  const { terminal } = alice;
  await terminal.until("alice on node1");
  terminal.enter("/msg bob hello bob");
  await terminal.until(/alice: hello bob {2}stored on 1 node$/m);
  const [message] = await bob.history({ with: "alice" });
  assertEquals(message?.content, "hello bob");
  await bob.readMessages("alice");
  await terminal.until(/alice: hello bob {2}read$/m);
  await bob.send("alice", "hello alice\nsecond line");
  const shown = await terminal.until("second line");
  assertStringIncludes(shown, "bob: hello alice");
  assertEquals(shown.match(/hello/g)?.length, 2);
  // What is seen is read.
  for (;;) {
    const [newest] = (await bob.history({ with: "alice" })).toReversed();
    if (newest?.status === "read") break;
  }
  assertEquals(alice.entered, ["/msg bob hello bob"]);
  assertEquals(alice.notified, []);
  terminal.enter("/quit");
  assertEquals(await alice.ended, "end");
});

Deno.test("ScreenClient counts what is unread elsewhere, notifies of it, and draws the line", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using bob = await friend(hosts, "bob");
  await using carol = await friend(hosts, "carol");
  await using alice = new Seat(hosts, "alice");
  const { terminal } = alice;
  await terminal.until("alice on node1");
  await bob.send("alice", "one");
  await bob.send("alice", "two");
  await carol.send("alice", "three; ;");
  await terminal.until("3 unread");
  assertEquals(terminal.signals.filter((signal) => signal === "\x07").length, 1);
  assertEquals(terminal.signals.at(-1), "\x1b]777;notify;carol;three; ;\x1b\\");
  assertEquals(alice.notified.at(-1), "carol: three; ;");
  terminal.press("alt+a");
  await terminal.until("carol: three");
  terminal.press("alt+a");
  const shown = await terminal.until("bob: two");
  assert(/── unread ─+\n.*bob: one\n.*bob: two/.test(shown), shown);
  assertNotMatch(shown, /\d unread/);
  terminal.enter("answered");
  await terminal.until("stored on 1 node");
  assertNotMatch(terminal.shown, /unread/);
});

Deno.test("ScreenClient goes on where nothing that is entered can be kept", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using _bob = await friend(hosts, "bob");
  const inputs: InputLog = {
    read: () => Promise.reject(new Error("no permission")),
    add: () => Promise.reject(new Error("no space left")),
  };
  await using alice = new Seat(hosts, "alice", inputs);
  const { terminal } = alice;
  await terminal.until("Cannot recall what was entered before: no permission");
  terminal.enter("/msg bob hello");
  await terminal.until("Cannot keep what was entered: no space left");
  await terminal.until("stored on 1 node");
});

Deno.test("ScreenClient keeps two devices in step: what one sends, reads and deletes", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using bob = await friend(hosts, "bob");
  await using first = new Seat(hosts, "alice");
  await first.terminal.until("alice on node1");
  await using second = new Seat(hosts, "alice");
  await second.terminal.until("alice on node1");
  await bob.send("alice", "from bob");
  await second.terminal.until("1 unread");
  await first.terminal.until("1 unread");
  first.terminal.enter("/msg bob from alice");
  await first.terminal.until("stored on 1 node");
  await second.terminal.until(/^(?!.*1 unread)[^]*$/);
  second.terminal.press("alt+1");
  await second.terminal.until(/alice: from alice/);
  first.terminal.enter("/delete");
  await first.terminal.until("Which one?");
  first.terminal.press("enter");
  await first.terminal.until("[y/N]");
  first.terminal.enter("y");
  await first.terminal.until(/^(?!.*from alice)[^]*$/);
  await second.terminal.until(/^(?![^]*from alice)[^]*from bob/);
});

Deno.test("ScreenClient loads history as it is scrolled, and finds its way to what was searched", async () => {
  await using server = await testServer({ limits: { framesPerSecondMax: Infinity } });
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using bob = await friend(hosts, "bob");
  await using alice = new Seat(hosts, "alice");
  const { terminal } = alice;
  await terminal.until("alice on node1");
  const sent = Array.from({ length: 3000 }, (_, index) => bob.send("alice", `number ${index}.`));
  await Promise.all(sent);
  terminal.press("alt+1");
  await terminal.until("number 2999.");
  for (let last = 2999; last > 1500;) {
    const before = terminal.shown;
    terminal.press("pageup");
    const shown = await terminal.until(new RegExp(`^(?!${RegExp.escape(before)}$)`));
    const numbers = [...shown.matchAll(/number (\d+)\./g)].map(([, number]) => Number(number));
    // One row of the page before stays in sight, and none is left out.
    if (numbers.length > 0) {
      assertEquals(numbers, numbers.map((_, index) => (numbers[0] ?? 0) + index));
      last = numbers[0] ?? 0;
    }
  }
  terminal.press("home");
  const top = await terminal.until("number 0.");
  assert(/^.*bob .*\n.*── \d{4}-\d\d-\d\d ─+\n.*number 0\./m.test(top), top);
  terminal.press("end");
  await terminal.until("number 2999.");
  terminal.enter("/search NUMBER 777.");
  await terminal.until("3 found");
  terminal.press("down", "down", "enter");
  const found = await terminal.until(/End: newest[^]*number 777\./);
  assertStringIncludes(found, "number 776.");
  assertStringIncludes(found, "number 778.");
  // What comes meanwhile is at the end, and said.
  await bob.send("alice", "something new");
  await terminal.until("1 new below");
  terminal.press("end");
  await terminal.until("something new");
});

Deno.test("ScreenClient asks for passwords, and an account is deleted by its name only", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using alice = new Seat(hosts, "alice");
  const { terminal } = alice;
  await terminal.until("alice on node1");
  terminal.enter("/password");
  await terminal.until("Old password:");
  terminal.enter(PASSWORD);
  await terminal.until("New password:");
  terminal.enter("another horse");
  await terminal.until("The same again:");
  terminal.enter("another horse");
  await terminal.until("Changed.");
  assertNotMatch(terminal.shown, /horse/);
  terminal.enter("/delete-account");
  await terminal.until("Type your name to do it");
  terminal.enter("no");
  await terminal.until("You stay");
  terminal.enter("/delete-account");
  await terminal.until("Type your name to do it");
  terminal.enter("alice");
  assertEquals(await alice.ended, "end");
  await using again = new ChatClient({ hosts, outside: denoOutside });
  assertEquals(await again.lookUp("alice"), false);
});
