/**
 * Brings in the rows of files: NDJSON, CSV, TSV or lines of text, gzipped or not, one file, a folder
 * or a glob; with `follow` also what is written to them later. Replay is exact.
 */
import { z } from 'zod'
import { fail } from '../core/errors.ts'
import { usePart } from '../core/part.ts'
import { encodings } from './files-bytes.ts'
import { OpenFile } from './files-file.ts'
import { formats, guessFormat, listFiles } from './files-paths.ts'
import { FilesReader } from './files-reader.ts'
import { defineSource, type SourceUse } from './source.ts'

const options = z.strictObject({
  path: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe(
      'File, folder (with the folders in it) or glob, or several of them. Files are read in code-point order of their paths, each once.',
    ),
  format: z
    .enum(formats)
    .optional()
    .describe(
      "What the files hold: 'ndjson' (a JSON value a line, passed on byte for byte), 'csv' and 'tsv' (a row becomes a JSON object of strings), 'lines' (a line becomes a JSON string). Default: by the extension (ndjson, jsonl, csv, tsv, txt, log), also before .gz.",
    ),
  columns: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Names of the columns of CSV or TSV files that have no header line.'),
  delimiter: z
    .string()
    .regex(/^[\x20-\x7e\t]$/, 'one ASCII character')
    .optional()
    .describe("What stands between two fields. Default: ',' for csv, a tab for tsv."),
  quotes: z
    .boolean()
    .optional()
    .describe(
      'Whether a field may stand in double quotes, with newlines in it. Default: true for csv, false for tsv.',
    ),
  encoding: z
    .enum(encodings)
    .default('utf-8')
    .describe("How the files' characters are written; what is not UTF-8 is converted to it."),
  follow: z
    .boolean()
    .default(false)
    .describe(
      'Waits at the end: for more lines in the last file, and for new files whose names sort behind it. Only whole lines are taken.',
    ),
})

export type FilesOptions = z.input<typeof options>

export const filesPart = defineSource({
  name: 'files',
  summary:
    'Reads rows of NDJSON, CSV, TSV or text files, gzipped or not, and goes on where it stopped; can follow files that grow.',
  options,
  example: { path: 'data/tweets.ndjson' },
  replay: 'exact',
  async open(settings, context) {
    const { format, encoding, columns } = settings
    const follow = settings.follow && context.untilEnd !== true
    const paths = typeof settings.path === 'string' ? [settings.path] : settings.path
    return FilesReader.open(
      {
        follow,
        list: () => listFiles(paths, format, follow),
        open(path, mark) {
          const known = format ?? guessFormat(path)
          if (known === undefined) {
            throw fail(
              'OPTIONS_INVALID',
              `source files: the name '${path}' does not tell what the file holds: set format to one of ${formats.join(', ')}`,
            )
          }
          const delimiter = settings.delimiter ?? (known === 'tsv' ? '\t' : ',')
          const quotes = settings.quotes ?? known === 'csv'
          return OpenFile.open(path, { format: known, encoding, delimiter, quotes, columns }, mark)
        },
      },
      context,
    )
  },
})

/**
 * Rows of files as messages. `Value` is what a row holds: objects of strings for CSV and TSV,
 * whatever the lines hold for NDJSON, a string for `lines`; it is checked where the topic has a schema.
 * The id of a message is `files:<path as given>:<line where the row starts>`. Its time is when the
 * source was first opened (with `follow`: when the row was read), unless the topic says otherwise.
 * Throws `OPTIONS_INVALID`; when run, `SOURCE_UNREADABLE`.
 */
export function files<Value = Record<string, string>>(settings: FilesOptions): SourceUse<Value> {
  return { ...usePart(filesPart, settings), kind: 'source', replay: filesPart.replay }
}
