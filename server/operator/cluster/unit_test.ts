import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Scratch } from "../../testing/scratch.ts";
import { MACHINE, unitText } from "./unit.ts";

const DIRECTORIES = { StateDirectory: "/var/lib", CacheDirectory: "/var/cache" };

Deno.test("unitText() runs the node with the files of its machine, and reloads by SIGHUP", () => {
  const settings = settingsOf(unitText("node1"));
  assertEquals(
    settings.get("Service.ExecStart"),
    "/usr/local/bin/chat serve --node node1 --config /etc/chat/servers.json --data /var/lib/chat",
  );
  assertEquals(settings.get("Service.ExecReload"), "/bin/kill -HUP $MAINPID");
  assertEquals(settings.get("Service.LimitCORE"), "0");
});

Deno.test("unitText() lets the program write its data, and unpack itself, and nothing else", async () => {
  const settings = settingsOf(unitText("node1"));
  assertEquals(settings.get("Service.ProtectSystem"), "strict");
  const writable = Object.entries(DIRECTORIES).map(([key, root]) =>
    `${root}/${settings.get(`Service.${key}`)}`
  );
  assertEquals(writable, [MACHINE.data, MACHINE.cache]);
  assertEquals(settings.get("Service.Environment"), `XDG_CACHE_HOME=${DIRECTORIES.CacheDirectory}`);
  const launcher = await Deno.readTextFile(
    new URL("../../../scripts/launcher.sh", import.meta.url),
  );
  assertStringIncludes(launcher, "home=${XDG_CACHE_HOME:-$home}");
  assertStringIncludes(launcher, 'prepare "$home/chat"');
});

Deno.test("unitText() has each setting once, in a section of a unit", () => {
  for (const [key] of settingsOf(unitText("node1"))) {
    assertMatch(key, /^(Unit|Service|Install)\.[A-Z]/);
  }
});

Deno.test({
  name: "unitText() is a unit without a fault to systemd-analyze",
  ignore: !await hasProgram("systemd-analyze"),
  async fn() {
    await using scratch = await Scratch.make();
    const verify = async (text: string) => {
      const path = scratch.path("chat.service");
      // It looks for the program, which is not here.
      await Deno.writeTextFile(path, text.replace(MACHINE.executable, "/bin/true"));
      const args = ["verify", path];
      const { stderr } = await new Deno.Command("systemd-analyze", { args }).output();
      // Other units of this machine may be faulty.
      const lines = new TextDecoder().decode(stderr).split("\n");
      return lines.filter((line) => line.includes("chat.service"));
    };
    assertEquals(await verify(unitText("node1")), []);
    const [fault = ""] = await verify(unitText("node1").replace("UMask", "YouMask"));
    assertStringIncludes(fault, "YouMask");
  },
});

/** By section and name; throws for one that is there twice, but for remarks. */
function settingsOf(unit: string): Map<string, string> {
  const settings = new Map<string, string>();
  let section = "";
  for (const line of unit.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    if (heading !== undefined) {
      section = heading;
      continue;
    }
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    const key = `${section}.${name}`;
    if (settings.has(key)) throw new Error(`${key} is there twice`);
    settings.set(key, value);
  }
  return settings;
}

async function hasProgram(name: string): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
