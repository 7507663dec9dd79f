/**
 * The inner loops of packed-rows.ts as WebAssembly, put together here instruction by instruction:
 * two labels in each register and no check of every index, which is several times as fast as the
 * same loops in JavaScript.
 */

/** Row entries come in groups of this many; a row is filled up with zeros. */
export const entriesTogether = 4

/** Where in the memory the scores and steps of the lanes begin, and the weights behind them. */
export const scoresAt = 0
export const stepsAt = 64
export const weightsAt = 128

/**
 * Entries lie from address `offsets` up to `end`, four bytes each: the column's place in bytes. Their
 * values, eight bytes each, lie from address `values`. At least one group.
 */
export interface RowKernels {
  /** Writes the sum of value times weight of each lane to `scoresAt`. */
  score(offsets: number, values: number, end: number): void
  /** Adds value times the step of each lane, at `stepsAt`, to the weights. */
  add(offsets: number, values: number, end: number): void
  /** The same, times the scale of each weight: those lie `distance` bytes behind the weights. */
  addScaled(offsets: number, values: number, end: number, distance: number): void
}

// What is needed of the platform's WebAssembly, of which neither esnext nor Node's types tell.
interface Memory {
  readonly buffer: ArrayBuffer
}
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => Memory
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

const pageBytes = 65_536
const modules = new Map<number, object>()

/** Loops over one lane or an even number, and their memory of at least so many bytes, all zeros. */
export function rowKernels(lanes: number, bytes: number): [RowKernels, ArrayBuffer] {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) })
  let module = modules.get(lanes)
  if (module === undefined) {
    module = new WebAssembly.Module(moduleBytes(lanes))
    modules.set(lanes, module)
  }
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } })
  return [exports as RowKernels, memory.buffer]
}

// The instructions by the names of the WebAssembly specification, chapter 5, "Binary Format".
type Code = readonly number[]
const localGet = (local: number) => [0x20, local]
const localSet = (local: number) => [0x21, local]
const localTee = (local: number) => [0x22, local]
const i32Const = (value: number) => [0x41, ...signed(value)]
const i32Add = [0x6a]
const i32LessUnsigned = [0x49]
const i32Load = (offset: number) => [0x28, 2, ...unsigned(offset)]
const v128Load = (offset: number) => [0xfd, 0, 3, ...unsigned(offset)]
const v128LoadSplat = (offset: number) => [0xfd, 10, 3, ...unsigned(offset)]
const v128Store = (offset: number) => [0xfd, 11, 3, ...unsigned(offset)]
const v128LoadLow = (offset: number) => [0xfd, 0x5d, 3, ...unsigned(offset)]
const v128StoreLow = (offset: number) => [0xfd, 0x5b, 3, ...unsigned(offset), 0]
const f64x2Add = [0xfd, 0xf0, 1]
const f64x2Multiply = [0xfd, 0xf2, 1]
const end = 0x0b
const i32 = 0x7f
const v128 = 0x7b

// The parameters of all three loops, by their number.
const offsets = 0
const values = 1
const endOfOffsets = 2
const distance = 3

// Weights and what lies as they do: two lanes, or one that is alone.
const weightLoad = (lanes: number, pair: number) =>
  lanes === 1 ? v128LoadLow(weightsAt) : v128Load(weightsAt + 16 * pair)
const weightStore = (lanes: number, pair: number) =>
  lanes === 1 ? v128StoreLow(weightsAt) : v128Store(weightsAt + 16 * pair)

function moduleBytes(lanes: number): Uint8Array {
  const functionOf = (parameters: number) => [0x60, ...vector(times(parameters, () => [i32])), 0]
  const name = (text: string) => vector([...text].map((letter) => [letter.charCodeAt(0)]))
  const bodies = [scoreBody(lanes), addBody(lanes, false), addBody(lanes, true)]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [functionOf(3), functionOf(4)]),
    ...section(2, [[...name('m'), ...name('m'), 2, 0, 1]]),
    ...section(3, [[0], [0], [1]]),
    ...section(
      7,
      ['score', 'add', 'addScaled'].map((text, index) => [...name(text), 0, index]),
    ),
    ...section(
      10,
      bodies.map((body) => [...unsigned(body.length), ...body]),
    ),
  ])
}

function scoreBody(lanes: number): Code {
  const pairs = Math.ceil(lanes / 2)
  // Two sums a pair, for every other entry, so that no addition waits for the one before.
  const place = 3
  const value = 4
  const sum = (entry: number, pair: number) => 5 + (entry % 2) * pairs + pair
  const takeEntry = (entry: number) => [
    ...[...localGet(offsets), ...i32Load(4 * entry), ...localSet(place)],
    ...[...localGet(values), ...v128LoadSplat(8 * entry), ...localSet(value)],
    ...times(pairs, (pair) => [
      ...[...localGet(place), ...weightLoad(lanes, pair), ...localGet(value)],
      ...[...f64x2Multiply, ...localGet(sum(entry, pair)), ...f64x2Add],
      ...localSet(sum(entry, pair)),
    ]).flat(),
  ]
  const storePair = (pair: number) => [
    ...[...i32Const(0), ...localGet(sum(0, pair)), ...localGet(sum(1, pair)), ...f64x2Add],
    ...v128Store(scoresAt + 16 * pair),
  ]
  const locals = [
    [1, i32],
    [1 + 2 * pairs, v128],
  ]
  return [...vector(locals), ...overEntries(takeEntry), ...times(pairs, storePair).flat(), end]
}

function addBody(lanes: number, isScaled: boolean): Code {
  const pairs = Math.ceil(lanes / 2)
  const place = isScaled ? 4 : 3
  const value = place + 1
  const step = (pair: number) => place + 2 + pair
  const loadStep = (pair: number) => [
    ...[...i32Const(0), ...v128Load(stepsAt + 16 * pair), ...localSet(step(pair))],
  ]
  const scale = (pair: number) => [
    ...[...localGet(place), ...localGet(distance), ...i32Add],
    ...[...weightLoad(lanes, pair), ...f64x2Multiply],
  ]
  const takeEntry = (entry: number) => [
    ...[...localGet(offsets), ...i32Load(4 * entry), ...localSet(place)],
    ...[...localGet(values), ...v128LoadSplat(8 * entry), ...localSet(value)],
    ...times(pairs, (pair) => [
      ...[...localGet(place), ...localGet(value), ...localGet(step(pair)), ...f64x2Multiply],
      ...(isScaled ? scale(pair) : []),
      ...[...localGet(place), ...weightLoad(lanes, pair), ...f64x2Add],
      ...weightStore(lanes, pair),
    ]).flat(),
  ]
  const locals = [
    [1, i32],
    [1 + pairs, v128],
  ]
  return [...vector(locals), ...times(pairs, loadStep).flat(), ...overEntries(takeEntry), end]
}

/** The instructions of each entry of a group, and again until there is no group left. */
function overEntries(takeEntry: (entry: number) => Code): Code {
  const loop = [0x03, 0x40]
  const again = [0x0d, 0]
  return [
    ...loop,
    ...times(entriesTogether, takeEntry).flat(),
    ...[...localGet(values), ...i32Const(8 * entriesTogether), ...i32Add, ...localSet(values)],
    ...[...localGet(offsets), ...i32Const(4 * entriesTogether), ...i32Add, ...localTee(offsets)],
    ...[...localGet(endOfOffsets), ...i32LessUnsigned, ...again, end],
  ]
}

function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function section(id: number, items: readonly Code[]): Code {
  const content = vector(items)
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

/** LEB128 of a small number that is not negative. */
function signed(value: number): Code {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)]
}
