/** The look-ups there are. To add one: its file, its test with the contract, a line here. */
import { httpPart } from './http.ts'
import { postgresPart } from './postgres.ts'

export { type HttpOptions, http } from './http.ts'
export {
  type Asking,
  defineLookup,
  type KeyField,
  type Lookup,
  type LookupContext,
  type LookupKey,
  type LookupUse,
  useLookup,
} from './lookup.ts'
export { type PostgresOptions, postgres } from './postgres.ts'

export const lookupParts = [httpPart, postgresPart] as const
