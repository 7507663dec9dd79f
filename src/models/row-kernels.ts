/**
 * The inner loops of packed-rows.ts as WebAssembly, put together here instruction by instruction:
 * without the check of every index they are several times as fast as the same loops in JavaScript.
 */

/** One label, or two side by side in a register: their weights of a feature stand together. */
export type LaneCount = 1 | 2

/** Row entries come in groups of this many; a row is filled up with zeros. */
export const entriesTogether = 4

/** Where in the memory the scores and steps of the lanes begin, and the weights behind them. */
export const scoresAt = 0
export const stepsAt = 16
export const weightsAt = 32

/**
 * Entries lie from address `offsets` up to `end`, four bytes each: the column's place in bytes. Their
 * values, eight bytes each, lie from address `values`. At least one group.
 */
export interface RowKernels {
  /** Writes the sum of value times weight of each lane to `scoresAt`. */
  score(offsets: number, values: number, end: number): void
  /** Adds value times the step of each lane, at `stepsAt`, to the weights. */
  add(offsets: number, values: number, end: number): void
}

// What is needed of the platform's WebAssembly, of which neither esnext nor Node's types tell.
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer }
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

const pageBytes = 65_536
const modules = new Map<LaneCount, object>()

/** The loops, and their memory of at least so many bytes, all zeros. */
export function rowKernels(lanes: LaneCount, bytes: number): [RowKernels, ArrayBuffer] {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) })
  let module = modules.get(lanes)
  if (module === undefined) {
    module = new WebAssembly.Module(moduleBytes(lanes))
    modules.set(lanes, module)
  }
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } })
  return [exports as RowKernels, memory.buffer]
}

// The instructions by the names of the WebAssembly specification, chapter 5, "Binary Format". The
// second number of a load or store is the alignment, as a power of two.
type Code = readonly number[]
const localGet = (local: number) => [0x20, local]
const localSet = (local: number) => [0x21, local]
const localTee = (local: number) => [0x22, local]
const i32Const = (value: number) => [0x41, value]
const i32Add = [0x6a]
const i32LessUnsigned = [0x49]
const i32Load = (offset: number) => [0x28, 2, offset]
const v128Load = (offset: number) => [0xfd, 0x00, 3, offset]
const v128Load64Zero = (offset: number) => [0xfd, 0x5d, 3, offset]
const v128Load64Splat = (offset: number) => [0xfd, 0x0a, 3, offset]
const v128Store = (offset: number) => [0xfd, 0x0b, 3, offset]
const v128Store64Lane0 = (offset: number) => [0xfd, 0x5b, 3, offset, 0]
const f64x2Add = [0xfd, 0xf0, 0x01]
const f64x2Multiply = [0xfd, 0xf2, 0x01]
const end = 0x0b
const i32 = 0x7f
const v128 = 0x7b

// The parameters of both loops, by their number, and the first local behind them.
const offsets = 0
const values = 1
const endOfOffsets = 2
const place = 3

function moduleBytes(lanes: LaneCount): Uint8Array {
  const loopType = [0x60, ...vector([[i32], [i32], [i32]]), 0]
  const name = (text: string) => vector([...text].map((letter) => [letter.charCodeAt(0)]))
  const memory = [...name('m'), ...name('m'), 2, 0, 1]
  const bodies = [scoreBody(lanes), addBody(lanes)]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [loopType]),
    ...section(2, [memory]),
    ...section(3, [[0], [0]]),
    ...section(7, [
      [...name('score'), 0, 0],
      [...name('add'), 0, 1],
    ]),
    ...section(
      10,
      bodies.map((body) => [...unsigned(body.length), ...body]),
    ),
  ])
}

function scoreBody(lanes: LaneCount): Code {
  // A sum for each entry of a group, so that no addition waits for the one before.
  const sum = (entry: number) => 4 + entry
  const takeEntry = (entry: number) => [
    ...[...localGet(offsets), ...i32Load(4 * entry), ...weightLoad(lanes)],
    ...[...localGet(values), ...v128Load64Splat(8 * entry), ...f64x2Multiply],
    ...[...localGet(sum(entry)), ...f64x2Add, ...localSet(sum(entry))],
  ]
  const allSums = [
    ...[...localGet(sum(0)), ...localGet(sum(1)), ...f64x2Add],
    ...[...localGet(sum(2)), ...localGet(sum(3)), ...f64x2Add, ...f64x2Add],
  ]
  const locals = vector([
    [1, i32],
    [entriesTogether, v128],
  ])
  const store = [...i32Const(0), ...allSums, ...v128Store(scoresAt)]
  return [...locals, ...overEntries(takeEntry), ...store, end]
}

function addBody(lanes: LaneCount): Code {
  const step = 4
  const takeEntry = (entry: number) => [
    ...[...localGet(offsets), ...i32Load(4 * entry), ...localTee(place)],
    ...[...localGet(values), ...v128Load64Splat(8 * entry), ...localGet(step), ...f64x2Multiply],
    ...[...localGet(place), ...weightLoad(lanes), ...f64x2Add, ...weightStore(lanes)],
  ]
  const locals = vector([
    [1, i32],
    [1, v128],
  ])
  const loadStep = [...i32Const(0), ...v128Load(stepsAt), ...localSet(step)]
  return [...locals, ...loadStep, ...overEntries(takeEntry), end]
}

function weightLoad(lanes: LaneCount): Code {
  return lanes === 1 ? v128Load64Zero(weightsAt) : v128Load(weightsAt)
}

function weightStore(lanes: LaneCount): Code {
  return lanes === 1 ? v128Store64Lane0(weightsAt) : v128Store(weightsAt)
}

/** The instructions of each entry of a group, and again until there is no group left. */
function overEntries(takeEntry: (entry: number) => Code): Code {
  const loop = [0x03, 0x40]
  const branchIf = [0x0d, 0]
  return [
    ...loop,
    ...Array.from({ length: entriesTogether }, (_, entry) => takeEntry(entry)).flat(),
    ...[...localGet(values), ...i32Const(8 * entriesTogether), ...i32Add, ...localSet(values)],
    ...[...localGet(offsets), ...i32Const(4 * entriesTogether), ...i32Add, ...localTee(offsets)],
    ...[...localGet(endOfOffsets), ...i32LessUnsigned, ...branchIf, end],
  ]
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
