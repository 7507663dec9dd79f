/**
 * Where local copies of changelogs lie: a file a partition, which whoever on this directory owns the
 * partition next finds warm. One that is still open elsewhere (a process that sleeps while another has
 * its partitions) is left alone, and the next of its kind is taken.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { uptime } from 'node:os'
import path from 'node:path'
import { fail } from '../core/errors.ts'
import { translated } from './embedded-errors.ts'
import { inMemory } from './kafka-owned-state-database.ts'
import { StateFile } from './kafka-owned-state-file.ts'

const mostOwners = 100

export class StateFiles {
  readonly #folder: string | undefined
  readonly #boot = bootOf()

  /** Of one cluster; undefined: copies end with their handles. */
  constructor(folder: string | undefined) {
    this.#folder = folder
  }

  /** In the state directory, if there is one. */
  static of(directory: string | undefined, clusterId: string): StateFiles {
    if (directory === undefined) return new StateFiles(undefined)
    const cluster = clusterId.replace(/[^a-zA-Z0-9_-]/g, '_')
    return new StateFiles(path.join(directory, 'kafka-state', `cluster-${cluster}`))
  }

  /** Throws `DISK_FULL`, `DIRECTORY_UNUSABLE`. */
  open(topic: string, partition: number): StateFile {
    const boot = this.#boot
    if (this.#folder === undefined) return StateFile.open({ path: inMemory, boot })!
    const folder = path.join(this.#folder, topic)
    try {
      mkdirSync(folder, { recursive: true })
      for (let owner = 0; owner < mostOwners; owner++) {
        const name = owner === 0 ? `${partition}.db` : `${partition}-${owner}.db`
        const file = StateFile.open({ path: path.join(folder, name), boot })
        if (file !== undefined) return file
      }
    } catch (error) {
      throw translated(error, folder)
    }
    const words = `${folder}: ${mostOwners} processes have partition ${partition} open`
    throw fail('LOG_BUSY', `${words}; end those that sleep`, { waitMs: 1000 })
  }

  /** Undefined: somebody has it open, or copies end with their handles. */
  openFree(topic: string, partition: number): StateFile | undefined {
    if (this.#folder === undefined) return undefined
    const folder = path.join(this.#folder, topic)
    mkdirSync(folder, { recursive: true })
    return StateFile.open({ path: path.join(folder, `${partition}.db`), boot: this.#boot })
  }

  /** The changelog is gone, so is what was made from it. Nobody has it open. */
  remove(topic: string): void {
    if (this.#folder === undefined) return
    rmSync(path.join(this.#folder, topic), { recursive: true, force: true })
  }
}

/** Another one each time the machine starts. */
function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // The time of its start, which is known to some seconds: a wrong answer only costs a restore.
    return `started ${Math.round((Date.now() / 1000 - uptime()) / 10)}`
  }
}
