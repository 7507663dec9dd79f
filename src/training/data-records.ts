/**
 * Rows of CSV, TSV and NDJSON files, read by the source `files`: quoting, headers and encodings mean
 * here what they mean in a pipeline.
 */
import { isUtf8 } from 'node:buffer'
import { stat } from 'node:fs/promises'
import { BatchBuilder } from '../core/batch-builder.ts'
import { idOf } from '../core/identity.ts'
import type { FileSettings } from '../sources/files-file.ts'
import { OpenFile } from '../sources/files-file.ts'
import type { RowTarget } from '../sources/files-rows.ts'
import { IdHeader } from '../sources/id-header.ts'
import { watchFiles } from './data-fingerprint.ts'
import {
  asTrainingData,
  cut,
  type DataOptions,
  invalid,
  type Row,
  type RowReader,
} from './data-rows.ts'

const batchRows = 1000

/** Opens a file of records. Throws `TRAINING_DATA_INVALID` for a delimited file without a line. */
export async function openRecords(
  path: string,
  settings: FileSettings,
  { onUnreadable }: Pick<DataOptions, 'onUnreadable'>,
): Promise<RowReader> {
  return asTrainingData(async () => {
    const storedFiles = await watchFiles([path])
    const { size } = await stat(path)
    const file = await OpenFile.open(path, settings)
    try {
      const columns = await file.readColumns()
      if (columns === undefined && settings.format !== 'ndjson') {
        throw invalid(`'${path}' holds no rows: there is not even a header`)
      }
      const refuse = (reason: string) => {
        if (onUnreadable === undefined) throw invalid(reason)
        onUnreadable(reason)
      }
      return {
        name: path,
        columns,
        batches: (select) => readBatches(file, columns ?? [], select ?? columns ?? [], refuse),
        storedFiles,
        notes: () => [],
        shareRead: () => (file.growsInPlace ? Math.min(1, file.mark.offset / size) : undefined),
        close: () => file.close(),
      }
    } catch (error) {
      await file.close()
      throw error
    }
  })
}

async function* readBatches(
  file: OpenFile,
  columns: readonly string[],
  select: readonly string[],
  refuse: (reason: string) => void,
): AsyncGenerator<readonly Row[]> {
  const id = new IdHeader(`${file.path}:`)
  const places = select.map((column) => columns.indexOf(column))
  try {
    for (let final = false; ; ) {
      const rows: Row[] = []
      const takeFields = (line: number, fields: readonly string[]) => {
        const values: Record<string, string> = {}
        for (let at = 0; at < places.length; at++) values[select[at]!] = fields[places[at]!]!
        rows.push({ where: `${file.path}:${line}`, values })
      }
      const target = { builder: new BatchBuilder('', 0), unreadable: [], id, timeMs: 0, takeFields }
      if (file.take(target, batchRows, final) > 0) {
        addLines(rows, target, refuse)
        if (rows.length > 0) yield rows
      } else if (final) return
      else if (!(await asTrainingData(() => file.fill()))) {
        if (file.cut) throw invalid(`'${file.path}' is cut short: its gzip stream does not end`)
        final = true
      }
    }
  } finally {
    await file.close()
  }
}

type Target = Pick<RowTarget, 'builder' | 'unreadable'>

/** Adds what the builder got, which is lines of JSON. */
function addLines(rows: Row[], { builder, unreadable }: Target, refuse: (reason: string) => void) {
  for (const { reason } of unreadable) refuse(reason)
  const batch = builder.build()
  for (let index = 0; index < batch.count; index++) {
    const where = idOf(batch, index)
    const bytes = batch.bytes.subarray(batch.valueStarts[index]!, batch.valueEnds[index]!)
    const values = valuesOf(bytes)
    if (typeof values === 'string') refuse(`${where}: ${values}`)
    else rows.push({ where, values })
  }
}

/** The fields of a line of JSON, or why there are none. */
function valuesOf(bytes: Buffer): Record<string, unknown> | string {
  if (!isUtf8(bytes))
    return "it is not valid UTF-8; if the file is in another encoding, set 'encoding'"
  const line = bytes.toString()
  try {
    const value: unknown = JSON.parse(line)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isObject) return value as Record<string, unknown>
  } catch {
    return `it is not JSON but '${cut(line)}'${arrayHint(line)}`
  }
  return `it is no JSON object but '${cut(line)}'${arrayHint(line)}`
}

function arrayHint(line: string): string {
  return line.startsWith('[') ? '; write one object a line, without the array around them' : ''
}
