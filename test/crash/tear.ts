/**
 * Tears the last write of a directory that nobody has open, as a power cut may: bytes behind those
 * that a commit made durable are cut, overwritten or added; what a commit names is left alone.
 */
import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Random } from '../../src/core/random.ts'

/** Returns how many files it changed. */
export function tear(directory: string, random: Random): number {
  const log = join(directory, 'log')
  return tearSegments(log, random) + tearWal(join(log, 'millrace.db-wal'), random)
}

function tearSegments(log: string, random: Random): number {
  // The database is read from copies: whoever comes next has to recover it from its own WAL.
  const copy = join(log, 'copy.db')
  for (const ending of ['', '-wal']) {
    const from = join(log, `millrace.db${ending}`)
    if (fs.existsSync(from)) fs.copyFileSync(from, `${copy}${ending}`)
  }
  const database = new DatabaseSync(copy)
  const ends = new Map(
    database
      .prepare(
        `SELECT identity || '/' || file AS name, (SELECT coalesce(max(position + size_bytes), 0)
           FROM batches WHERE segment_id = segments.id) AS size
         FROM segments JOIN topics ON topics.id = topic_id`,
      )
      .all()
      .map(({ name, size }) => [name as string, size as number]),
  )
  database.close()
  for (const ending of ['', '-wal', '-shm']) fs.rmSync(`${copy}${ending}`, { force: true })
  let torn = 0
  for (const [name, size] of [...ends].slice(-8)) {
    const path = join(log, 'segments', name)
    if (fs.existsSync(path) && tearBehind(path, size, random)) torn++
  }
  return torn
}

/** Cuts, overwrites or lengthens what is behind `size`. */
function tearBehind(path: string, size: number, random: Random): boolean {
  const tail = fs.statSync(path).size - size
  if (tail < 0) throw new Error(`${path}: ${-tail} bytes that a commit names are not there`)
  const way = random()
  if (way < 0.3) {
    fs.truncateSync(path, size + Math.floor(random() * (tail + 1)))
    return tail > 0
  }
  const length = way < 0.6 ? tail : 1 + Math.floor(random() * 300)
  writeAt(path, garbage(length, random), size)
  return length > 0
}

/** Frames behind the last commit are those of a transaction that was on its way. */
function tearWal(path: string, random: Random): number {
  if (!fs.existsSync(path)) return 0
  const wal = fs.readFileSync(path)
  const end = committedEnd(wal)
  if (end === undefined) return 0
  const way = random()
  if (way < 0.3) fs.truncateSync(path, end + Math.floor(random() * (wal.length - end + 1)))
  else if (way < 0.6) writeAt(path, garbage(1 + Math.floor(random() * 5000), random), end)
  // The beginning of a frame that could be the next one, cut off in its page.
  else writeAt(path, wal.subarray(end - frameBytes(wal), end - 1 - Math.floor(random() * 100)), end)
  return 1
}

const walHeaderBytes = 32
const frameHeaderBytes = 24
const frameBytes = (wal: Buffer) => frameHeaderBytes + wal.readUInt32BE(8)

/** The end of the last frame that commits (sqlite.org/fileformat2.html#walformat). */
function committedEnd(wal: Buffer): number | undefined {
  if (wal.length < walHeaderBytes) return undefined
  const size = frameBytes(wal)
  const isBigEndian = (wal.readUInt32BE(0) & 1) === 1
  let sums = checksum(wal.subarray(0, 24), [0, 0], isBigEndian)
  let end: number | undefined
  for (let at = walHeaderBytes; at + size <= wal.length; at += size) {
    if (wal.compare(wal, 16, 24, at + 8, at + 16) !== 0) break
    sums = checksum(wal.subarray(at, at + 8), sums, isBigEndian)
    sums = checksum(wal.subarray(at + frameHeaderBytes, at + size), sums, isBigEndian)
    if (wal.readUInt32BE(at + 16) !== sums[0] || wal.readUInt32BE(at + 20) !== sums[1]) break
    if (wal.readUInt32BE(at + 4) !== 0) end = at + size
  }
  return end
}

function checksum(bytes: Buffer, start: [number, number], isBigEndian: boolean): [number, number] {
  let [first, second] = start
  const word = (at: number) => (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + word(at) + second) >>> 0
    second = (second + word(at + 4) + first) >>> 0
  }
  return [first, second]
}

function garbage(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

function writeAt(path: string, bytes: Buffer, position: number): void {
  const file = fs.openSync(path, 'r+')
  try {
    fs.writeSync(file, bytes, 0, bytes.length, position)
  } finally {
    fs.closeSync(file)
  }
}
