/** Fields of values by their path, as `spam.label`: typed for whoever writes them, looked up when read. */

type Scalar = string | number | boolean | bigint | Date | null | undefined
type Deeper = [never, 0, 1, 2, 3]

/**
 * The paths of a value's fields, four levels deep; a list is one field. Any text where the type is
 * not known.
 */
export type FieldOf<T, Depth extends number = 4> = unknown extends T
  ? string
  : [Depth] extends [never]
    ? never
    : { [K in keyof T & string]: PathsFrom<NonNullable<T[K]>, K, Depth> }[keyof T & string]

type PathsFrom<V, K extends string, Depth extends number> = V extends Scalar | readonly unknown[]
  ? K
  : K | `${K}.${FieldOf<V, Deeper[Depth]>}`

/** What a field holds; of a list, one of its entries. */
export type ValueAt<T, Field extends string> = unknown extends T
  ? string | number | boolean
  : Field extends keyof T
    ? EntryOf<NonNullable<T[Field]>>
    : Field extends `${infer Head}.${infer Rest}`
      ? Head extends keyof T
        ? ValueAt<NonNullable<T[Head]>, Rest>
        : never
      : never

type EntryOf<V> = V extends readonly (infer Entry)[] ? Entry : V

/** Fields that hold numbers. */
export type NumberField<T> = unknown extends T
  ? string
  : { [F in FieldOf<T>]: ValueAt<T, F> extends number ? F : never }[FieldOf<T>]

/** Fields and what they must be, all of them: one value, or one of several. */
export type Where<T> = {
  readonly [F in FieldOf<T>]?: ValueAt<T, F> | readonly ValueAt<T, F>[]
}

/** Reads one field; undefined where it is not there. */
export type Reader = (value: unknown) => unknown

/** Looks a field up by its path. What is inherited is no field. */
export function fieldReader(path: string): Reader {
  const names = path.split('.')
  return (value) => {
    let found: unknown = value
    for (const name of names) {
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) {
        return undefined
      }
      found = (found as Readonly<Record<string, unknown>>)[name]
    }
    return found
  }
}

/** Whether a value meets conditions; a list meets one when an entry of it does. */
export function conditionOf(
  where: Readonly<Record<string, unknown>> | undefined,
): (value: unknown) => boolean {
  const conditions = Object.entries(where ?? {}).map(([path, wanted]) => ({
    read: fieldReader(path),
    wanted: new Set<unknown>(Array.isArray(wanted) ? wanted : [wanted]),
  }))
  return (value) => {
    for (const { read, wanted } of conditions) {
      const found = read(value)
      const isMet = Array.isArray(found)
        ? found.some((entry) => wanted.has(entry))
        : wanted.has(found)
      if (!isMet) return false
    }
    return true
  }
}
