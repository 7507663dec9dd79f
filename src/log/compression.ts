/**
 * The four compressions of Kafka's record batches, each in the framing that Kafka's clients write:
 * gzip, snappy in xerial blocks, lz4 frames, zstd. snappy and lz4 are loaded when first used.
 */
import { createRequire } from 'node:module'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { fail, messageOf } from '../core/errors.ts'
import type { Compression } from './log.ts'

type WebAssemblyCodecs = typeof import('@platformatic/wasm-utils')

/** More than this out of one record batch is an attack or a mistake, never data. */
export const maxDecompressedBytes = 1024 * 1024 * 1024

/** As snappy-java: blocks of 32 KiB behind a magic word and two versions, each with its length. */
const xerialHead = Buffer.from([
  0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1,
])
const xerialBlockBytes = 32 * 1024
const xerialMagicBytes = 8

const lz4Magic = 0x184d2204
const lz4BlockBytes = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]
/** No byte of an lz4 or snappy block stands for more than this many. */
const mostPerByte = 255

let codecs: WebAssemblyCodecs | undefined

function loaded(): WebAssemblyCodecs {
  codecs ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WebAssemblyCodecs
  return codecs
}

export function compress(compression: Compression, data: Buffer): Buffer {
  switch (compression) {
    case 'none':
      return data
    case 'gzip':
      return gzipSync(data)
    case 'snappy':
      return compressXerial(data)
    case 'lz4':
      return loaded().lz4Compress(data)
    case 'zstd':
      return zstdCompressSync(data)
  }
}

/**
 * Gives the data that was compressed. Throws `BATCH_DAMAGED` when it cannot be, or when it would be
 * larger than `maxBytes`; `where` begins the message.
 */
export function decompress(
  compression: Compression,
  data: Buffer,
  where: string,
  maxBytes = maxDecompressedBytes,
): Buffer {
  try {
    switch (compression) {
      case 'none':
        return data
      case 'gzip':
        return gunzipSync(data, { maxOutputLength: maxBytes })
      case 'snappy':
        return decompressSnappy(data, maxBytes)
      case 'lz4':
        checkLz4(data, maxBytes)
        return loaded().lz4Decompress(data)
      case 'zstd':
        return zstdDecompressSync(data, { maxOutputLength: maxBytes })
    }
  } catch (error) {
    // WebAssembly says no more than that it was stopped.
    const what = messageOf(error)
    const why = what === 'unreachable' ? 'they are malformed' : what
    const reason = `${compression} data do not decompress: ${why}`
    throw fail('BATCH_DAMAGED', `${where}: ${reason}`, { cause: error })
  }
}

function compressXerial(data: Buffer): Buffer {
  const parts: Buffer[] = [xerialHead]
  for (let at = 0; at < data.length; at += xerialBlockBytes) {
    const block = loaded().snappyCompress(data.subarray(at, at + xerialBlockBytes))
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Reads xerial blocks, and a single raw block, which some clients write. */
function decompressSnappy(data: Buffer, maxBytes: number): Buffer {
  if (!data.subarray(0, xerialMagicBytes).equals(xerialHead.subarray(0, xerialMagicBytes))) {
    return decompressBlock(data, maxBytes)
  }
  const parts: Buffer[] = []
  let total = 0
  let at = xerialHead.length
  while (at < data.length) {
    if (at + 4 > data.length) throw new Error('a block has no length')
    const end = at + 4 + data.readUInt32BE(at)
    if (end > data.length) throw new Error('a block is cut short')
    const part = decompressBlock(data.subarray(at + 4, end), maxBytes - total)
    parts.push(part)
    total += part.length
    at = end
  }
  return Buffer.concat(parts, total)
}

/** A raw snappy block begins with the length of what it holds, as a plain varint. */
function decompressBlock(block: Buffer, maxBytes: number): Buffer {
  let declared = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) throw new Error('a block is cut short')
    declared += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) break
  }
  if (declared > maxBytes || declared > block.length * mostPerByte) {
    throw new Error(`a block of ${block.length} bytes claims to hold ${declared}`)
  }
  const part = loaded().snappyDecompress(block)
  if (part.length !== declared) throw new Error('a block holds less than it claims')
  return part
}

/** Walks the blocks of a frame and bounds what they can become, before anything is allocated. */
function checkLz4(data: Buffer, maxBytes: number): void {
  if (data.length < 7 || data.readUInt32LE(0) !== lz4Magic) throw new Error('not an lz4 frame')
  const flags = data[4]!
  const blockBytes = lz4BlockBytes[(data[5]! >> 4) & 7]!
  const checksumBytes = (flags & 0x10) === 0 ? 0 : 4
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4)
  let most = 0
  for (;;) {
    if (at + 4 > data.length) throw new Error('the frame is cut short')
    const size = data.readUInt32LE(at) & 0x7fffffff
    if (size === 0) return
    most += Math.min(blockBytes, size * mostPerByte)
    if (most > maxBytes) throw new Error(`it may hold more than ${maxBytes} bytes`)
    at += 4 + size + checksumBytes
  }
}
