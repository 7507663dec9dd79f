/**
 * How many different values there are: exact up to `exactUpTo` of them, then HyperLogLog with a
 * standard error of 1.6 %. What it becomes depends on the set of values alone, in no order.
 */
import type { Aggregator, Json, Maybe } from './aggregator.ts'
import { checkScalar } from './checked-values.ts'
import {
  addHash,
  emptyRegisters,
  estimate,
  mergeRegisters,
  packRegisters,
  type Registers,
  unpackRegisters,
} from './hyper-log-log.ts'
import {
  readBytes,
  readDoubles,
  readFields,
  savedBytes,
  savedDoubles,
  unreadable,
} from './saved.ts'
import { hash52, type Scalar } from './value-hash.ts'

/** So many hashes take as many bytes, saved, as the registers do. */
export const exactUpTo = 384

export interface DistinctState {
  /** An open-addressing table of hashes, each plus 1; 0 is free. */
  table: Float64Array
  size: number
  /** Instead of the table, once there are too many. */
  registers: Registers | null
}

const none = new Float64Array(0)

export function distinct(): Aggregator<Maybe<Scalar>, number, DistinctState> {
  return {
    name: 'distinct',
    version: 1,
    order: 'any',
    start: () => ({ table: none, size: 0, registers: null }),
    check: (value) => checkScalar('distinct', value),
    add(state, value) {
      checkScalar('distinct', value)
      if (value !== null && value !== undefined) put(state, hash52(value))
      return state
    },
    merge(one, other) {
      if (one.registers === null && other.registers !== null) return mergeInto(other, one)
      return mergeInto(one, other)
    },
    result: ({ size, registers }) => (registers === null ? size : Math.round(estimate(registers))),
    save: ({ table, registers }): Json =>
      registers === null
        ? { hashes: savedDoubles(table.filter((entry) => entry !== 0).sort()) }
        : { registers: savedBytes(packRegisters(registers)) },
    load,
  }
}

function put(state: DistinctState, hash: number): void {
  if (state.registers !== null) {
    addHash(state.registers, hash)
    return
  }
  if (state.size * 4 >= state.table.length * 3) grow(state)
  if (!insert(state.table, hash + 1)) return
  state.size++
  if (state.size > exactUpTo) toRegisters(state)
}

/** Whether it was not there yet. */
function insert(table: Float64Array, entry: number): boolean {
  const mask = table.length - 1
  // The lower bits: the upper ones choose the register.
  let place = (entry % 0x10_0000) & mask
  for (;;) {
    const held = table[place]!
    if (held === entry) return false
    if (held === 0) {
      table[place] = entry
      return true
    }
    place = (place + 1) & mask
  }
}

function grow(state: DistinctState): void {
  const larger = new Float64Array(Math.max(4, state.table.length * 2))
  for (const entry of state.table) if (entry !== 0) insert(larger, entry)
  state.table = larger
}

function toRegisters(state: DistinctState): void {
  const registers = emptyRegisters()
  for (const entry of state.table) if (entry !== 0) addHash(registers, entry - 1)
  state.registers = registers
  state.table = none
  state.size = 0
}

function mergeInto(one: DistinctState, other: DistinctState): DistinctState {
  if (one.registers !== null && other.registers !== null) {
    mergeRegisters(one.registers, other.registers)
  } else {
    for (const entry of other.table) if (entry !== 0) put(one, entry - 1)
  }
  return one
}

function load(saved: Json): DistinctState {
  const fields = readFields('distinct', saved)
  if (fields.registers !== undefined) {
    const registers = unpackRegisters(readBytes('distinct', fields.registers))
    if (registers === null) throw unreadable('distinct', 'has registers that are none')
    return { table: none, size: 0, registers }
  }
  const entries = readDoubles('distinct', fields.hashes)
  const state: DistinctState = { table: none, size: 0, registers: null }
  for (const entry of entries) {
    if (!Number.isInteger(entry) || entry < 1 || entry > 2 ** 52) {
      throw unreadable('distinct', 'has a hash that is none')
    }
    put(state, entry - 1)
  }
  return state
}
