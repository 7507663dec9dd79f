/** Says of the first bytes of a file that they are no text, before a parser says something odd. */
import { isUtf8 } from 'node:buffer'
import { ByteWindow, type Encoding } from '../sources/files-bytes.ts'
import { asTrainingData, invalid } from './data-rows.ts'

const headSizeBytes = 8192
/** Text may hold a NUL; UTF-16 and binary files are full of them. */
const maxNulShare = 0.01

const signatures = [
  { bytes: Buffer.from('PAR1'), what: "is a Parquet file: set format to 'parquet'" },
  { bytes: Buffer.from([0x1f, 0x8b]), what: "is gzipped: give it a name that ends in '.gz'" },
  { bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), what: 'is compressed by zstd: decompress it' },
  {
    bytes: Buffer.from('PK\x03\x04'),
    what: 'is a zip archive (or a spreadsheet): unpack it, or save it as CSV',
  },
]

/** Why these bytes do not look like text, to put behind the file's name; empty when they do. */
export function whyNotText(bytes: Buffer): string {
  const known = signatures.find((one) => bytes.subarray(0, one.bytes.length).equals(one.bytes))
  if (known !== undefined) return known.what
  const head = bytes.subarray(0, headSizeBytes)
  const nuls = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  if (nuls === 0 || (nuls <= maxNulShare * head.length && isUtf8(wholeCharacters(head)))) return ''
  return "does not look like text (it holds NUL bytes); if it is UTF-16, set encoding to 'utf-16le'"
}

/** The bytes without a character that was cut at their end. */
function wholeCharacters(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes.length - end < 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--
  return end > 0 && bytes[end - 1]! >= 0xc0 ? bytes.subarray(0, end - 1) : bytes.subarray(0, end)
}

/** Throws `TRAINING_DATA_INVALID` for a file that is empty or does not look like text. */
export async function checkText(path: string, encoding: Encoding): Promise<void> {
  await asTrainingData(async () => {
    const window = await ByteWindow.open(path, encoding)
    try {
      while (window.sizeBytes < headSizeBytes && (await window.fill()));
      if (window.cut && window.sizeBytes === 0) {
        throw invalid(`'${path}' is cut short: its gzip stream does not end`)
      }
      if (window.sizeBytes === 0) throw invalid(`'${path}' holds no rows: it is empty`)
      const reason = whyNotText(window.buffer.subarray(window.start, window.end))
      if (reason !== '') throw invalid(`'${path}' ${reason}`)
    } finally {
      await window.close()
    }
  })
}
