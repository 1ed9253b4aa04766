/**
 * A digest of a set: the sum, modulo 2^64, of a hash of each of its members. It follows every change
 * at the cost of one hash, does not depend on the order of arrival, and so is equal on nodes that
 * know the same. It finds divergence by mistake; it is no protection against forgery.
 */
export class SetDigest {
  #high = 0;
  #low = 0;

  add(hash: HashedMember): void {
    const low = this.#low + (hash.low >>> 0);
    this.#low = low >>> 0;
    this.#high = (this.#high + hash.high + (low > this.#low ? 1 : 0)) >>> 0;
  }

  remove(hash: HashedMember): void {
    const low = this.#low - (hash.low >>> 0);
    this.#low = low >>> 0;
    this.#high = (this.#high - hash.high - (low < 0 ? 1 : 0)) >>> 0;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0");
  }
}

/** 64 bits as two int32. */
export interface HashedMember {
  readonly high: number;
  readonly low: number;
}

/** Hashes numbers into 64 bits, as two lanes of MurmurHash3's mixing (Appleby, 2011). */
export class MemberHash implements HashedMember {
  high = 0;
  low = 0;

  start(): this {
    this.high = 0x1e3779b9;
    this.low = 0x05ebca6b;
    return this;
  }

  int32(value: number): this {
    this.low = mix(this.low ^ value);
    this.high = mix((this.high + this.low | 0) + Math.imul(value, 0x27d4eb2f) | 0);
    return this;
  }

  /** A whole number up to 2^53. */
  integer(value: number): this {
    return this.int32(value | 0).int32(Math.floor(value / 2 ** 32));
  }

  text(value: string): this {
    for (let index = 0; index < value.length; index++) this.int32(value.charCodeAt(index));
    return this.int32(value.length);
  }
}

function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
