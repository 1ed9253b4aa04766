import { assertEquals } from "@std/assert";
import { KnownSources } from "./known_sources.ts";

Deno.test("KnownSources knows a whole /64, and forgets whom it has not seen for longest", () => {
  const known = new KnownSources();
  known.add("2001:db8::1");
  assertEquals([known.has("2001:db8::2"), known.has("2001:db8:0:1::1")], [true, false]);
  const v4 = (index: number) => `10.${index >> 16}.${index >> 8 & 255}.${index & 255}`;
  for (let index = 1; index < 10_000; index++) known.add(v4(index));
  known.add("2001:db8::3");
  known.add(v4(10_000));
  assertEquals([known.has("2001:db8::1"), known.has(v4(1)), known.has(v4(2))], [true, false, true]);
});
