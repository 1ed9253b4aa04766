import { CodecError, duplicateKey, quote } from "./error.ts";
import { encodeValue, TAG, type ValueReader, type ValueWriter } from "./value.ts";

/**
 * How one type of object is written, read and checked: the single description that a message's
 * type, encoder and decoder all come from. What is read is wholly checked; a dict may have fields
 * that this version does not know, which are skipped, so that fields can be added.
 */
export interface Shape<T> {
  /** What a person would call it, for errors: "a str". */
  readonly name: string;
  /** The tag an object of this shape starts with; undefined for null. */
  readonly tag: number | undefined;
  read(reader: ValueReader): T;
  write(writer: ValueWriter, value: T): void;
}

/** The type that a shape describes. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

/** No object at all: a frame without payload. */
export const nothing: Shape<null> = {
  name: "nothing",
  tag: undefined,
  read(reader) {
    if (reader.bytesLeft > 0) {
      throw new CodecError("bad_payload", "Cannot use a payload: this type has none");
    }
    return null;
  },
  write: () => {},
};

export const str: Shape<string> = {
  name: "a str",
  tag: TAG.str,
  read: (reader) => reader.str(),
  write: (writer, value) => writer.str(value),
};

/** An int within ±2^53, which is what every number of this protocol needs. */
export const int: Shape<number> = {
  name: "an int",
  tag: TAG.int,
  read(reader) {
    const value = reader.int();
    if (typeof value === "bigint") {
      throw new CodecError("bad_payload", `Cannot use int ${value}: it is beyond 2^53`);
    }
    return value;
  },
  write: (writer, value) => writer.int(value),
};

/** An int that stands for yes (not 0) or no (0): the protocol has no tag of its own for it. */
export const flag: Shape<boolean> = {
  name: "0 or 1",
  tag: TAG.int,
  read: (reader) => int.read(reader) !== 0,
  write: (writer, value) => writer.int(value ? 1 : 0),
};

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Shape<W> {
  const name = words.map((one) => JSON.stringify(one)).join(" or ");
  return {
    name,
    tag: TAG.str,
    read(reader) {
      const found = reader.str();
      const known = words.find((one) => one === found);
      if (known === undefined) {
        throw new CodecError("bad_payload", `Cannot use ${quote(found)}: expected ${name}`);
      }
      return known;
    },
    write: (writer, value) => writer.str(value),
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    name: `a list of ${item.name}`,
    tag: TAG.list,
    read(reader) {
      const items: T[] = [];
      for (let left = reader.list(); left > 0; left--) items.push(item.read(reader));
      return items;
    },
    write(writer, items) {
      writer.list(items.length);
      for (const one of items) item.write(writer, one);
    },
  };
}

/** A list of exactly two. */
export function pair<A, B>(first: Shape<A>, second: Shape<B>): Shape<readonly [A, B]> {
  return {
    name: `a list of ${first.name} and ${second.name}`,
    tag: TAG.list,
    read(reader) {
      const count = reader.list();
      if (count !== 2) {
        throw new CodecError("bad_payload", `Cannot use a list of ${count}: expected 2 items`);
      }
      return [first.read(reader), second.read(reader)];
    },
    write(writer, [a, b]) {
      writer.list(2);
      first.write(writer, a);
      second.write(writer, b);
    },
  };
}

/** A dict whose keys are data, such as names. */
export function dictOf<T>(item: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return {
    name: `a dict of ${item.name}`,
    tag: TAG.dict,
    read(reader) {
      const map = new Map<string, T>();
      for (let left = reader.dict(); left > 0; left--) {
        const key = reader.str();
        if (map.has(key)) throw duplicateKey();
        map.set(key, item.read(reader));
      }
      return map;
    },
    write(writer, map) {
      writer.dict(map.size);
      for (const [key, value] of map) {
        writer.str(key);
        item.write(writer, value);
      }
    },
  };
}

interface OptionalField<T> {
  readonly optional: Shape<T>;
}

/** Marks a field of {@linkcode dict} that may be left out. */
export function optional<T>(shape: Shape<T>): OptionalField<T> {
  return { optional: shape };
}

// deno-fmt-ignore
type Fields<F> =
  & { readonly [K in keyof F as F[K] extends OptionalField<unknown> ? never : K]: Infer<F[K]> }
  & { readonly [K in keyof F as F[K] extends OptionalField<unknown> ? K : never]?:
      F[K] extends OptionalField<infer T> ? T : never };

/** Flattens an intersection, so that editors show the fields. */
type Plain<T> = { [K in keyof T]: T[K] };

