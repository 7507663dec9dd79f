/** State in a form of the user's own: which version of it, and how an older one becomes the newest. */
import { fail } from '../core/errors.ts'
import type { Json } from './aggregator.ts'

export interface Versioned {
  /** 1, where it is not said. */
  readonly version?: number | undefined
  readonly migrate?: ((state: never, fromVersion: number) => unknown) | undefined
}

/** What `migrate` makes of a state, which it may change. Throws what it throws. */
export function migrated(
  migrate: NonNullable<Versioned['migrate']>,
  state: Json,
  fromVersion: number,
): Json {
  const made = migrate(state as never, fromVersion)
  const json = JSON.stringify(made) as string | undefined
  if (json !== undefined) return JSON.parse(json) as Json
  throw fail('AGGREGATE_INPUT_INVALID', `migrate gave a ${typeof made}; return the new state`)
}

/** Throws `OPTIONS_INVALID`. */
export function checkVersioned(where: string, { version, migrate }: Versioned): void {
  if (version !== undefined && !(Number.isSafeInteger(version) && version >= 1)) {
    throw fail('OPTIONS_INVALID', `${where}: option 'version' is a whole number from 1 on`)
  }
  if (migrate === undefined) return
  if (typeof migrate !== 'function') {
    throw fail('OPTIONS_INVALID', `${where}: option 'migrate' is a function`)
  }
  if (version === undefined || version === 1) {
    const words = "option 'migrate' is for state of an older version; raise 'version' with it"
    throw fail('OPTIONS_INVALID', `${where}: ${words}`)
  }
}
