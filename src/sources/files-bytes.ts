/**
 * A file's bytes as a window that moves over them: plain, gzipped or in another encoding, from any
 * offset. Offsets count the bytes of the text in UTF-8 (after decompression and decoding), so for a
 * plain file they are offsets in the file. Memory: the window, which the reader keeps bounded.
 */
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createGunzip, type Gunzip } from 'node:zlib'
import { isCompressed, unreadable } from './files-paths.ts'

export const encodings = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be'] as const
export type Encoding = (typeof encodings)[number]

const readSizeBytes = 256 * 1024
/** Bytes before the position whose checksum tells that it is still the same file. */
const lookBackBytes = 256

/** Where the bytes come from; `read` gives 0 at the end of what is there now. */
interface Origin {
  read(into: Buffer, at: number): Promise<number>
  /** True when the file ended in the middle of a gzip stream. */
  readonly cut: boolean
  readonly inode: number
  readonly openedSizeBytes: number
  /** True when a read after the end sees what was added since. */
  readonly growsInPlace: boolean
  close(): Promise<void>
}

export class ByteWindow {
  readonly path: string
  readonly #origin: Origin
  buffer: Buffer = Buffer.allocUnsafeSlow(2 * readSizeBytes)
  /** The unread bytes are `buffer[start, end)`. */
  start = 0
  end = 0
  /** Offset of `buffer[0]`. */
  #baseOffset = 0

  private constructor(path: string, origin: Origin) {
    this.path = path
    this.#origin = origin
  }

  /** Opens a file at an offset that an earlier window gave with `checksum()`; 0: the start. */
  static async open(path: string, encoding: Encoding, from?: SavedOffset): Promise<ByteWindow> {
    const plain = !isCompressed(path) && encoding === 'utf-8'
    const lookBack = Math.min(lookBackBytes, from?.offset ?? 0)
    const skip = (from?.offset ?? 0) - lookBack
    const origin = plain ? await openPlain(path, skip) : await openDecoded(path, encoding)
    const window = new ByteWindow(path, origin)
    try {
      if (plain) window.#baseOffset = skip
      else await window.#discard(skip)
      if (from !== undefined) await window.#check(from.offset, from.checksum, lookBack)
      if (window.offset === 0) await window.#skipByteOrderMark(encoding)
    } catch (error) {
      await window.close()
      throw error
    }
    return window
  }

  get offset(): number {
    return this.#baseOffset + this.start
  }

  get sizeBytes(): number {
    return this.end - this.start
  }

  get inode(): number {
    return this.#origin.inode
  }

  /** Size of the file as far as it was read, in the bytes that it has on disk. */
  get seenSizeBytes(): number {
    const { growsInPlace, openedSizeBytes } = this.#origin
    return growsInPlace ? this.#baseOffset + this.end : openedSizeBytes
  }

  /** True when `fill` sees bytes that are added to the file later. */
  get growsInPlace(): boolean {
    return this.#origin.growsInPlace
  }

  /** True when the byte before `offset` is a newline. */
  get endsLine(): boolean {
    return this.start > 0 && this.buffer[this.start - 1] === 0x0a
  }

  /** True when the file ended in the middle of a gzip stream. */
  get cut(): boolean {
    return this.#origin.cut
  }

  /** Checksum of the bytes just before `offset`. */
  checksum(): number {
    return crc32(this.buffer.subarray(Math.max(0, this.start - lookBackBytes), this.start))
  }

  /** Reads at least one byte more; false at the end of what is there now. */
  async fill(): Promise<boolean> {
    this.#makeRoom()
    const count = await this.#origin.read(this.buffer, this.end)
    this.end += count
    return count > 0
  }

  async close(): Promise<void> {
    await this.#origin.close()
  }

