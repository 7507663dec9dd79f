/** Checks of estimators' options: each throws `OPTIONS_INVALID`, and `who` begins the message. */
import { fail } from '../core/errors.ts'

/** Refuses an option that is not known; `reasons` says more of some. */
export function checkNames(
  who: string,
  options: object,
  known: readonly string[],
  reasons: Readonly<Record<string, string>> = {},
): void {
  const name = Object.keys(options).find((given) => !known.includes(given))
  if (name === undefined) return
  const reason = Object.hasOwn(reasons, name) ? reasons[name] : `unknown option '${name}'`
  throw optionInvalid(who, `${reason}; known: ${known.join(', ')}`)
}

export function checkPositive(who: string, name: string, value: unknown): void {
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return
  throw optionInvalid(who, `${name} is ${String(value)}; give a number above 0`)
}

export function checkNotNegative(who: string, name: string, value: unknown): void {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return
  throw optionInvalid(who, `${name} is ${String(value)}; give a number from 0`)
}

export function checkCount(who: string, name: string, value: unknown): void {
  if (Number.isInteger(value) && (value as number) >= 1) return
  throw optionInvalid(who, `${name} is ${String(value)}; give a whole number from 1`)
}

export function checkBoolean(who: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw optionInvalid(who, `${name} is ${String(value)}; give true or false`)
}

export function checkChoice(
  who: string,
  name: string,
  value: unknown,
  choices: readonly (string | null)[],
): void {
  if (choices.includes(value as string | null)) return
  const words = choices.map((choice) => (choice === null ? 'null' : `'${choice}'`)).join(', ')
  throw optionInvalid(who, `${name} is ${JSON.stringify(value)}; give one of ${words}`)
}

export function optionInvalid(who: string, what: string) {
  return fail('OPTIONS_INVALID', `${who}: ${what}`)
}
