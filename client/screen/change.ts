import type { Effect } from "./effect.ts";
import type { Model } from "./model.ts";

/** What follows from something that happened. */
export interface Change {
  readonly model: Model;
  readonly effects: readonly Effect[];
}

export function changed(model: Model, ...effects: readonly Effect[]): Change {
  return { model, effects };
}

/** Tells the person something until the next key. */
export function say(model: Model, notice: string): Change {
  return changed({ ...model, notice });
}

/** Goes on from a change with another one. */
export function andThen({ model, effects }: Change, next: (model: Model) => Change): Change {
  const after = next(model);
  return { model: after.model, effects: [...effects, ...after.effects] };
}
