/** Files of a secured cluster: written once, whole, and readable by their owner alone. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fail } from '../core/errors.ts'

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

  /** Throws `SECURE_DIRECTORY_INVALID` where one is there already; then nothing is written. */
  write(): void {
    const there = this.paths.find((path) => existsSync(this.place(path)))
    if (there !== undefined) {
      const words = `${this.place(there)} is there already; a secured cluster is not made twice in one place`
      throw fail('SECURE_DIRECTORY_INVALID', words)
    }
    for (const [path, content] of this.#files) {
      const place = this.place(path)
      mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
      // The mask of the process takes rights away but never the owner's; a folder may be older.
      writeFileSync(place, content, { mode: 0o600, flag: 'wx' })
      chmodSync(place, 0o600)
    }
  }
}
