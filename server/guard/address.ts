const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const IPV4_MAPPED_HEX = /^(?:0*:){0,5}:?ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;
/** A host of IPv6 has this many groups of 16 bits to itself at least: 2^64 addresses. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * What limits count as one address: an IPv4 address, however it is written, or the /64 of an IPv6
 * address. Whoever has one address of IPv6 has all of its /64. What is no IP address counts as it is.
 */
export function sourceOf(address: string): string {
  const mapped = IPV4_MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [plain = ""] = address.split("%");
  const [, high, low] = IPV4_MAPPED_HEX.exec(plain) ?? [];
  if (high !== undefined && low !== undefined) return ipv4Of(parseInt(high, 16), parseInt(low, 16));
  const groups = groupsOf(plain);
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** The groups of an IPv6 address, in lower case and without zeros in front. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return groups.map((group) => group.replace(/^0+(?=.)/, "").toLowerCase());
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
