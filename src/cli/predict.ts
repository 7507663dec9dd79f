/**
 * `millrace predict`: a model's answers to the rows of a file, or to what comes on stdin, one line of
 * JSON each, in the order of the rows and as they come. Memory holds a batch of rows and the model.
 */
import { Command } from 'commander'
import { fail } from '../core/errors.ts'
import type { Classification } from '../models/model.ts'
import type { LoadedModel } from '../registry/registry.ts'
import { type CommandContext, type ContextSource, processContext } from './context.ts'
import { parseNames, type TextFlags, withTextFlags } from './data-flags.ts'
import { parseWhole } from './duration.ts'
import { loadModel, versionWords } from './model-registry.ts'
import { answerLine, type LineSettings, parseKept } from './predict-line.ts'
import { openRows, type PredictRows, type TextBatch } from './predict-rows.ts'
import type { InputStream } from './predict-stdin.ts'
import { StatusLine } from './status-line.ts'
import { countText } from './table.ts'

interface PredictFlags extends TextFlags {
  readonly keep?: readonly string[]
  readonly probabilities: boolean
  readonly explain?: number | true
  readonly skipErrors: boolean
}

const explainedTerms = 5

export function predictCommand(
  context: ContextSource = processContext,
  input: () => InputStream = () => process.stdin,
): Command {
  const command = new Command('predict')
    .description('ask a model about every row of a file, or about the lines of stdin')
    .argument('<model>', 'NAME, NAME@alias or NAME:version')
  return withTextFlags(command)
    .option(
      '--keep <columns>',
      "columns to copy into each answer; 'label=truth' renames",
      parseNames,
    )
    .option('--probabilities', 'the probability of every label', false)
    .option(
      '--explain [number]',
      `the terms that moved the answer most (default: ${explainedTerms})`,
      parseWhole(1),
    )
    .option('--skip-errors', 'pass over rows that cannot be read or have no text', false)
    .addHelpText(
      'after',
      `
Answers are lines of JSON: {"row":1,"label":"spam","score":0.93}; row counts the rows read, from 1.
Without --data the texts come from stdin, one a line, or with --format ndjson an object a line.
With --explain, what terms contribute adds up: intercept + terms + otherTerms is the label's score
less the mean of the other labels' scores.

Examples:
  millrace predict topics --data new.csv --text body --keep id > answers.ndjson
  echo 'win a prize' | millrace predict spam-filter@champion --explain 3`,
    )
    .action(async (reference: string, flags: PredictFlags) => {
      const here = context()
      const kept = parseKept(flags.keep ?? [])
      const model = await loadModel(here, reference)
      const rows = await openRows(model.version, flags, kept, input)
      await new Prediction(here, model, rows, flags).run()
    })
}

/** One run: what was answered, what was passed over, and how far it is. */
class Prediction {
  readonly #here: CommandContext
  readonly #model: LoadedModel
  readonly #rows: PredictRows
  readonly #flags: PredictFlags
  readonly #settings: LineSettings
  readonly #line: StatusLine
  readonly #startMs = performance.now()
  #shownMs = 0
  #answered = 0
  /** Answers that are those to no text at all. */
  #guessed = 0
  readonly #guess: Classification

  constructor(here: CommandContext, model: LoadedModel, rows: PredictRows, flags: PredictFlags) {
    this.#here = here
    this.#model = model
    this.#rows = rows
    this.#flags = flags
    const { probabilities, explain } = flags
    this.#settings = {
      probabilities,
      terms: explain === true ? explainedTerms : (explain ?? 0),
    }
    this.#line = new StatusLine(process.stderr)
    this.#guess = model.classifier.predict([''])[0]!
  }

  async run(): Promise<void> {
    const { output } = this.#here
    const rows = this.#rows
    if (rows.isTyped) output.say('type a text a line; Ctrl-D ends')
    try {
      for await (const batch of rows.batches()) {
        await this.#answer(batch)
        if (output.closed.aborted) return
        this.#show()
      }
    } finally {
      this.#line.end()
      await rows.close()
    }
    this.#tell()
  }

  /** Rows before one that ends the run are answered still. */
  async #answer({ rows, textless }: TextBatch): Promise<void> {
    const stop = this.#flags.skipErrors ? undefined : textless[0]
    const asked = stop === undefined ? rows : rows.filter(({ row }) => row < stop.row)
    const { classifier } = this.#model
    const texts = asked.map(({ text }) => text)
    const answers = classifier.predict(texts)
    const probabilities = this.#settings.probabilities
      ? classifier.predictProbabilities(texts)
      : undefined
    const lines = asked.map((row, index) => {
      const first = index * classifier.labels.length
      const own = probabilities?.subarray(first, first + classifier.labels.length)
      return answerLine(classifier, row, answers[index]!, own, this.#settings)
    })
    await this.#here.output.print(lines.join('\n'))
    this.#answered += asked.length
    const { label, score } = this.#guess
    for (const answer of answers) {
      if (answer.label === label && answer.score === score) this.#guessed++
    }
    if (stop === undefined) return
    throw fail(
      'TRAINING_DATA_INVALID',
      `data: ${stop.where} has no text in '${this.#rows.textColumns}'; correct it, or pass over such rows with --skip-errors`,
    )
  }

  /** On a terminal that does not show the answers themselves. */
  #show(): void {
    const nowMs = performance.now()
    if (!this.#line.isTerminal || this.#here.output.columns !== undefined) return
    if (this.#rows.isTyped || nowMs - this.#shownMs < 200) return
    this.#shownMs = nowMs
    const share = this.#rows.shareRead()
    const percent = share === undefined ? '' : ` · ${Math.floor(share * 100)} %`
    this.#line.show(`${countText(this.#answered)} rows${percent} · ${this.#rate(nowMs)}`)
  }

  #tell(): void {
    const { output } = this.#here
    const { skipped } = this.#rows
    for (const note of this.#rows.notes()) output.say(note)
    if (skipped.count > 0) {
      output.say(
        `rows passed over: ${countText(skipped.count)}; the first: ${skipped.first.join('; ')}`,
      )
    }
    if (this.#guessed > 0) output.say(this.#guessText())
    if (this.#rows.isTyped) return
    const rows = `${countText(this.#answered)} ${this.#answered === 1 ? 'row' : 'rows'}`
    // Of a few rows a rate says more of the start than of the model.
    const rate = this.#answered < 1000 ? '' : `, ${this.#rate(performance.now())}`
    output.say(`${rows} answered by ${versionWords(this.#model.version)}${rate}`)
  }

  #guessText(): string {
    const { clean } = this.#model.classifier.model
    const after = clean.length === 0 ? '' : ` once cleaned (${clean.join(', ')})`
    const share = `${countText(this.#guessed)} of ${countText(this.#answered)}`
    return `texts without a term that the model knows${after}: ${share}; their answer is a guess`
  }

  #rate(nowMs: number): string {
    const seconds = (nowMs - this.#startMs) / 1000
    return `${countText(Math.round(this.#answered / Math.max(seconds, 0.001)))} rows/s`
  }
}
