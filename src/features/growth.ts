/** Typed arrays that grow by doubling. */

export type Growable =
  | Uint8Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>

/** The array itself when it holds `length`, else a larger one with the same beginning. */
export function withRoom<Numbers extends Growable>(array: Numbers, length: number): Numbers {
  if (length <= array.length) return array
  const type = array.constructor as new (length: number) => Numbers
  const larger = new type(Math.max(array.length * 2, length))
  larger.set(array)
  return larger
}
