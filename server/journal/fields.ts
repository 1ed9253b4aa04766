/** Fields of a line of JSON, checked one by one. */

/** A record that is not one: the message says what was expected and what was found. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

export type JsonObject = { readonly [key: string]: unknown };

export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // What the library says of it has a piece of the line in it, which may be a secret.
    throw new RecordError("not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("line", "an object", value);
  }
  return value as JsonObject;
}

export function string(fields: JsonObject, key: string): string {
  const value = fields[key];
  if (typeof value !== "string") throw wrong(key, "a string", value);
  return value;
}

export function strings(fields: JsonObject, key: string): readonly string[] {
  const value = fields[key];
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw wrong(key, "a list of strings", value);
  }
  return value;
}

export function integer(fields: object, key: string, min: number): number {
  const value = (fields as JsonObject)[key];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) {
    throw wrong(key, `a whole number from ${min}`, value);
  }
  return value;
}

/** Says no more of what was found than its type: it may be a secret. */
export function wrong(key: string, expected: string, found: unknown): RecordError {
  const what = found === undefined ? "nothing" : `another ${typeof found}`;
  return new RecordError(`expected ${key} to be ${expected}, found ${what}`);
}
