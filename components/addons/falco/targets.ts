import { alertmanager, loki } from "../../cluster/wellKnown";

/** Where events go; each is left out where it is not there. Without Loki they are lines of the receiver's own log. */
export interface EventTargets {
  /** Address of Alertmanager. */
  readonly alertmanager?: string;
  /** Address of Loki. */
  readonly loki?: string;
}

/** The parts of `technova:monitoring` that take events. */
export interface TargetSettings {
  readonly prometheus: unknown;
  readonly alertmanager?: unknown;
  readonly logs?: unknown;
}

/** Where a stack's events go. */
export function eventTargets(monitoring: TargetSettings | undefined): EventTargets {
  return {
    ...(monitoring?.alertmanager === undefined ? {} : { alertmanager: alertmanager.address }),
    ...(monitoring?.logs === undefined ? {} : { loki: loki.address }),
  };
}
