/**
 * Types of the parts of `@std` that are used here. The npm packaging of `@std` is plain JavaScript;
 * the packaging on JSR brings its own types. Declared no wider than those, so that changing the
 * lines in `deno.json` is all that moving to JSR takes.
 */

declare module "@std/assert" {
  /** `never[]` lets every constructor in, whatever its parameters. */
  type Class<T> = abstract new (...args: never[]) => T;

  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertFalse(expr: unknown, msg?: string): void;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertInstanceOf<T>(
    actual: unknown,
    expectedType: Class<T>,
    msg?: string,
  ): asserts actual is T;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertObjectMatch(
    actual: Record<PropertyKey, unknown>,
    expected: Record<PropertyKey, unknown>,
    msg?: string,
  ): void;
  /** `fn` must return a promise: an exception thrown at once is a failure of the assertion. */
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: Class<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error>(
    fn: () => unknown,
    ErrorClass: Class<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unreachable(msg?: string): never;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions<
    B extends string = never,
    S extends string = never,
    C extends string = never,
    D extends Record<string, unknown> = Record<never, never>,
  > {
    /** Options that take no value; `false` when absent. */
    boolean?: readonly B[];
    /** Options whose value stays a string. With `"_"`, so do the operands: `7` is not made a number. */
    string?: readonly S[];
    /** Options that may be repeated; `[]` when absent. */
    collect?: readonly C[];
    /** Options that `--no-NAME` turns off. */
    negatable?: readonly string[];
    alias?: Record<string, string | readonly string[]>;
    default?: D;
    /** Puts what follows `--` into `"--"` instead of `_`. */
    "--"?: boolean;
    /** Everything from the first operand on is an operand. */
    stopEarly?: boolean;
    /** Called for what no option names (`key` is absent for an operand); `false` drops it. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  export type Args<
    B extends string = never,
    S extends string = never,
    C extends string = never,
    D extends Record<string, unknown> = Record<never, never>,
  > =
    & { _: (string | number)[]; "--"?: string[]; [unknown: string]: unknown }
    & { [K in Exclude<B, C>]: boolean }
    & { [K in Exclude<S, C | "_">]?: string | undefined }
    & { [K in S & C]: string[] }
    & D;

  export function parseArgs<
    B extends string = never,
    S extends string = never,
    C extends string = never,
    D extends Record<string, unknown> = Record<never, never>,
  >(args: readonly string[], options?: ParseOptions<B, S, C, D>): Args<B, S, C, D>;
}

declare module "@std/cli/prompt-secret" {
  export interface PromptSecretOptions {
    /** Shown for every character; `""` shows nothing. */
    mask?: string;
    /** Clears the line afterwards. */
    clear?: boolean;
  }

  /** Writes its prompt to stdout. `null` when stdin is not a terminal. */
  export function promptSecret(message?: string, options?: PromptSecretOptions): string | null;
}

declare module "@std/streams" {
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }

  export function concatReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
  export function mergeReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T>;
  export function toBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array>;
  export function toJson(stream: ReadableStream): Promise<unknown>;
  export function toText(stream: ReadableStream): Promise<string>;
}

declare module "@std/text/closest-string" {
  export interface ClosestStringOptions {
    caseSensitive?: boolean;
    compareFn?: (givenWord: string, possibleWord: string) => number;
  }

  /** Throws if `possibleWords` is empty. */
  export function closestString(
    givenWord: string,
    possibleWords: readonly string[],
    options?: ClosestStringOptions,
  ): string;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(str1: string, str2: string): number;
}
