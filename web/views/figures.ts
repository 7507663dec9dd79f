/** The figures of an application's summaries, as the overview shows them. */
export interface Quality {
  /** The name before the point where several summaries tell figures; else empty. */
  readonly name: string
  readonly accuracyKey: string
  /** Always answering the commonest label would be right that often. */
  readonly majorityKey: string | undefined
}

/** `accuracy`, or `quality.accuracy`; each with the majority line beside it, if it is told. */
export function qualitiesOf(figures: Readonly<Record<string, number>>): Quality[] {
  return Object.keys(figures).flatMap((accuracyKey) => {
    const found = /^(?:(.*)[./])?accuracy$/.exec(accuracyKey)
    if (found === null) return []
    const majority = accuracyKey.replace(/accuracy$/, 'majorityAccuracy')
    return [
      {
        name: found[1] ?? '',
        accuracyKey,
        majorityKey: majority in figures ? majority : undefined,
      },
    ]
  })
}

/** Undefined while nothing was judged: what was, has a commonest label with a share above zero. */
export function accuracyIn(
  figures: Readonly<Record<string, number>>,
  { accuracyKey, majorityKey }: Quality,
): { readonly accuracy: number; readonly majority: number | undefined } | undefined {
  const accuracy = figures[accuracyKey]
  const majority = majorityKey === undefined ? undefined : figures[majorityKey]
  return accuracy === undefined || majority === 0 ? undefined : { accuracy, majority }
}

/** `falsePositiveRate` -> `false positive rate`. */
export const wordsOfName = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/\b([A-Z])(?=[a-z])/g, (letter) => letter.toLowerCase())

/** Whether all that is known of a figure says that it is a share. */
export const isShareName = (name: string) =>
  /(accuracy|precision|recall|f1|share|rate|coverage|auc|ece)$/i.test(name)
