/**
 * Looks through the bytes of an Avro value before they are decoded: the library believes a damaged count
 * of items, and would take all memory for them. Only for schemas with arrays or maps.
 */
import type { Type } from 'avsc'

/** Moves over one value. Throws what is wrong with the bytes. */
type Skip = (place: Place) => void

interface Place {
  readonly bytes: Buffer
  readonly end: number
  at: number
}

interface Shape {
  readonly skip: Skip
  /** The fewest bytes that a value takes. */
  readonly leastBytes: () => number
}

/** Of items that take no bytes (nulls), so many at most. */
const mostEmptyItems = 65_536

/** Undefined: the schema has nothing that is counted. */
export function guardOf(
  type: Type,
): ((bytes: Buffer, start: number, end: number) => void) | undefined {
  const builder = new GuardBuilder()
  const { skip } = builder.shape(type)
  if (!builder.hasCounts) return undefined
  return (bytes, start, end) => skip({ bytes, at: start, end })
}

/** What of avsc's types is looked at; its own declarations leave some out. */
interface AnyType {
  readonly typeName: string
  readonly size?: number
  readonly underlyingType?: AnyType
  readonly itemsType?: AnyType
  readonly valuesType?: AnyType
  readonly types?: readonly AnyType[]
  readonly fields?: readonly { readonly type: AnyType }[]
}

class GuardBuilder {
  hasCounts = false
  readonly #known = new Map<AnyType, Shape>()

  shape(given: Type | AnyType): Shape {
    const type = given as AnyType
    const known = this.#known.get(type)
    if (known !== undefined) return known
    // A record may hold itself: whoever asks in between gets what will be filled in.
    let made: Shape | undefined
    let isAsked = false
    const later: Shape = {
      skip: (place) => made!.skip(place),
      leastBytes: () => {
        // In a type that holds itself without a way out no value ends: none of it counts.
        if (isAsked) return 0
        isAsked = true
        const least = made!.leastBytes()
        isAsked = false
        return least
      },
    }
    this.#known.set(type, later)
    made = this.#make(type)
    return later
  }

  #make(type: AnyType): Shape {
    const { typeName } = type
    if (type.underlyingType !== undefined) return this.shape(type.underlyingType)
    switch (typeName) {
      case 'null':
        return { skip: () => undefined, leastBytes: () => 0 }
      case 'boolean':
        return fixed(1)
      case 'float':
        return fixed(4)
      case 'double':
        return fixed(8)
      case 'fixed':
        return fixed(type.size!)
      case 'int':
      case 'long':
      case 'abstract:long':
      case 'enum':
        return { skip: (place) => void countAt(place), leastBytes: () => 1 }
      case 'bytes':
      case 'string':
        return { skip: skipText, leastBytes: () => 1 }
      case 'array':
        return this.#counted(this.shape(type.itemsType!), false)
      case 'map':
        return this.#counted(this.shape(type.valuesType!), true)
      case 'union:wrapped':
      case 'union:unwrapped':
        return union(type.types!.map((one) => this.shape(one)))
      default:
        return record(type.fields!.map((field) => this.shape(field.type)))
    }
  }

  #counted(item: Shape, hasKeys: boolean): Shape {
    this.hasCounts = true
    let known: number | undefined
    const skip = (place: Place) => {
      known ??= item.leastBytes() + (hasKeys ? 1 : 0)
      const least = known
      for (let count = countAt(place); count !== 0; count = countAt(place)) {
        if (count < 0) {
          count = -count
          countAt(place)
        }
        const most = least === 0 ? mostEmptyItems : (place.end - place.at) / least
        if (count > most) throw new Error(`it is damaged: ${count} items do not fit into its bytes`)
        for (let index = 0; index < count; index++) {
          if (hasKeys) skipText(place)
          item.skip(place)
        }
      }
    }
    return { skip, leastBytes: () => 1 }
  }
}

function fixed(sizeBytes: number): Shape {
  return { skip: (place) => move(place, sizeBytes), leastBytes: () => sizeBytes }
}

function union(branches: readonly Shape[]): Shape {
  const skip = (place: Place) => {
    const index = countAt(place)
    const branch = branches[index]
    if (branch === undefined) throw new Error(`it is damaged: a union has no branch ${index}`)
    branch.skip(place)
  }
  return { skip, leastBytes: () => 1 }
}

function record(fields: readonly Shape[]): Shape {
  const skip = (place: Place) => {
    for (const field of fields) field.skip(place)
  }
  return { skip, leastBytes: () => fields.reduce((sum, field) => sum + field.leastBytes(), 0) }
}

function skipText(place: Place): void {
  const length = countAt(place)
  if (length < 0) throw new Error(`it is damaged: a length is ${length}`)
  move(place, length)
}

function move(place: Place, sizeBytes: number): void {
  if (sizeBytes > place.end - place.at) throw new Error('it is cut short')
  place.at += sizeBytes
}

/** A zigzag number of at most 10 bytes; beyond 2^53 it is only about as large, which is enough here. */
function countAt(place: Place): number {
  let value = 0
  let scale = 1
  for (let index = 0; index < 10; index++) {
    if (place.at >= place.end) throw new Error('it is cut short')
    const byte = place.bytes[place.at++]!
    value += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }
  throw new Error('it is damaged: a number has more than 10 bytes')
}
