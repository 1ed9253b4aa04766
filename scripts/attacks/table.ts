import type { Attack } from "./attack.ts";
import { BY_MEMBERS } from "./table/members.ts";
import { AT_THE_PORT_FOR_NODES } from "./table/peers.ts";
import { BY_PASSWORDS } from "./table/sign_ins.ts";
import { BY_STRANGERS } from "./table/strangers.ts";
import { AGAINST_TLS } from "./table/tls.ts";

/** Each attack of the campaign. */
export const ATTACKS: readonly Attack[] = [
  ...BY_STRANGERS,
  ...BY_PASSWORDS,
  ...BY_MEMBERS,
  ...AT_THE_PORT_FOR_NODES,
  ...AGAINST_TLS,
];
