/**
 * Rows of a Parquet file by hyparquet, row group by row group: memory holds the columns that are
 * wanted of one row group. A gzipped file (`.parquet.gz`) is unpacked into memory.
 */
import { open, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompressSync, gunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet'
import { messageOf } from '../core/errors.ts'
import { isCompressed } from '../sources/files-paths.ts'
import { watchFiles } from './data-fingerprint.ts'
import { invalid, type Row, type RowReader } from './data-rows.ts'

/** Rows are handed on in batches of this many; a row group has often a million. */
const batchRows = 1000

interface Opened {
  readonly file: AsyncBuffer
  close(): Promise<void>
}

/** Opens a Parquet file. Throws `TRAINING_DATA_INVALID` for one that is damaged or something else. */
export async function openParquet(path: string): Promise<RowReader> {
  const { parquetMetadataAsync, parquetSchema } = await import('hyparquet')
  const storedFiles = await watchFiles([path])
  const { file, close } = isCompressed(path) ? await unpack(path) : await openFile(path)
  try {
    const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
      throw invalid(`'${path}' is no whole Parquet file: ${messageOf(error)}`, error)
    })
    return {
      name: path,
      columns: parquetSchema(metadata).children.map(({ element }) => element.name),
      batches: (select) => readBatches(path, { file, close }, metadata, select),
      storedFiles,
      notes: () => [],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function* readBatches(
  path: string,
  { file, close }: Opened,
  metadata: FileMetaData,
  select: readonly string[] | undefined,
): AsyncGenerator<readonly Row[]> {
  try {
    const { parquetReadObjects } = await import('hyparquet')
    const compressors = await ownCompressors()
    const columns = select === undefined ? undefined : [...select]
    let rowStart = 0
    for (const [index, group] of metadata.row_groups.entries()) {
      const rowEnd = rowStart + Number(group.num_rows)
      const settings = { file, metadata, compressors, columns, rowStart, rowEnd }
      const rows = await parquetReadObjects(settings).catch((error: unknown) => {
        throw invalid(`'${path}': row group ${index + 1}: ${messageOf(error)}`, error)
      })
      if (rows.length !== rowEnd - rowStart) {
        const counts = `holds ${rows.length} rows, not ${rowEnd - rowStart}`
        throw invalid(`'${path}': row group ${index + 1} ${counts} as the file says: it is damaged`)
      }
      for (let from = 0; from < rows.length; from += batchRows) {
        const first = rowStart + from + 1
        yield rows
          .slice(from, from + batchRows)
          .map((values, at): Row => ({ where: `${path} row ${first + at}`, values }))
      }
      rowStart = rowEnd
    }
  } finally {
    await close()
  }
}

/** What Node brings itself is much faster than the JavaScript of hyparquet-compressors. */
async function ownCompressors(): Promise<Compressors> {
  const { compressors } = await import('hyparquet-compressors')
  return {
    ...compressors,
    GZIP: (input) => gunzipSync(input),
    ZSTD: (input) => zstdDecompressSync(input),
    BROTLI: (input) => brotliDecompressSync(input),
  }
}

async function unpack(path: string): Promise<Opened> {
  const bytes = await promisify(gunzip)(await readFile(path)).catch((error: Error) => {
    throw invalid(`'${path}' cannot be read: ${error.message}`, error)
  })
  return {
    file: {
      byteLength: bytes.length,
      slice: async (start, end) => copyOf(bytes.subarray(start, end)),
    },
    close: async () => {},
  }
}

async function openFile(path: string): Promise<Opened> {
  const handle = await open(path, 'r').catch((error: Error) => {
    throw invalid(`'${path}' cannot be opened: ${error.message}`, error)
  })
  const { size } = await handle.stat()
  let closed = false
  return {
    file: {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(end - start)
        for (let at = 0; at < bytes.length; ) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
          if (bytesRead === 0) throw new Error(`it ends at byte ${start + at}`)
          at += bytesRead
        }
        return bytes.buffer
      },
    },
    async close() {
      if (closed) return
      closed = true
      await handle.close()
    },
  }
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
