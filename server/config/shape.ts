import { levenshteinDistance } from "@std/text/levenshtein-distance";
import * as v from "valibot";
import { LIMITS, type Limits } from "../limits.ts";

const COPY_TIMEOUT_MAX_MS = 60_000;
const RETENTION_DAYS_MAX = 36_500;
const PORT_MAX = 65_535;
const NODES_MAX = 100;
/** Who may make an account: anybody, whoever has an invitation, or only the operator. */
const REGISTRATIONS = ["open", "invite", "closed"] as const;
/** A name is part of file names and of operations' origins. */
const NODE_NAME = /^[A-Za-z0-9_-]{1,32}$/;
/** A name, or an address of version 4 or 6; a single colon would be a port's. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:%A-Za-z]*)$/;
/** Of what was found, so many characters are shown. */
const SHOWN_MAX = 60;
/** A name is taken for another one with so many characters wrong, at most. */
const TYPOS_MAX = 2;
/** How valibot calls what {@linkcode knownFields} adds. */
const UNKNOWN_FIELD = "raw_check";

const wholeNumber = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** Where something listens. */
export const addressShape = knownFields({
  host: v.pipe(v.string(), v.regex(HOST)),
  port: wholeNumber(0, PORT_MAX),
});

const path = v.pipe(v.string(), v.minLength(1));
const tlsShape = knownFields({ cert: path, key: path, ca: path });

const nodeShape = knownFields({
  name: v.pipe(v.string(), v.regex(NODE_NAME)),
  tcp: addressShape,
  grpc: addressShape,
  tls: v.optional(tlsShape),
  desc: v.optional(v.string()),
});

/** What `servers.json` may say. */
export const configShape = knownFields({
  cluster: v.optional(knownFields({
    copies: v.optional(wholeNumber(1, NODES_MAX)),
    copyTimeoutMs: v.optional(wholeNumber(1, COPY_TIMEOUT_MAX_MS)),
  })),
  retention: v.optional(knownFields({ days: wholeNumber(1, RETENTION_DAYS_MAX) })),
  registration: v.optional(v.picklist(REGISTRATIONS)),
  limits: v.optional(limitsShape()),
  nodes: v.pipe(v.array(nodeShape), v.minLength(1), v.maxLength(NODES_MAX)),
});

/** What each field has to be, for people. No two fields of one name differ. */
const EXPECTED: ReadonlyMap<unknown, string> = new Map([
  ["cluster", "an object with copies and copyTimeoutMs"],
  ["copies", `a whole number from 1 to ${NODES_MAX}`],
  ["copyTimeoutMs", `a whole number from 1 to ${COPY_TIMEOUT_MAX_MS}`],
  ["retention", "an object with days"],
  ["days", `a whole number from 1 to ${RETENTION_DAYS_MAX}`],
  ["registration", REGISTRATIONS.map((one) => JSON.stringify(one)).join(" or ")],
  ["limits", `an object with any of ${Object.keys(LIMITS).join(", ")}`],
  ...Object.entries(LIMITS).map(([name, { min, max }]) =>
    [name, `a whole number from ${min} to ${max}`] as const
  ),
  ["nodes", `a list of 1 to ${NODES_MAX} nodes`],
  ["name", "1 to 32 letters, digits, _ or -"],
  ["tcp", "an object with host and port"],
  ["grpc", "an object with host and port"],
  ["host", "a host name or an IP address"],
  ["port", `a whole number from 0 to ${PORT_MAX}`],
  ["tls", "an object with cert, key and ca"],
  ["cert", "the path of a certificate"],
  ["key", "the path of the certificate's key"],
  ["ca", "the path of the certificate of the cluster's CA"],
  ["desc", "a text"],
]);
const EXPECTED_NODE = "an object with name, tcp, grpc and, if wanted, tls and desc";
const EXPECTED_ALL =
  "an object with nodes and, if wanted, cluster, retention, registration and limits";

/** An object with these fields; every other one is a fault, not only the first. */
function knownFields<const E extends v.ObjectEntries>(entries: E) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isObject),
    v.looseObject(entries),
    v.rawCheck(({ dataset: { value }, addIssue }) => {
      const input = value as Record<string, unknown>;
      for (const key of Object.keys(input).filter((it) => !Object.hasOwn(entries, it))) {
        const hint = didYouMean(key, Object.keys(entries));
        const path = { type: "object", origin: "key", input, key, value: input[key] } as const;
        addIssue({ message: `no such field${hint}`, path: [path] });
      }
    }),
  );
}

function limitsShape() {
  const rows = Object.entries(LIMITS).map(([name, { min, max }]) => [
    name,
    v.exactOptional(wholeNumber(min, max)),
  ]);
  return knownFields(
    Object.fromEntries(rows) as Record<
      keyof Limits,
      v.ExactOptionalSchema<ReturnType<typeof wholeNumber>, undefined>
    >,
  );
}

/** What is wrong with single fields, each with its path. */
export function shapeFaults(issues: readonly v.BaseIssue<unknown>[]): string[] {
  const faults = new Map<string, string>();
  for (const { path: items = [], type, message, input } of issues) {
    const path = pathText(items.map(({ key }) => key));
    const fault = type === UNKNOWN_FIELD
      ? message
      : `expected ${expected(items.at(-1)?.key)}, ${found(input)}`;
    // A field may fail several checks of what it has to be.
    if (!faults.has(path)) faults.set(path, `${path}: ${fault}`);
  }
  return [...faults.values()];
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

/** A field of whatever it may be. */
export function field(raw: unknown, key: string): unknown {
  return isObject(raw) ? raw[key] : undefined;
}

function expected(key: unknown): string {
  if (key === undefined) return EXPECTED_ALL;
  return typeof key === "number" ? EXPECTED_NODE : EXPECTED.get(key) ?? "something else";
}

function found(input: unknown): string {
  if (input === undefined) return "found nothing";
  const text = JSON.stringify(input);
  return `found ${text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text}`;
}

function pathText(keys: readonly unknown[]): string {
  const text = keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
  return text === "" ? "all of it" : text.replace(/^\./, "");
}

/** ` (did you mean x?)` if one of `known` is close to what was written. */
export function didYouMean(written: string, known: readonly string[]): string {
  const [closest] = known
    .map((name) => ({
      name,
      edits: levenshteinDistance(written.toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ name, edits }) => edits <= TYPOS_MAX && edits < name.length)
    .sort((a, b) => a.edits - b.edits);
  return closest === undefined ? "" : ` (did you mean ${closest.name}?)`;
}