/** A dict with known fields. */
export function dict<
  const F extends { readonly [key: string]: Shape<unknown> | OptionalField<unknown> },
>(
  fields: F,
): Shape<Plain<Fields<F>>> {
  const known = Object.entries(fields as Readonly<Record<string, DictField>>).map(
    ([key, field]): KnownField => {
      const required = !("optional" in field);
      const keyBytes = encodeValue(key);
      return { key, keyBytes, required, shape: "optional" in field ? field.optional : field };
    },
  );
  const all = 2 ** known.length - 1;
  const name = `a dict with ${known.map(({ key }) => key).join(", ")}`;
  return {
    name,
    tag: TAG.dict,
    read(reader) {
      const found: Record<string, unknown> = {};
      let seen = 0;
      let index = -1;
      let unknown: Set<string> | undefined;
      for (let left = reader.dict(); left > 0; left--) {
        index = takeKey(reader, known, index + 1);
        const field = known[index];
        if (field === undefined) {
          unknown ??= new Set();
          skipUnknownField(reader, unknown);
          continue;
        }
        if ((seen & (1 << index)) !== 0) throw duplicateKey();
        seen |= 1 << index;
        found[field.key] = field.shape.read(reader);
      }
      if (seen === all) return found as Plain<Fields<F>>;
      for (const [index, field] of known.entries()) {
        if (field.required && (seen & (1 << index)) === 0) {
          throw new CodecError(
            "bad_payload",
            `Cannot use a dict without ${field.key}: expected ${name}`,
          );
        }
      }
      return found as Plain<Fields<F>>;
    },
    write(writer, value) {
      const values = value as Readonly<Record<string, unknown>>;
      let count = 0;
      for (const { key } of known) if (values[key] !== undefined) count++;
      writer.dict(count);
      for (const { key, keyBytes, shape } of known) {
        if (values[key] === undefined) continue;
        writer.raw(keyBytes);
        shape.write(writer, values[key]);
      }
    },
  };
}

type DictField = Shape<unknown> | OptionalField<unknown>;

interface KnownField {
  readonly key: string;
  /** The key as it is encoded. */
  readonly keyBytes: Uint8Array;
  readonly required: boolean;
  readonly shape: Shape<unknown>;
}

/** Takes the key that comes next; fields are tried from `expected` on, as most keep the order. */
function takeKey(reader: ValueReader, known: readonly KnownField[], expected: number): number {
  for (let tried = 0; tried < known.length; tried++) {
    const index = (expected + tried) % known.length;
    const field = known[index];
    if (field !== undefined && reader.takeEqual(field.keyBytes)) return index;
  }
  return -1;
}

function skipUnknownField(reader: ValueReader, unknown: Set<string>): void {
  const key = reader.str();
  if (unknown.has(key)) throw duplicateKey();
  unknown.add(key);
  reader.skip(1);
}

/** A way of writing something that is understood, though it is not how it is written here. */
interface Form<T> {
  readonly name: string;
  readonly tag: number | undefined;
  read(reader: ValueReader): T;
}

/** Another form of a value, turned into the usual one. */
export function form<S, T>(shape: Shape<S>, toUsual: (value: S) => T): Form<T> {
  return { name: shape.name, tag: shape.tag, read: (reader) => toUsual(shape.read(reader)) };
}

/** What is written as `usual`, and may come in `others`, told apart by their first byte. */
export function anyForm<T>(usual: Shape<T>, ...others: readonly Form<NoInfer<T>>[]): Shape<T> {
  const forms = [usual, ...others];
  const name = forms.map((one) => one.name).join(", or ");
  return {
    name,
    tag: usual.tag,
    read(reader) {
      const tag = reader.peekTag();
      const found = forms.find((one) => one.tag === tag);
      if (found === undefined) {
        throw new CodecError("bad_payload", `Cannot use this payload: expected ${name}`);
      }
      return found.read(reader);
    },
    write: usual.write,
  };
}

/** One of several types of value, told apart by tag when read and by `choose` when written. */
export function either<A, B>(
  first: Shape<A>,
  second: Shape<B>,
  isFirst: (value: A | B) => value is A,
): Shape<A | B> {
  const name = `${first.name}, or ${second.name}`;
  return {
    name,
    tag: undefined,
    read(reader) {
      const tag = reader.peekTag();
      if (tag === first.tag) return first.read(reader);
      if (tag === second.tag) return second.read(reader);
      throw new CodecError("bad_payload", `Cannot use this payload: expected ${name}`);
    },
    write(writer, value) {
      if (isFirst(value)) first.write(writer, value);
      else second.write(writer, value as B);
    },
  };
}
