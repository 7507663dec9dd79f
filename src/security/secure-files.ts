/** Files of a secured cluster: written once, whole, and readable by their owner alone. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail, messageOf } from '../core/errors.ts'

export class SecureFiles {
  readonly directory: string
  readonly #files = new Map<string, string | Buffer>()

  /** `directory`: absolute. */
  constructor(directory: string) {
    this.directory = directory
  }

  /** Where a file will be. */
  place(...path: readonly string[]): string {
    return join(this.directory, ...path)
  }

  add(path: string, content: string | Buffer): void {
    this.#files.set(path, content)
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()]
  }

  /** Throws `SECURE_DIRECTORY_INVALID` where the directory holds anything; then nothing is written. */
  write(): void {
    if (this.#isTaken()) {
      const words = `${this.directory} is not empty; name a folder that is to be made, for keys and passwords alone`
      throw fail('SECURE_DIRECTORY_INVALID', words)
    }
    try {
      this.#writeAll()
    } catch (cause) {
      const words = `${this.directory}: ${messageOf(cause)}`
      throw fail('SECURE_DIRECTORY_INVALID', words, { cause })
    }
  }

  #isTaken(): boolean {
    if (!existsSync(this.directory)) return false
    return !statSync(this.directory).isDirectory() || readdirSync(this.directory).length > 0
  }

  #writeAll(): void {
    for (const [path, content] of this.#files) {
      const place = this.place(path)
      mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
      // The mask of the process takes rights away but never the owner's; a folder may be older.
      writeFileSync(place, content, { mode: 0o600, flag: 'wx' })
      chmodSync(place, 0o600)
    }
  }
}
