/** The body of a request, read within bounds: so many bytes, so long, and no more when unpacked. */
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { DoorLimits, Load } from './door-limits.ts'
import { Refused } from './door-refusal.ts'

const unpack = promisify(gunzip)

/** A body grows from here by doubling: what a client says of its length is not believed. */
const startBytes = 16 * 1024
/** As many as zlib has threads; each may need `maxBodyBytes` for a moment. */
const unpackedAtOnce = 4

const close = { Connection: 'close' }

export interface BodyOptions {
  readonly maxBodyBytes: number
  readonly limits: DoorLimits
  readonly load: Load
}

/** A body whose bytes are counted in `Load` until they are given back. */
export interface Body {
  readonly bytes: Buffer
  giveBack(): void
}

export class BodyReader {
  readonly #options: BodyOptions
  #unpacking = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: BodyOptions) {
    this.#options = options
  }

  /** Throws refusals: 400, 408, 413, 415, 503. */
  async read(request: Request, incoming: IncomingMessage | undefined): Promise<Body> {
    const isPacked = isGzip(request.headers.get('content-encoding'))
    const declared = Number(request.headers.get('content-length') ?? 0)
    if (declared > this.#options.maxBodyBytes) throw this.#tooLarge()
    const growing = new GrowingBytes(this.#options.load, this.#options.maxBodyBytes)
    try {
      if (incoming === undefined) await readStream(request, growing)
      else await readIncoming(incoming, growing, this.#options.limits.bodyMs)
      if (growing.isTooLarge) throw this.#tooLarge()
      if (!isPacked) return { bytes: growing.bytes, giveBack: () => growing.giveBack() }
      return await this.#unpacked(growing)
    } catch (error) {
      growing.giveBack()
      throw error
    }
  }

  async #unpacked(packed: GrowingBytes): Promise<Body> {
    const { maxBodyBytes, load } = this.#options
    if (this.#unpacking >= unpackedAtOnce) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#unpacking++
    let bytes: Buffer
    try {
      bytes = await unpack(packed.bytes, { maxOutputLength: maxBodyBytes, chunkSize: 64 * 1024 })
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw this.#tooLarge()
      throw new Refused(400, 'BODY_INVALID', 'the body is not gzip, or it is cut short')
    } finally {
      this.#unpacking--
      this.#waiting.shift()?.()
    }
    packed.giveBack()
    load.takeBytes(bytes.length)
    return { bytes, giveBack: () => load.giveBytes(bytes.length) }
  }

  #tooLarge(): Refused {
    const { maxBodyBytes } = this.#options
    const message = `the body has more than ${maxBodyBytes} bytes (unpacked); send it in parts`
    return new Refused(413, 'BODY_TOO_LARGE', message, { headers: close })
  }
}

function isGzip(encoding: string | null): boolean {
  const name = (encoding ?? '').trim().toLowerCase()
  if (name === '' || name === 'identity') return false
  if (name === 'gzip' || name === 'x-gzip') return true
  throw new Refused(415, 'ENCODING_UNKNOWN', 'Content-Encoding: only gzip and identity are read', {
    headers: { 'Accept-Encoding': 'gzip, identity' },
  })
}

/** Copied together as they come: a body of single bytes costs no more than its bytes. */
class GrowingBytes {
  readonly #load: Load
  readonly #maxBytes: number
  #buffer = Buffer.alloc(0)
  #length = 0
  isTooLarge = false

  constructor(load: Load, maxBytes: number) {
    this.#load = load
    this.#maxBytes = maxBytes
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#maxBytes) {
      this.isTooLarge = true
      return
    }
    if (length > this.#buffer.length) this.#grow(length)
    this.#buffer.set(chunk, this.#length)
    this.#length = length
  }

  giveBack(): void {
    this.#load.giveBytes(this.#buffer.length)
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
  }

  #grow(needed: number): void {
    // The first part is most often all there is.
    const size = this.#length === 0 ? needed : Math.max(needed, startBytes, this.#length * 2)
    this.#load.takeBytes(size - this.#buffer.length)
    const larger = Buffer.allocUnsafeSlow(size)
    larger.set(this.bytes)
    this.#buffer = larger
  }
}

async function readStream(request: Request, growing: GrowingBytes): Promise<void> {
  if (request.body === null) return
  for await (const chunk of request.body) {
    growing.add(chunk as Uint8Array)
    if (growing.isTooLarge) return
  }
}

function readIncoming(
  incoming: IncomingMessage,
  growing: GrowingBytes,
  bodyMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: unknown) => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      // Whatever still comes of it is thrown away by the server; an error then has to find somebody.
      incoming.on('error', () => {})
      if (error === undefined) resolve()
      else reject(error)
    }
    const onEnd = () => finish()
    const onGone = () => finish(new Refused(400, 'BODY_INVALID', 'the body ended too early'))
    const onData = (chunk: Buffer) => {
      try {
        growing.add(chunk)
      } catch (error) {
        finish(error)
        return
      }
      if (growing.isTooLarge) finish()
    }
    const timer = setTimeout(() => {
      const message = `the body did not arrive within ${bodyMs / 1000} s`
      finish(new Refused(408, 'BODY_SLOW', message, { headers: close }))
    }, bodyMs)
    incoming.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
    if (incoming.readableEnded) onEnd()
    else if (incoming.destroyed) onGone()
  })
}
