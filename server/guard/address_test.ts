import { assertEquals } from "@std/assert";
import { sourceOf } from "./address.ts";

Deno.test("sourceOf() takes an IPv4 address as it is, however it is written", () => {
  assertEquals(sourceOf("192.0.2.7"), "192.0.2.7");
  assertEquals(sourceOf("::ffff:192.0.2.7"), "192.0.2.7");
  assertEquals(sourceOf("::FFFF:c000:207"), "192.0.2.7");
  assertEquals(sourceOf("0:0:0:0:0:ffff:c000:0207"), "192.0.2.7");
});

Deno.test("sourceOf() takes all of an IPv6 /64 as one, and no two as the same", () => {
  const one = sourceOf("2001:db8:0:7::1");
  for (
    const same of [
      "2001:db8:0:7::2",
      "2001:DB8:0:7:ffff:ffff:ffff:ffff",
      "2001:0db8:0000:0007:0000:0000:0000:0001",
      "2001:db8:0:7:8000::",
    ]
  ) assertEquals(sourceOf(same), one, same);
  const others = ["2001:db8:0:8::1", "2001:db8:1:7::1", "2001:db8:7::1", "::1", "fe80::1%eth0"];
  assertEquals(new Set([one, ...others.map(sourceOf)]).size, others.length + 1);
  assertEquals(sourceOf("fe80::1%eth0"), sourceOf("fe80::2%eth1"));
});

Deno.test("sourceOf() takes what is no address as it is", () => {
  for (const name of ["client1", "", "localhost"]) assertEquals(sourceOf(name), name);
});
