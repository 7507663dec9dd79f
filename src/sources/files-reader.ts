/** Reads files one after the other, each to its end, and follows the last one when asked to. */
import { BatchBuilder } from '../core/batch-builder.ts'
import type { FileMark, OpenFile } from './files-file.ts'
import { FileWatch, sizeOf } from './files-follow.ts'
import { compareCodePoints, unreadable } from './files-paths.ts'
import { IdHeader } from './id-header.ts'
import type { SourceBatch, SourceContext, SourceReader, Unreadable } from './source.ts'

const waitMs = 100
/** A folder is listed again, while it is followed, at most this often. */
const relistMs = 1000

export interface FilesPosition {
  /** The time of messages: when the source was opened for the first time. */
  readonly startedAt: number
  readonly mark?: FileMark
  /** How many files came before the marked one: a name that appears among them would be missed. */
  readonly before?: number
}

export interface FilesSettings {
  readonly follow: boolean
  /** All files there are now, in order. */
  list(): Promise<readonly string[]>
  open(path: string, mark?: FileMark): Promise<OpenFile>
}

export class FilesReader implements SourceReader {
  readonly #settings: FilesSettings
  readonly #context: SourceContext
  readonly #watch: FileWatch
  #position: FilesPosition
  #files: readonly string[] = []
  #listedAt = 0
  #file: OpenFile | undefined
  #id = new IdHeader('')
  /** The file that is being read or was read last, and how many came before it. */
  #lastPath: string | undefined
  #before = 0
  #ended = false

  private constructor(settings: FilesSettings, context: SourceContext, position: FilesPosition) {
    this.#settings = settings
    this.#context = context
    this.#watch = new FileWatch(context.clock)
    this.#position = position
  }

  static async open(settings: FilesSettings, context: SourceContext): Promise<FilesReader> {
    const startedAt = context.clock.now()
    const position = (context.position as FilesPosition | null | undefined) ?? { startedAt }
    const reader = new FilesReader(settings, context, position)
    await reader.#list()
    if (position.mark !== undefined) await reader.#goOn(position.mark, position.before ?? 0)
    return reader
  }

  async read(maxMessages: number): Promise<SourceBatch | undefined> {
    while (!this.#ended) {
      if (this.#context.signal.aborted) return this.#nothing()
      const file = this.#file ?? (await this.#openNext())
      if (file === undefined) {
        if (this.#settings.follow) return this.#wait()
        this.#ended = true
        return undefined
      }
      const batch = this.#take(file, maxMessages, false)
      if (batch !== undefined) return batch
      if (await file.fill()) {
        this.#watch.grew()
        continue
      }
      const leave = await this.#mayLeave(file)
      if (leave && file.cut) {
        throw unreadable(`'${file.path}' is cut short: its gzip stream does not end`)
      }
      const last = leave || file.whole ? this.#take(file, maxMessages, true) : undefined
      if (last !== undefined) return last
      if (leave) await this.#leave(file)
      else if (!(await this.#reopenGrown(file))) return this.#wait()
    }
    return undefined
  }

  async close(): Promise<void> {
    this.#ended = true
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #take(file: OpenFile, maxMessages: number, final: boolean): SourceBatch | undefined {
    const { follow } = this.#settings
    const builder = new BatchBuilder('', 0)
    const unreadables: Unreadable[] = []
    const timeMs = follow ? this.#context.clock.now() : this.#position.startedAt
    const target = { builder, unreadable: unreadables, id: this.#id, timeMs }
    if (file.take(target, maxMessages, final) === 0) return undefined
    const { startedAt } = this.#position
    this.#position = { startedAt, mark: file.mark, before: this.#before }
    return { batch: builder.build(), unreadable: unreadables, position: this.#position }
  }

  #nothing(): SourceBatch {
    return { batch: new BatchBuilder('', 0).build(), unreadable: [], position: this.#position }
  }

  /** Nothing to read for now: looks whether all is as it should be, and lets some time pass. */
  async #wait(): Promise<SourceBatch> {
    await this.#watch.check(this.#file)
    await this.#context.clock.sleep(waitMs, this.#context.signal)
    return this.#nothing()
  }

  async #goOn(mark: FileMark, before: number): Promise<void> {
    if (!this.#files.includes(mark.path)) {
      throw unreadable(
        `'${mark.path}' was read up to line ${mark.line} before and is not there now. Restore it, or start over with --fresh`,
      )
    }
    this.#lastPath = mark.path
    this.#before = before
    this.#checkNames()
    this.#id = new IdHeader(`files:${mark.path}:`)
    this.#file = await this.#settings.open(mark.path, mark)
  }

  async #openNext(): Promise<OpenFile | undefined> {
    const index = this.#nextIndex()
    const path = this.#files[index]
    if (path === undefined) {
      return this.#settings.follow && (await this.#relist()) ? this.#openNext() : undefined
    }
    this.#file = await this.#settings.open(path)
    this.#id = new IdHeader(`files:${path}:`)
    this.#lastPath = path
    this.#before = index
    this.#watch.grew()
    return this.#file
  }

  async #leave(file: OpenFile): Promise<void> {
    this.#watch.passed(file)
    this.#file = undefined
    await file.close()
  }

  /** True at the end of a file that nothing more is expected of. */
  async #mayLeave(file: OpenFile): Promise<boolean> {
    if (!this.#settings.follow) return true
    const isLast = () => this.#nextIndex() >= this.#files.length
    if (isLast() && !((await this.#relist()) && !isLast())) return false
    return this.#watch.isQuiet(file)
  }

  /** Opens a gzip or decoded file again, where it was left, when it has grown. */
  async #reopenGrown(file: OpenFile): Promise<boolean> {
    if (file.growsInPlace) return false
    const sizeBytes = await sizeOf(file.path)
    if (sizeBytes === undefined || sizeBytes === file.seenSizeBytes) return false
    this.#file = undefined
    const { mark } = file
    await file.close()
    this.#file = await this.#settings.open(file.path, mark)
    this.#watch.grew()
    return true
  }

  /** Lists again unless that was done just now; true when it did. */
  async #relist(): Promise<boolean> {
    if (this.#context.clock.now() - this.#listedAt < relistMs) return false
    await this.#list()
    this.#checkNames()
    return true
  }

  async #list(): Promise<void> {
    this.#files = await this.#settings.list()
    this.#listedAt = this.#context.clock.now()
  }

  #nextIndex(): number {
    const last = this.#lastPath
    if (last === undefined) return 0
    const index = this.#files.indexOf(last)
    if (index >= 0) return index + 1
    const next = this.#files.findIndex((path) => compareCodePoints(path, last) > 0)
    return next < 0 ? this.#files.length : next
  }

  /** A file whose name sorts before the one that is being read would never be read. */
  #checkNames(): void {
    const last = this.#lastPath
    if (last === undefined) return
    const earlier = this.#files.filter((path) => compareCodePoints(path, last) < 0)
    if (earlier.length <= this.#before) {
      this.#before = earlier.length
      return
    }
    throw unreadable(
      `a file appeared before '${last}', which is being read or was read already (there are ${earlier.length} before it, such as '${earlier.at(-1)}', and were ${this.#before}). Give new files names that sort behind, or start over with --fresh`,
    )
  }
}
