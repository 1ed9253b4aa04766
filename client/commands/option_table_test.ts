import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./errors.ts";
import { parseOptions } from "./option_table.ts";

Deno.test("parseOptions() takes options in both forms, before and after operands", () => {
  const args = ["--key=a=b", "bob", "--host", "a:1", "7", "--host", "b", "--json", "--", "-x"];
  const options = parseOptions(args, ["key", "host", "json"]);
  assertEquals(options.operands, ["bob", "7", "-x"]);
  assertEquals(options.text("key"), "a=b");
  assertEquals(options.all("host"), ["a:1", "b"]);
  assertEquals(options.has("json"), true);
});

Deno.test("parseOptions() keeps numbers as they are written", () => {
  const options = parseOptions(["007", "1e3", "--key", "0x10"], ["key"]);
  assertEquals([options.operands, options.text("key")], [["007", "1e3"], "0x10"]);
});

Deno.test("parseOptions() refuses what it does not know, and what is incomplete", () => {
  const wrong: [string[], string][] = [
    [["--jsno"], "unknown option --jsno"],
    [["-x", "text"], "unknown option -x"],
    [["--limit", "1"], "unknown option --limit"],
    [["bob", "--key"], "--key needs a value: KEY"],
    [["--key="], "--key needs a value: KEY"],
    [["--key", "a", "--key", "b"], "--key is given 2 times"],
  ];
  for (const [args, message] of wrong) {
    assertThrows(() => parseOptions(args, ["key", "json"]), UsageError, message);
  }
});

Deno.test("Options.count() takes whole numbers from 1", () => {
  assertEquals(parseOptions(["--limit", "1"], ["limit"]).count("limit"), 1);
  assertEquals(parseOptions([], ["limit"]).count("limit"), undefined);
  for (const text of ["0", "1.5", "ten", "1e3", "9999999999"]) {
    const options = parseOptions([`--limit=${text}`], ["limit"]);
    assertThrows(() => options.count("limit"), UsageError, `--limit ${text}`);
  }
});
