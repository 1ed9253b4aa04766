/** Whether a world in which only these deeds are done still fails. */
export type Fails = (deeds: readonly number[]) => Promise<boolean>;

/**
 * The fewest deeds that still fail, as far as leaving out some at a time finds them, after so many tries
 * at most: delta debugging (Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing Input",
 * 2002).
 */
export async function shrink(
  deeds: readonly number[],
  fails: Fails,
  triesMax: number,
): Promise<readonly number[]> {
  let left = deeds;
  let tries = 0;
  for (let size = Math.ceil(left.length / 2); size >= 1 && tries < triesMax;) {
    let hasShrunk = false;
    for (let from = 0; from < left.length && tries < triesMax;) {
      const without = left.toSpliced(from, size);
      tries++;
      if (await fails(without)) {
        left = without;
        hasShrunk = true;
      } else from += size;
    }
    if (size === 1 && !hasShrunk) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return left;
}
