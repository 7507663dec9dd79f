/**
 * The bytes of a model artefact, little endian:
 *
 *   8 bytes   "MILLRACE"
 *   uint32    format version
 *   uint32    length of the header
 *   header    JSON in UTF-8, keys sorted: kind, parameters, labels, library version, training, and
 *             the sections, each with its name, element type and number of elements
 *   sections  one after the other in that order, each from a multiple of 8, zeros between
 *
 * Nothing in it depends on when or where it was made: the same model has the same bytes.
 */
import { endianness } from 'node:os'
import { fail } from '../core/errors.ts'

const magic = 'MILLRACE'
export const formatVersion = 2
const fixedBytes = 16

const elementTypes = {
  uint16: { bytes: 2, make: (buffer: ArrayBuffer) => new Uint16Array(buffer) },
  uint32: { bytes: 4, make: (buffer: ArrayBuffer) => new Uint32Array(buffer) },
  float64: { bytes: 8, make: (buffer: ArrayBuffer) => new Float64Array(buffer) },
} as const

export type Section = Uint16Array | Uint32Array | Float64Array
export type Sections = Readonly<Record<string, Section>>

interface SectionEntry {
  readonly name: string
  readonly type: keyof typeof elementTypes
  readonly length: number
}

/** A header of plain JSON values and its sections as the bytes of an artefact. */
export function encodeArtefact(
  header: Readonly<Record<string, unknown>>,
  sections: Sections,
): Buffer {
  const entries: SectionEntry[] = Object.entries(sections).map(([name, section]) => ({
    name,
    type: typeOf(section),
    length: section.length,
  }))
  const headerBytes = Buffer.from(JSON.stringify(sorted({ ...header, sections: entries })))
  let size = aligned(fixedBytes + headerBytes.length)
  for (const section of Object.values(sections)) size = aligned(size + section.byteLength)
  const bytes = Buffer.alloc(size)
  bytes.write(magic, 'latin1')
  bytes.writeUInt32LE(formatVersion, 8)
  bytes.writeUInt32LE(headerBytes.length, 12)
  headerBytes.copy(bytes, fixedBytes)
  let at = aligned(fixedBytes + headerBytes.length)
  for (const section of Object.values(sections)) {
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at)
    toLittleEndian(bytes.subarray(at, at + section.byteLength), section.BYTES_PER_ELEMENT)
    at = aligned(at + section.byteLength)
  }
  return bytes
}

export interface DecodedArtefact {
  readonly header: Readonly<Record<string, unknown>>
  readonly sections: Sections
}

/** The header and sections of an artefact's bytes. Throws `MODEL_DAMAGED`; `where` names the file. */
export function decodeArtefact(bytes: Buffer, where: string): DecodedArtefact {
  if (bytes.length < fixedBytes || bytes.toString('latin1', 0, 8) !== magic) {
    throw damaged(where, 'it does not begin as a model artefact does')
  }
  const version = bytes.readUInt32LE(8)
  if (version > formatVersion) {
    throw damaged(
      where,
      `a newer Millrace wrote it (format ${version}, this one reads ${formatVersion}); upgrade`,
    )
  }
  if (version < formatVersion) {
    throw damaged(where, `an older Millrace wrote it (format ${version}, not ${formatVersion})`)
  }
  const headerEnd = fixedBytes + bytes.readUInt32LE(12)
  if (headerEnd > bytes.length) throw damaged(where, 'it is cut short within its header')
  const header = parseHeader(bytes.subarray(fixedBytes, headerEnd), where)
  const sections: Record<string, Section> = {}
  let at = aligned(headerEnd)
  for (const { name, type, length } of sectionEntries(header, where)) {
    const end = at + length * elementTypes[type].bytes
    if (end > bytes.length) throw damaged(where, `it is cut short within its section '${name}'`)
    const copy = new Uint8Array(end - at)
    copy.set(bytes.subarray(at, end))
    toLittleEndian(Buffer.from(copy.buffer), elementTypes[type].bytes)
    sections[name] = elementTypes[type].make(copy.buffer)
    at = aligned(end)
  }
  if (at !== bytes.length) throw damaged(where, `it is ${bytes.length} bytes long instead of ${at}`)
  return { header, sections }
}

export function damaged(where: string, what: string, cause?: unknown) {
  return fail(
    'MODEL_DAMAGED',
    `model artefact ${where}: ${what}; train it again, or restore the file`,
    { cause },
  )
}

function parseHeader(bytes: Buffer, where: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(bytes.toString())
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>
  } catch (error) {
    throw damaged(where, 'its header is not JSON', error)
  }
  throw damaged(where, 'its header is not an object')
}

function sectionEntries(header: Readonly<Record<string, unknown>>, where: string): SectionEntry[] {
  const entries = header.sections
  if (!Array.isArray(entries)) throw damaged(where, 'its header lists no sections')
  for (const entry of entries as (Partial<SectionEntry> | null)[]) {
    const { name, type, length } = entry ?? {}
    const isKnown = typeof type === 'string' && Object.hasOwn(elementTypes, type)
    if (typeof name !== 'string' || !isKnown || !Number.isSafeInteger(length) || length! < 0) {
      throw damaged(where, 'its header describes a section that cannot be')
    }
  }
  return entries as SectionEntry[]
}

function typeOf(section: Section): keyof typeof elementTypes {
  if (section instanceof Float64Array) return 'float64'
  return section instanceof Uint32Array ? 'uint32' : 'uint16'
}

/** Swaps in place on a big-endian machine; on others there is nothing to do. */
function toLittleEndian(bytes: Buffer, elementBytes: number): void {
  if (endianness() === 'LE') return
  if (elementBytes === 8) bytes.swap64()
  else if (elementBytes === 4) bytes.swap32()
  else bytes.swap16()
}

function aligned(at: number): number {
  return Math.ceil(at / 8) * 8
}

/** The same value with the keys of all objects in it sorted, so that equal values print equally. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
