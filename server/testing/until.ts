const POLL_MS = 5;
const PATIENCE_MS = 10_000;

/** Resolves once `condition` holds, which other tasks bring about. Throws after 10 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!await condition()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`Cannot go on: still not so after ${PATIENCE_MS} ms: ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
