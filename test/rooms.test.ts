/** Holds the order of rooms: imports go one way, so that a room can be read without those behind it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { filesOf, importsOf, ownImportsOf } from './house.ts'

const partRooms = [
  'sources',
  'log',
  'formats',
  'transforms',
  'features',
  'models',
  'lookups',
  'sinks',
]
/** Each may import what stands before it; part rooms stand side by side. */
const order = [
  ['core'],
  ['config'],
  partRooms,
  ['warehouse'],
  ['evaluation'],
  ['training'],
  ['registry'],
  ['monitoring'],
  ['rollout'],
  ['security'],
  ['panels'],
  ['pipeline'],
  ['testing'],
  ['server'],
  ['cli'],
]
const rankOf = (room: string) => order.findIndex((rooms) => rooms.includes(room))

function mayImport(from: string, to: string): boolean {
  if (from === to || from === '') return true
  if (to === '') return false
  if (partRooms.includes(from)) return to === 'core' || (from === 'models' && to === 'features')
  return rankOf(to) < rankOf(from)
}

/** `core` of src/core/batch.ts; '' of src/index.ts, which is the package's front door. */
function roomOf(file: string): string {
  const parts = file.split('/')
  return parts.length > 2 ? parts[1]! : ''
}

describe('rooms', () => {
  const files = filesOf('src/**/*.ts')

  test('every folder in src is a room of the house', () => {
    const rooms = new Set(files.map(roomOf).filter((room) => room !== ''))
    const unknown = [...rooms].filter((room) => rankOf(room) < 0)
    assert.deepEqual(unknown, [], 'give it a place in the order, or a home in a room that is there')
    assert.ok(rooms.size > 5)
  })

  test('imports go one way', () => {
    const wrong = files.flatMap((file) =>
      ownImportsOf(file)
        .filter((other) => other.startsWith('src/') && !mayImport(roomOf(file), roomOf(other)))
        .map((other) => `${file} imports ${other}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('src imports nothing outside src but package.json, which is packed beside it', () => {
    const packed = files.filter((file) => !/\.test\.ts$|-testing[\w-]*\.ts$/.test(file))
    const wrong = packed.flatMap((file) =>
      ownImportsOf(file)
        .filter((other) => !other.startsWith('src/') && other !== 'package.json')
        .map((other) => `${file} imports ${other}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('core does no input or output', () => {
    const doors = /^node:(fs|net|http|https|http2|tls|dgram|child_process|worker_threads|sqlite)/
    const wrong = files
      .filter((file) => roomOf(file) === 'core' && !file.endsWith('.test.ts'))
      .flatMap((file) => importsOf(file).filter((name) => doors.test(name)))
    assert.deepEqual(wrong, [])
  })

  test('the order is one that can be broken', () => {
    assert.equal(mayImport('sinks', 'sources'), false)
    assert.equal(mayImport('sinks', 'warehouse'), false)
    assert.equal(mayImport('core', 'log'), false)
    assert.equal(mayImport('models', 'features'), true)
    assert.equal(mayImport('cli', 'pipeline'), true)
  })
})
