/** The doctor's checks of MILLRACE_DIR: can it be written, is there room, how long does a sync take. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../core/errors.ts'
import type { Check, Finding } from './doctor-check.ts'
import { bytesText } from './table.ts'

const fewFreeBytes = 100 * 1024 ** 2
const someFreeBytes = 1024 ** 3
/** A commit waits for about two syncs; beyond this it shows. */
const slowSyncMs = 20
const syncs = 7
const largeWalBytes = 64 * 1024 ** 2

export function directoryChecks(directory: string): Check[] {
  const isThere = existsSync(directory)
  const common: Check[] = [
    { name: 'directory', run: () => checkDirectory(directory) },
    { name: 'free space', run: () => checkSpace(nearest(directory)) },
  ]
  if (!isThere) return common
  return [
    ...common,
    { name: 'sync', run: () => checkSync(directory) },
    { name: 'write-ahead log', run: () => checkWal(join(directory, 'log', 'millrace.db-wal')) },
  ]
}

/** The directory itself, or the nearest one above it that exists. */
function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(dirname(directory))
}

function checkDirectory(directory: string): Finding {
  const place = nearest(directory)
  const fix = 'correct its rights, or choose another directory with MILLRACE_DIR'
  if (!statSync(place).isDirectory()) {
    return { health: 'fail', saw: `${place} is not a directory`, fix }
  }
  try {
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    return { health: 'fail', saw: `${place} cannot be written: ${messageOf(error)}`, fix }
  }
  if (place === directory) return { health: 'ok', saw: directory }
  return { health: 'ok', saw: `${directory} is not there yet; the first run makes it` }
}

function checkSpace(place: string): Finding {
  const { bavail, blocks, bsize } = statfsSync(place)
  const freeBytes = bavail * bsize
  const share = blocks === 0 ? 100 : Math.round((bavail / blocks) * 100)
  const saw = `${bytesText(freeBytes)} free (${share} %)`
  const fix = 'make room, or let topics forget: topic(..., { retentionMs, retentionBytes })'
  if (freeBytes < fewFreeBytes) return { health: 'fail', saw, fix }
  return freeBytes < someFreeBytes ? { health: 'warn', saw, fix } : { health: 'ok', saw }
}

/** Writes and syncs a small file as a commit does, and takes the middle of some tries. */
function checkSync(directory: string): Finding {
  const path = join(directory, `doctor-${process.pid}.tmp`)
  const file = openSync(path, 'wx')
  const times: number[] = []
  try {
    for (let index = 0; index < syncs; index++) {
      writeSync(file, Buffer.alloc(4096, index))
      const startedAt = performance.now()
      fsyncSync(file)
      times.push(performance.now() - startedAt)
    }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
  const middleMs = times.sort((a, b) => a - b)[Math.floor(syncs / 2)]!
  const saw = `${middleMs.toFixed(1)} ms for 4 KiB to be safe on the disk`
  if (middleMs <= slowSyncMs) return { health: 'ok', saw }
  const fix = 'a faster disk makes every commit faster; --durability process does without syncs'
  return { health: 'warn', saw, fix }
}

function checkWal(path: string): Finding {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size
  if (sizeBytes === undefined) return { health: 'ok', saw: 'none' }
  const saw = bytesText(sizeBytes)
  if (sizeBytes <= largeWalBytes) return { health: 'ok', saw }
  const fix =
    'something keeps it from being copied back: a long read, or no process that runs pipelines'
  return { health: 'warn', saw, fix }
}
