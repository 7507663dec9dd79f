/** Lines that come on stdin as rows, given on as soon as they are whole. */
import { isUtf8 } from 'node:buffer'
import { fail } from '../core/errors.ts'
import { LineFrame } from '../sources/files-frames.ts'
import { maxRecordSizeBytes, overlong } from '../sources/files-rows.ts'
import { cut, invalid, type Row, type RowReader } from '../training/data-rows.ts'
import type { TextFlags } from './data-flags.ts'

export interface InputStream extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean
}

const batchLines = 1000
const newline = 0x0a

/**
 * Opens a stream of lines: a text each (an empty line is an empty text, as in a file of lines), or
 * with the format ndjson an object each (blank lines are passed over). A batch is what came together.
 * Throws `OPTIONS_INVALID` for what only a file can be.
 */
export function openStdin(
  stream: InputStream,
  flags: TextFlags,
  onUnreadable: ((reason: string) => void) | undefined,
): RowReader {
  checkFlags(flags)
  const isJson = flags.format === 'ndjson'
  const refuse = (reason: string) => {
    if (onUnreadable === undefined) throw invalid(reason)
    onUnreadable(reason)
  }
  return {
    name: 'stdin',
    columns: isJson ? undefined : ['text'],
    batches: () => readBatches(stream, isJson ? objectOf : textOf, refuse),
    storedFiles: async () => [],
    notes: () => [],
    close: async () => {},
  }
}

function checkFlags({ format, columns, delimiter, encoding }: TextFlags): void {
  const given = Object.entries({ columns, delimiter, encoding })
  const named = given.find(([, value]) => value !== undefined)
  if (named !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `--${named[0]} means nothing for stdin, whose lines are UTF-8; save it as a file and give --data FILE`,
    )
  }
  if (format === undefined || format === 'lines' || format === 'ndjson') return
  throw fail(
    'OPTIONS_INVALID',
    `stdin is read as lines or as ndjson, not as ${format}; save it as a file and give --data FILE`,
  )
}

/** The fields of a line; undefined: it is no row; or why it cannot be read. */
type LineReading = (line: string) => Readonly<Record<string, unknown>> | string | undefined

const textOf: LineReading = (text) => ({ text })

const objectOf: LineReading = (line) => {
  if (line.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(line)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isObject) return value as Readonly<Record<string, unknown>>
  } catch {
    return `it is not JSON but '${cut(line)}'`
  }
  return `it is no JSON object but '${cut(line)}'`
}

async function* readBatches(
  stream: InputStream,
  reading: LineReading,
  refuse: (reason: string) => void,
): AsyncGenerator<readonly Row[]> {
  let number = 0
  const rowsOf = (lines: readonly Buffer[]): Row[] => {
    const rows: Row[] = []
    for (const line of lines) {
      const where = `stdin:${++number}`
      const values = isUtf8(line) ? reading(textAt(line, number)) : 'it is not valid UTF-8'
      if (typeof values === 'string') refuse(`${where}: ${values}`)
      else if (values !== undefined) rows.push({ where, values })
    }
    return rows
  }
  for await (const lines of linesOf(stream, () => number + 1)) {
    for (let from = 0; from < lines.length; from += batchLines) {
      const rows = rowsOf(lines.slice(from, from + batchLines))
      if (rows.length > 0) yield rows
    }
  }
}

/** The lines that each chunk completes; at the end what is left without a newline. */
async function* linesOf(stream: InputStream, number: () => number): AsyncGenerator<Buffer[]> {
  // Chunks of a line that is not whole yet are joined once, when it is.
  let begun: Buffer[] = []
  let begunSizeBytes = 0
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    begun.push(bytes)
    begunSizeBytes += bytes.length
    if (bytes.includes(newline)) {
      const { lines, rest } = split(Buffer.concat(begun), false)
      yield lines
      begun = [rest]
      begunSizeBytes = rest.length
    }
    if (begunSizeBytes > maxRecordSizeBytes) throw invalid(`stdin:${number()}: ${overlong}`)
  }
  yield split(Buffer.concat(begun), true).lines
}

function split(buffer: Buffer, final: boolean): { lines: Buffer[]; rest: Buffer } {
  const frame = new LineFrame()
  const lines: Buffer[] = []
  let start = 0
  while (frame.find(buffer, start, buffer.length, final)) {
    lines.push(buffer.subarray(start, frame.end))
    start = frame.next
  }
  return { lines, rest: buffer.subarray(start) }
}

function textAt(line: Buffer, number: number): string {
  const text = line.toString()
  return number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text
}
