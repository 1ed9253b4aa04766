import type { Weapon } from "./battle.ts";
import * as connections from "./weapons/connections.ts";
import * as deaf from "./weapons/deaf.ts";
import * as floods from "./weapons/floods.ts";
import * as peers from "./weapons/peers.ts";
import * as signIns from "./weapons/sign_ins.ts";
import * as tls from "./weapons/tls.ts";

const WEAPONS = {
  ...connections,
  ...deaf,
  ...floods,
  ...peers,
  ...signIns,
  ...tls,
} satisfies Record<
  string,
  Weapon
>;

export type WeaponName = keyof typeof WEAPONS;

export function weaponNamed(name: string): Weapon {
  const weapon = Object.entries(WEAPONS).find(([one]) => one === name)?.[1];
  if (weapon === undefined) throw new Error(`Cannot attack with ${name}: there is no such weapon`);
  return weapon;
}
