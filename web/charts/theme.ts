/** The colours of the style sheet, for the canvas; its custom properties are the only palette. */
export interface Theme {
  readonly text: string
  readonly quiet: string
  readonly line: string
  readonly surface: string
  readonly series: readonly string[]
  readonly font: string
}

export const seriesCount = 8

/** The colour of all others together. */
export const restColour = 8

/** Colours of what has a name of its own, where all others together may stand beside it. */
export const namedColours: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 9]

/** The series' class and colour by its place; the last is for all that come after. */
export const seriesIndex = (index: number) => Math.min(index, seriesCount - 1) + 1

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement)
  const property = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: property('--text'),
    quiet: property('--quiet'),
    line: property('--line'),
    surface: property('--surface'),
    series: Array.from({ length: seriesCount + 1 }, (_, index) =>
      property(`--series-${index + 1}`),
    ),
    font: property('--font'),
  }
}
