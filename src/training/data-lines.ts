/**
 * Texts one a line, and beside them, if there is a second file, labels one a line (as TweetEval has
 * them). A blank line is an empty text: line n stays line n.
 */
import { isUtf8 } from 'node:buffer'
import { stat } from 'node:fs/promises'
import { ByteWindow, type Encoding } from '../sources/files-bytes.ts'
import { LineFrame } from '../sources/files-frames.ts'
import { maxRecordSizeBytes, overlong } from '../sources/files-rows.ts'
import { watchFiles } from './data-fingerprint.ts'
import { asTrainingData, invalid, type LineFiles, type Row, type RowReader } from './data-rows.ts'

const batchLines = 1000

/** Opens line files. The columns are `text` and, with a label file, `label`. */
export async function openLines(
  { textFile, labelFile }: LineFiles,
  encoding: Encoding,
): Promise<RowReader> {
  const paths = labelFile === undefined ? [textFile] : [textFile, labelFile]
  const storedFiles = await watchFiles(paths)
  const files: LineFile[] = []
  const close = async () => {
    for (const file of files) await file.close()
  }
  try {
    for (const path of paths) files.push(await LineFile.open(path, encoding))
  } catch (error) {
    await close()
    throw error
  }
  return {
    name: textFile,
    columns: labelFile === undefined ? ['text'] : ['text', 'label'],
    batches: () => readBatches(files[0]!, files[1], close),
    storedFiles,
    notes: () => [],
    shareRead: () => files[0]!.shareRead,
    close,
  }
}

async function* readBatches(
  texts: LineFile,
  labels: LineFile | undefined,
  close: () => Promise<void>,
): AsyncGenerator<readonly Row[]> {
  try {
    for (let rows: Row[] = []; ; rows = []) {
      const line = texts.line
      await texts.take(batchLines)
      await labels?.take(texts.taken.length === 0 ? 1 : texts.taken.length)
      if (labels !== undefined && labels.taken.length !== texts.taken.length) {
        await refuseUnequal(texts, labels)
      }
      if (texts.taken.length === 0) return
      texts.taken.forEach((text, index) => {
        const values = labels === undefined ? { text } : { text, label: labels.taken[index]! }
        rows.push({ where: `${texts.path}:${line + index}`, values })
      })
      yield rows
    }
  } finally {
    await close()
  }
}

/** Throws, with the counts of both: a line too many or too few anywhere shifts all behind it. */
async function refuseUnequal(texts: LineFile, labels: LineFile): Promise<never> {
  for (const file of [texts, labels]) {
    do await file.take(batchLines)
    while (file.taken.length > 0)
  }
  const counts = `'${texts.path}' has ${texts.line - 1} lines, '${labels.path}' ${labels.line - 1}`
  throw invalid(`${counts}: line n of one must belong to line n of the other`)
}

class LineFile {
  readonly path: string
  /** Number of the next line, from 1. */
  line = 1
  /** What the last `take` found. */
  taken: string[] = []
  readonly #window: ByteWindow
  readonly #sizeBytes: number
  readonly #frame = new LineFrame()
  #ended = false

  private constructor(path: string, window: ByteWindow, sizeBytes: number) {
    this.path = path
    this.#window = window
    this.#sizeBytes = sizeBytes
  }

  static async open(path: string, encoding: Encoding): Promise<LineFile> {
    const { size } = await stat(path)
    return new LineFile(path, await asTrainingData(() => ByteWindow.open(path, encoding)), size)
  }

  get shareRead(): number | undefined {
    const { growsInPlace, offset } = this.#window
    return growsInPlace ? Math.min(1, offset / this.#sizeBytes) : undefined
  }

  /** Takes the next lines, `maxLines` if there are as many; none: the end. */
  async take(maxLines: number): Promise<void> {
    const window = this.#window
    const frame = this.#frame
    this.taken = []
    while (this.taken.length < maxLines) {
      if (frame.find(window.buffer, window.start, window.end, this.#ended)) {
        this.taken.push(this.#textOf(window.buffer.subarray(window.start, frame.end)))
        window.start = frame.next
        this.line++
      } else if (this.#ended) return
      else await this.#fill()
    }
  }

  close(): Promise<void> {
    return this.#window.close()
  }

  async #fill(): Promise<void> {
    const window = this.#window
    if (window.sizeBytes > maxRecordSizeBytes)
      throw invalid(`${this.path}:${this.line}: ${overlong}`)
    this.#ended = !(await asTrainingData(() => window.fill()))
    if (window.cut) throw invalid(`'${this.path}' is cut short: its gzip stream does not end`)
  }

  #textOf(bytes: Buffer): string {
    if (isUtf8(bytes)) return bytes.toString()
    throw invalid(
      `${this.path}:${this.line}: it is not valid UTF-8; if the file is in another encoding, set 'encoding'`,
    )
  }
}