  /** Moves what is unread (and the bytes to look back at) to the front, or doubles the buffer. */
  #makeRoom(): void {
    if (this.buffer.length - this.end >= readSizeBytes) return
    const keepFrom = Math.max(0, this.start - lookBackBytes)
    const kept = this.end - keepFrom
    const wanted = Math.max(2 * readSizeBytes, 2 * kept)
    // A buffer that grew for one long line is given back behind it.
    const fits = this.buffer.length >= wanted && this.buffer.length <= 4 * wanted
    const into = fits ? this.buffer : Buffer.allocUnsafeSlow(wanted)
    this.buffer.copy(into, 0, keepFrom, this.end)
    this.buffer = into
    this.#baseOffset += keepFrom
    this.start -= keepFrom
    this.end = kept
  }

  /** Passes over bytes without keeping them; stops early at the end. */
  async #discard(sizeBytes: number): Promise<void> {
    for (let left = sizeBytes; left > 0; ) {
      if (this.sizeBytes === 0 && !(await this.fill())) return
      const step = Math.min(left, this.sizeBytes)
      this.start += step
      left -= step
    }
  }

  async #check(offset: number, checksum: number, lookBack: number): Promise<void> {
    while (this.sizeBytes < lookBack && (await this.fill()));
    const there = this.offset + Math.min(lookBack, this.sizeBytes)
    if (there < offset) {
      const ends = `'${this.path}' ends at byte ${there}, but was read up to byte ${offset} before`
      throw unreadable(`${ends}: it shrank or was replaced. Restore it, or start over with --fresh`)
    }
    this.start += lookBack
    if (this.checksum() === checksum) return
    throw unreadable(
      `'${this.path}' holds something else before byte ${offset} than what was read there: it was replaced. Restore it, or start over with --fresh`,
    )
  }

  async #skipByteOrderMark(encoding: Encoding): Promise<void> {
    while (this.sizeBytes < 3 && (await this.fill()));
    const [first, second, third] = this.buffer.subarray(
      this.start,
      Math.min(this.end, this.start + 3),
    )
    if (first === 0xef && second === 0xbb && third === 0xbf) this.start += 3
    if (encoding !== 'utf-8') return
    const utf16 = first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-16be'
    if (utf16 === 'utf-16le' || (first === 0xfe && second === 0xff)) {
      throw unreadable(`'${this.path}' is not UTF-8: set encoding: '${utf16}'`)
    }
  }
}

export interface SavedOffset {
  readonly offset: number
  readonly checksum: number
}

async function openPlain(path: string, from: number): Promise<Origin> {
  const file = await openFile(path)
  let at = from
  let closed = false
  return {
    cut: false,
    growsInPlace: true,
    inode: file.inode,
    openedSizeBytes: file.sizeBytes,
    async read(into, start) {
      const { bytesRead } = await file.handle
        .read(into, start, into.length - start, at)
        .catch((error: Error) => {
          throw unreadable(`'${path}' cannot be read: ${error.message}`, error)
        })
      at += bytesRead
      return bytesRead
    },
    async close() {
      if (closed) return
      closed = true
      await file.handle.close()
    },
  }
}

interface Opened {
  readonly handle: FileHandle
  readonly inode: number
  readonly sizeBytes: number
}

async function openFile(path: string): Promise<Opened> {
  const handle = await open(path, 'r').catch((error: Error) => {
    throw unreadable(`'${path}' cannot be opened: ${error.message}`, error)
  })
  const about = await handle.stat()
  return { handle, inode: about.ino, sizeBytes: about.size }
}

/** Gzip (also several in a row) and other encodings, as a stream: it can only start at the start. */
async function openDecoded(path: string, encoding: Encoding): Promise<Origin> {
  const { handle, inode, sizeBytes } = await openFile(path)
  const raw = createReadStream(path, { fd: handle, highWaterMark: readSizeBytes })
  const bytes = isCompressed(path)
    ? pipeline(raw, createGunzip({ chunkSize: readSizeBytes }), () => {})
    : raw
  const chunks = (bytes as Gunzip)[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const decoder = encoding === 'utf-8' ? undefined : new TextDecoder(encoding, { ignoreBOM: true })
  let chunk: Buffer = Buffer.alloc(0)
  let cut = false
  const next = async (): Promise<Buffer | undefined> => {
    const step = await chunks.next().catch((error: NodeJS.ErrnoException) => {
      cut = error.code === 'Z_BUF_ERROR'
      if (cut) return { done: true as const, value: undefined }
      throw unreadable(`'${path}' cannot be read: ${error.message}`, error)
    })
    if (step.done) return undefined
    return decoder === undefined
      ? step.value
      : Buffer.from(decoder.decode(step.value, { stream: true }))
  }
  return {
    growsInPlace: false,
    inode,
    openedSizeBytes: sizeBytes,
    get cut() {
      return cut
    },
    async read(into, start) {
      while (chunk.length === 0) {
        const following = await next()
        if (following === undefined) return 0
        chunk = following
      }
      const count = chunk.copy(into, start)
      chunk = chunk.subarray(count)
      return count
    },
    async close() {
      raw.destroy()
      bytes.destroy()
      await handle.close().catch(() => {})
    },
  }
}
