/** Puts what a benchmark printed where bench/README.md has it, between two markers. */

/** The page with the report between its markers, which the benchmark's name is in. */
export function withSection(page: string, report: string, name = 'bench:text'): string {
  const begin = `<!-- ${name} -->`
  const end = `<!-- ${name} ends -->`
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`bench: the page has no ${begin} and ${end}`)
  return `${before}${begin}\n${report}\n${end}${after}`
}
